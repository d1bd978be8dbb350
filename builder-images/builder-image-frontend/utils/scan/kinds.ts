/**
 * A kind of secret. A text is searched for `starts` only; `pattern`, which is tried where one of them stands, has no
 * unbounded repetition. So a scan takes time in proportion to the text, whatever is in it.
 */
export interface SecretKind {
  /** The name by which a request can allow it. */
  readonly id: string;
  /** Whoever reads the log knows what to look for. */
  readonly what: string;
  /** `fails`: it can hardly be anything else. `warns`: often a placeholder, or harmless. */
  readonly effect: 'fails' | 'warns';
  /** Texts at which the pattern begins (what it looks for before them is a lookbehind). */
  readonly starts: readonly string[];
  /** Sticky, bounded. Group 1, where there is one, is the part that must not look made up. */
  readonly pattern: RegExp;
  /** Says no to what is made for browsers, and to the examples of manuals. */
  readonly accepts?: (found: string, before: string) => boolean;
}

/** A token of these characters, not in the middle of a longer word. */
const token = (pattern: string): RegExp => new RegExp(`(?<![A-Za-z0-9])${pattern}`, 'y');
const fails = (id: string, what: string, starts: readonly string[], pattern: RegExp, accepts?: SecretKind['accepts']) =>
  ({ id, what, effect: 'fails', starts, pattern, ...(accepts && { accepts }) }) satisfies SecretKind;
const warns = (id: string, what: string, starts: readonly string[], pattern: RegExp, accepts?: SecretKind['accepts']) =>
  ({ id, what, effect: 'warns', starts, pattern, ...(accepts && { accepts }) }) satisfies SecretKind;

/** Ends of lines and what stands between two strings, as they are in texts, in JSON and in minified code. */
const GAP = String.raw`[\s\\rn"'+,\u0060]{1,40}`;
const BASE64_40 = '[A-Za-z0-9+/]{40}';
/**
 * The value of a field above a key, up to where its line or string ends. It can end at one place only: with several, four
 * fields in a row would take minutes of trying all of them.
 */
const STRING_END = String.raw`['\u0060] ?[,+\n\\]`;
const FIELD_VALUE = String.raw`(?:(?!${STRING_END})[^\n\\"]){1,80}(?=[\n\\"]|${STRING_END})`;

const privateKeys: readonly SecretKind[] = [
  fails(
    'private-key',
    'a private key (PEM, OpenSSH, PGP)',
    ['-----BEGIN '],
    new RegExp(
      `-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----${GAP}(?:[A-Z][A-Za-z-]{2,14}:${FIELD_VALUE}${GAP}){0,4}(${BASE64_40})`,
      'y',
    ),
  ),
  fails(
    'private-key-base64',
    'a private key in base64 (of a Kubernetes secret, for example)',
    ['LS0tLS1CRUdJTi'],
    token(
      `LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJVkFURS|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVE|BEU0EgUFJJVkFURS|BFTkNSWVBURUQgUFJJVkFUR)(${BASE64_40})`,
    ),
  ),
  fails('private-key-putty', 'a private key of PuTTY', ['PuTTY-User-Key-File-'], /PuTTY-User-Key-File-\d: /y),
  fails('private-key-age', 'a private key of age', ['AGE-SECRET-KEY-1'], token('AGE-SECRET-KEY-1([0-9A-Z]{58})')),
];

/** Signed links name the key that signed them; that is no secret. */
const notInLink = (_: string, before: string) => !/(?:X-Amz-Credential|AWSAccessKeyId)(?:=|%3D)$/i.test(before);
/** The account of the storage emulator, the same on every machine. */
const AZURE_EMULATOR = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq';

const clouds: readonly SecretKind[] = [
  fails(
    'aws-access-key',
    'an access key of AWS',
    ['AKIA', 'ASIA'],
    token('A[KS]IA([A-Z0-9]{16})(?![A-Za-z0-9])'),
    notInLink,
  ),
  fails(
    'aws-secret-key',
    'a secret access key of AWS',
    ['ecret_access_key', 'ECRET_ACCESS_KEY', 'ecretAccessKey', 'ecret_key', 'ECRET_KEY'],
    /(?<=(?:[Aa][Ww][Ss]_?|(?<![A-Za-z]))[sS])(?:ecret_access_key|ECRET_ACCESS_KEY|ecretAccessKey|ecret_key|ECRET_KEY)[\s"'\\:=>]{1,12}([A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])/y,
    (found) => /[A-Z]/.test(found.slice(-40)) && /[a-z]/.test(found.slice(-40)) && /\d/.test(found.slice(-40)),
  ),
  fails(
    'gcp-service-account',
    'the key of a Google Cloud service account',
    ['private_key_id'],
    /private_key_id\\{0,3}"\s{0,4}:\s{0,4}\\{0,3}"([0-9a-f]{40})/y,
  ),
  fails('gcp-oauth-secret', 'a client secret of Google OAuth', ['GOCSPX-'], token('GOCSPX-([\\w-]{28})')),
  fails('gcp-access-token', 'an access token of Google', ['ya29.'], token('ya29\\.([\\w-]{40})')),
  fails(
    'azure-storage-key',
    'a key of Azure storage, Service Bus or Cosmos DB',
    ['AccountKey=', 'SharedAccessKey='],
    /(?:AccountKey=([A-Za-z0-9+/]{86})==|SharedAccessKey=([A-Za-z0-9+/]{43})=)/y,
    (found) => !found.includes(AZURE_EMULATOR),
  ),
  fails(
    'azure-client-secret',
    'a client secret of Azure',
    ['Q~'],
    /(?<=(?<![\w~.-])[\w~.-]{3}\d)Q~([\w~.-]{31,34})(?![\w~.-])/y,
  ),
  fails(
    'digitalocean-token',
    'a token of DigitalOcean',
    ['dop_v1_', 'doo_v1_', 'dor_v1_'],
    token('do[opr]_v1_([0-9a-f]{64})'),
  ),
  fails(
    'alibaba-access-key',
    'an access key of Alibaba Cloud',
    ['LTAI'],
    token('LTAI([A-Za-z0-9]{20})(?![A-Za-z0-9])'),
  ),
  fails(
    'vercel-token',
    'a token of Vercel',
    ['vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'],
    token('vc[piark]_([A-Za-z0-9]{24})'),
  ),
  fails('netlify-token', 'a token of Netlify', ['nfp_'], token('nfp_([A-Za-z0-9]{36})')),
  fails('heroku-key', 'a key of Heroku', ['HRKU-'], token('HRKU-AA([\\w-]{58})')),
  fails('fly-token', 'a token of Fly.io', ['FlyV1 fm'], /FlyV1 fm\d[a-z]?_([A-Za-z0-9+/=,_-]{60})/y),
];

const hosts: readonly SecretKind[] = [
  fails(
    'github-token',
    'a token of GitHub',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    token('(?:gh[pousr]_([A-Za-z0-9]{36})|github_pat_([A-Za-z0-9_]{60}))'),
  ),
  fails(
    'gitlab-token',
    'a token of GitLab',
    ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glimt-', 'glsoat-', 'glft-', 'glagent-', 'gloas-', 'GR1348941'],
    token('(?:gl(?:pat|dt|rt|ptt|cbt|imt|soat|ft|agent|oas)-|GR1348941)([\\w-]{20})'),
  ),
  fails(
    'bitbucket-token',
    'a password or token of Bitbucket or Atlassian',
    ['ATBB', 'ATATT3', 'ATCTT3'],
    token('(?:ATBB([A-Za-z0-9]{32})(?![A-Za-z0-9])|AT[AC]TT3xFf([\\w=-]{50}))'),
  ),
  fails(
    'npm-token',
    'a token of npm',
    ['npm_', '_authToken'],
    /(?:(?<![A-Za-z0-9])npm_([A-Za-z0-9]{36})(?![A-Za-z0-9])|(?<=:)_authToken\s{0,2}=\s{0,2}"?([\w+/=.-]{20}))/y,
  ),
  fails('pypi-token', 'a token of PyPI', ['pypi-AgE'], token('pypi-AgE([\\w-]{50})')),
  fails('rubygems-key', 'a key of RubyGems', ['rubygems_'], token('rubygems_([0-9a-f]{48})')),
  fails('docker-token', 'a token of Docker Hub', ['dckr_pat_', 'dckr_oat_'], token('dckr_[po]at_([\\w-]{27})')),
];

const messages: readonly SecretKind[] = [
  fails(
    'slack-token',
    'a token of Slack',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxe', 'xoxs-', 'xapp-'],
    token(
      '(?:xox[bpare]-(?:\\d-)?\\d{6,14}-([\\w-]{20})|xoxe\\.xox[bp]-\\d-([\\w-]{40})|xoxs-([\\w-]{40})|xapp-\\d-[A-Z0-9]{8,14}-\\d{6,14}-([0-9a-f]{40}))',
    ),
  ),
  fails(
    'slack-webhook',
    'a webhook of Slack',
    ['hooks.slack.com/'],
    /hooks\.slack\.com\/(?:services|workflows)\/([A-Z][A-Z0-9]{7,12}\/[A-Z][A-Z0-9]{7,12}\/[A-Za-z0-9]{20,24})/y,
  ),
  fails(
    'telegram-token',
    'a token of a Telegram bot',
    [':AA'],
    /(?<=(?<![A-Za-z0-9])\d{8,10}):AA([\w-]{33})(?![\w-])/y,
  ),
  fails('sendgrid-key', 'a key of SendGrid', ['SG.'], token('SG\\.([\\w-]{22})\\.[\\w-]{43}')),
  fails('brevo-key', 'a key of Brevo', ['xkeysib-', 'xsmtpsib-'], token('x(?:key|smtp)sib-([0-9a-f]{64})')),
  fails('resend-key', 'a key of Resend', ['re_'], token('re_([A-Za-z0-9]{8}_[A-Za-z0-9]{24})(?![A-Za-z0-9])')),
  fails(
    'fcm-server-key',
    'a server key of Firebase Cloud Messaging',
    [':APA91b'],
    /(?<=(?<![A-Za-z0-9])AAAA[\w-]{7}):APA91b([\w-]{134})/y,
  ),
  warns('mailgun-key', 'a key of Mailgun', ['key-'], token('key-([0-9a-f]{32})(?![0-9a-f])')),
  warns('mailchimp-key', 'a key of Mailchimp', ['-us'], /(?<=(?<![0-9a-f])[0-9a-f]{32})-us\d{1,2}(?!\w)/y),
  warns('twilio-key', 'the name of a key of Twilio', ['SK'], token('SK([0-9a-f]{32})(?![0-9a-f])')),
  warns(
    'discord-webhook',
    'a webhook of Discord',
    ['/api/webhooks/'],
    /(?<=discord(?:app)?\.com)\/api\/webhooks\/\d{17,20}\/([\w-]{60})/y,
  ),
];

const money: readonly SecretKind[] = [
  fails(
    'stripe-secret-key',
    'a secret key of Stripe or Clerk',
    ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_'],
    token('[sr]k_(?:live|test)_([A-Za-z0-9]{24})'),
    (found) => !STRIPE_MANUAL.test(found),
  ),
  fails('stripe-webhook-secret', 'a signing secret of Stripe or Clerk', ['whsec_'], token('whsec_([A-Za-z0-9+/]{32})')),
  fails(
    'shopify-token',
    'a token of Shopify',
    ['shpat_', 'shpca_', 'shppa_', 'shpss_'],
    token('shp(?:at|ca|pa|ss)_([0-9a-fA-F]{32})'),
  ),
  fails('square-token', 'a token of Square', ['sq0atp-', 'sq0csp-'], token('sq0(?:atp-([\\w-]{22})|csp-([\\w-]{43}))')),
  fails(
    'paypal-token',
    'a token of PayPal or Braintree',
    ['access_token$production$'],
    /access_token\$production\$[a-z0-9]{16}\$([0-9a-f]{32})/y,
  ),
];
/** Keys that Stripe's manual shows to everybody. */
const STRIPE_MANUAL = /_test_(?:4eC39HqLyjWDarjtT1zdp7dc|BQokikJOvBiI2HlWgH4olfQ2|tR3PYbcVNZZ796tH88S4VQ2u)/;

const models: readonly SecretKind[] = [
  fails(
    'openai-key',
    'a key of OpenAI',
    ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'T3BlbkFJ'],
    /(?:(?<![A-Za-z0-9])sk-(?:proj|svcacct|admin)-([\w-]{40})|(?<=(?<![A-Za-z0-9])sk-[A-Za-z0-9]{20})T3BlbkFJ([A-Za-z0-9]{20}))/y,
  ),
  fails('anthropic-key', 'a key of Anthropic', ['sk-ant-'], token('sk-ant-(?:api|admin|oat)\\d\\d-([\\w-]{60})')),
  fails('openrouter-key', 'a key of OpenRouter', ['sk-or-v1-'], token('sk-or-v1-([0-9a-f]{64})')),
  fails('huggingface-token', 'a token of Hugging Face', ['hf_'], token('hf_([A-Za-z0-9]{34})(?![A-Za-z0-9])')),
  fails('groq-key', 'a key of Groq', ['gsk_'], token('gsk_([A-Za-z0-9]{52})')),
  fails('replicate-token', 'a token of Replicate', ['r8_'], token('r8_([A-Za-z0-9]{37})(?![A-Za-z0-9])')),
];

const tools: readonly SecretKind[] = [
  fails(
    'supabase-secret-key',
    'a secret key of Supabase',
    ['sb_secret_', 'sbp_'],
    token('(?:sb_secret_([\\w-]{22})|sbp_([0-9a-f]{40}))'),
  ),
  fails('mapbox-secret-token', 'a secret token of Mapbox', ['sk.eyJ'], token('sk\\.(eyJ[\\w-]{20})')),
  fails(
    'sentry-token',
    'a token of Sentry',
    ['sntrys_', 'sntryu_'],
    token('(?:sntrys_(eyJ[\\w-]{40})|sntryu_([0-9a-f]{64}))'),
  ),
  fails('posthog-personal-key', 'a personal key of PostHog', ['phx_', 'phs_'], token('ph[xs]_([A-Za-z0-9]{40})')),
  fails('newrelic-key', 'a user key of New Relic', ['NRAK-'], token('NRAK-([A-Z0-9]{27})')),
  fails(
    'grafana-token',
    'a token of Grafana',
    ['glsa_', 'glc_eyJ'],
    token('(?:glsa_([A-Za-z0-9]{32})_[0-9a-f]{8}|glc_(eyJ[A-Za-z0-9+/]{40}))'),
  ),
  fails(
    'vault-token',
    'a token of HashiCorp Vault or Terraform Cloud',
    ['hvs.', 'hvb.', '.atlasv1.'],
    /(?:(?<![A-Za-z0-9])hv[sb]\.([\w-]{90})|(?<=(?<![A-Za-z0-9])[A-Za-z0-9]{14})\.atlasv1\.([\w-]{60}))/y,
  ),
  fails('pulumi-token', 'a token of Pulumi', ['pul-'], token('pul-([0-9a-f]{40})(?![0-9a-f])')),
  fails('databricks-token', 'a token of Databricks', ['dapi'], token('dapi([0-9a-f]{32})(?![0-9a-f])')),
  fails(
    'planetscale-password',
    'a password or token of PlanetScale',
    ['pscale_'],
    token('pscale_(?:pw|tkn|oauth)_([\\w-]{32})'),
  ),
  fails(
    'doppler-token',
    'a token of Doppler',
    ['dp.'],
    token('dp\\.(?:pt|st|ct|sa|scim|audit)\\.(?:[\\w-]{2,35}\\.)?([A-Za-z0-9]{40})'),
  ),
  fails('1password-token', 'a token of a 1Password service account', ['ops_eyJ'], token('ops_(eyJ[A-Za-z0-9+/]{100})')),
  fails('notion-token', 'a token of Notion', ['ntn_'], token('ntn_(\\d{11}[A-Za-z0-9]{35})')),
  fails('linear-key', 'a key of Linear', ['lin_api_', 'lin_oauth_'], token('lin_(?:api|oauth)_([A-Za-z0-9]{40})')),
  fails('figma-token', 'a token of Figma', ['figd_'], token('figd_([\\w-]{40})')),
  fails('airtable-token', 'a token of Airtable', ['pat'], token('pat[A-Za-z0-9]{14}\\.([0-9a-f]{64})')),
  fails('contentful-token', 'a management token of Contentful', ['CFPAT-'], token('CFPAT-([\\w-]{43})')),
];

/** The claims of a JSON web token; an empty object where they cannot be read. */
function claimsOf(jwt: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
const JWT = token('eyJ[\\w-]{10,120}\\.(eyJ[\\w-]{10,1200})\\.[\\w-]{20,90}');

/** Passwords that nobody uses, hosts that are nobody's: manuals are full of them. */
const MADE_UP_LOGIN =
  /:\/\/[^:]*:(?:pass(?:word|wd)?\d*|pwd?|secret|changeme|postgres|mysql|root|admin|user|guest|test|token|[<[{$%*x.]+.*)@|@(?:localhost|127\.0\.0\.1|\[?::1|[\w.-]{0,60}\.?example\.(?:com|org|net)|host(?:name)?)(?![\w.-])/i;

const logins: readonly SecretKind[] = [
  fails(
    'supabase-service-role',
    'the service key of a Supabase project',
    ['eyJ'],
    JWT,
    (found) => claimsOf(found).role === 'service_role',
  ),
  warns('jwt', 'a JSON web token', ['eyJ'], JWT, (found, before) => {
    const { role } = claimsOf(found);
    return role !== 'anon' && role !== 'service_role' && !/(?:pk|sk)\.$/.test(before);
  }),
  warns(
    'database-url',
    'the address of a database with its password',
    ['postgres', 'mysql', 'mariadb', 'mongodb', 'redis', 'amqp', 'mssql', 'sqlserver'],
    token(
      '(?:postgres(?:ql)?|mysql2?|mariadb|mongodb(?:\\+srv)?|rediss?|amqps?|mssql|sqlserver)://[^\\s:/@"\'\\u0060]{0,80}:([^\\s/@"\'\\u0060]{2,120})@[\\w.[-][^\\s"\'\\u0060]{0,40}',
    ),
    (found) => !MADE_UP_LOGIN.test(found),
  ),
  warns(
    'login-in-url',
    'a web address with a user name and a password',
    ['https://', 'http://', 'ftp://'],
    /(?:https?|ftp):\/\/[\w.%+-]{1,64}:([^\s/@"'\u0060<>${}():?#,;|&]{4,120})@[\w-]{1,60}\.[\w.-]{2,60}/y,
    (found) => !MADE_UP_LOGIN.test(found),
  ),
];

/** Every kind. What is made for browsers (publishable keys, map keys, project ids) is in none of them. */
export const SECRET_KINDS: readonly SecretKind[] = [
  ...privateKeys,
  ...clouds,
  ...hosts,
  ...messages,
  ...money,
  ...models,
  ...tools,
  ...logins,
];
