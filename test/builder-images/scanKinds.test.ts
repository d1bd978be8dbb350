import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SecretFinder } from '../../builder-images/builder-image-frontend/utils/scan/find.ts';
import { SECRET_KINDS } from '../../builder-images/builder-image-frontend/utils/scan/kinds.ts';

/** What each kind finds. Samples are put together here, so that no scanner takes this file for a leak. */
let state = 7;
/** Characters without a pattern, the same in every run. */
function chars(alphabet: string, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += alphabet[Math.floor((state / 2_147_483_648) * alphabet.length)];
  }
  return text;
}
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGITS = '0123456789';
const ALNUM = `${UPPER}${UPPER.toLowerCase()}${DIGITS}`;
const word = (length: number) => `aB3${chars(ALNUM, length - 3)}`;
const hex = (length: number) => `a1${chars('0123456789abcdef', length - 2)}`;
const digits = (length: number) => `17${chars(DIGITS, length - 2)}`;
const upper = (length: number) => `Q2${chars(UPPER + DIGITS, length - 2)}`;
const jwt = (claims: object) =>
  `${['{"alg":"HS256","typ":"JWT"}', JSON.stringify(claims)]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')}.${word(43)}`;
const pem = (type: 'rsa' | 'ec') =>
  type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 1_024 })
        .privateKey.export({ type: 'pkcs1', format: 'pem' })
        .toString()
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const header = (name: string) => `-----BEGIN ${name}-----`;

const samples: Record<string, readonly string[]> = {
  'private-key': [
    pem('rsa'),
    pem('ec'),
    JSON.stringify(pem('rsa')),
    JSON.stringify(JSON.stringify(pem('ec'))),
    pem('rsa').replaceAll('\n', '\r\n'),
    `"${pem('ec').trim().split('\n').join('\\n"+"')}"`,
    `${header(`RSA PRIVATE ${'KEY'}`)}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${hex(32)}\n\n${word(64)}\n`,
    `${header(`PGP PRIVATE ${'KEY'} BLOCK`)}\nVersion: GnuPG v2\n\n${word(64)}\n`,
    `${header(`PGP PRIVATE ${'KEY'} BLOCK`)}\nComment: Ada's key\n\n${word(64)}\n`,
    `['${header(`RSA PRIVATE ${'KEY'}`)}', 'Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,${hex(32)}', '${word(64)}']`,
    `'${header(`RSA PRIVATE ${'KEY'}`)}\\n' +\n  'Proc-Type: 4,ENCRYPTED\\n' + '${word(64)}'`,
    `${header(`OPENSSH PRIVATE ${'KEY'}`)}\n${word(70)}\n`,
  ],
  'private-key-base64': [Buffer.from(pem('rsa')).toString('base64'), Buffer.from(pem('ec')).toString('base64')],
  'private-key-putty': [`PuTTY-User-Key-File-${3}: ssh-ed25519`],
  'private-key-age': [`AGE-SECRET-KEY-1${upper(58)}`],
  'aws-access-key': [`AKIA${upper(16)}`, `"ASIA${upper(16)}"`],
  'aws-secret-key': [
    `aws_secret_access_key = ${word(40)}`,
    `"secretAccessKey":"${word(40)}"`,
    `AWS_SECRET_ACCESS_KEY=${word(40)}`,
    `secretAccessKey: '${word(40)}'`,
  ],
  'gcp-service-account': [
    `"private_key_id": "${hex(40)}"`,
    JSON.stringify(JSON.stringify({ private_key_id: hex(40) })),
  ],
  'gcp-oauth-secret': [`GOCSPX-${word(28)}`],
  'gcp-access-token': [`ya29.${word(80)}`],
  'azure-storage-key': [`AccountKey=${word(86)}==`, `SharedAccessKey=${word(43)}=`],
  'azure-client-secret': [`"${'abc8'}Q~${word(34)}"`],
  'digitalocean-token': [`dop_v1_${hex(64)}`],
  'alibaba-access-key': [`LTAI${word(20)}`],
  'vercel-token': [`vcp_${word(24)}`],
  'netlify-token': [`nfp_${word(36)}`],
  'heroku-key': [`HRKU-AA${word(58)}`],
  'fly-token': [`FlyV1 fm2_${word(80)}`],
  'github-token': [`ghp_${word(36)}`, `ghs_${word(36)}`, `github_pat_${word(22)}_${word(59)}`],
  'gitlab-token': [`glpat-${word(20)}`, `glrt-${word(20)}`],
  'bitbucket-token': [`ATBB${word(32)}`, `ATATT3xFf${word(180)}`],
  'npm-token': [`npm_${word(36)}`, `//registry.example.org/:_authToken=${word(36)}`],
  'pypi-token': [`pypi-AgE${word(80)}`],
  'rubygems-key': [`rubygems_${hex(48)}`],
  'docker-token': [`dckr_pat_${word(27)}`],
  'slack-token': [`xoxb-${digits(12)}-${digits(12)}-${word(24)}`, `xapp-1-${upper(11)}-${digits(13)}-${hex(64)}`],
  'slack-webhook': [`https://hooks.slack.com/services/T${upper(10)}/B${upper(10)}/${word(24)}`],
  'telegram-token': [`"${digits(10)}:AA${word(33)}"`],
  'sendgrid-key': [`SG.${word(22)}.${word(43)}`],
  'brevo-key': [`xkeysib-${hex(64)}-${word(16)}`],
  'resend-key': [`re_${word(8)}_${word(24)}`],
  'fcm-server-key': [`AAAA${word(7)}:APA91b${word(134)}`],
  'mailgun-key': [`key-${hex(32)}`],
  'mailchimp-key': [`${hex(32)}-us21`],
  'twilio-key': [`SK${hex(32)}`],
  'discord-webhook': [`https://discord.com/api/webhooks/${digits(18)}/${word(68)}`],
  'stripe-secret-key': [`sk_live_${word(24)}`, `rk_test_${word(99)}`],
  'stripe-webhook-secret': [`whsec_${word(32)}`],
  'shopify-token': [`shpat_${hex(32)}`],
  'square-token': [`sq0atp-${word(22)}`, `sq0csp-${word(43)}`],
  'paypal-token': [`access_token$production$${hex(16)}$${hex(32)}`],
  'openai-key': [`sk-proj-${word(74)}`, `sk-${word(20)}T3BlbkFJ${word(20)}`],
  'anthropic-key': [`sk-ant-api03-${word(93)}AA`],
  'openrouter-key': [`sk-or-v1-${hex(64)}`],
  'huggingface-token': [`hf_${word(34)}`],
  'groq-key': [`gsk_${word(52)}`],
  'replicate-token': [`r8_${word(37)}`],
  'supabase-secret-key': [`sb_secret_${word(31)}`, `sbp_${hex(40)}`],
  'mapbox-secret-token': [`sk.eyJ1${word(60)}.${word(22)}`],
  'sentry-token': [`sntrys_eyJ${word(100)}`, `sntryu_${hex(64)}`],
  'posthog-personal-key': [`phx_${word(43)}`],
  'newrelic-key': [`NRAK-${upper(27)}`],
  'grafana-token': [`glsa_${word(32)}_${hex(8)}`],
  'vault-token': [`hvs.${word(95)}`, `${word(14)}.atlasv1.${word(67)}`],
  'pulumi-token': [`pul-${hex(40)}`],
  'databricks-token': [`dapi${hex(32)}`],
  'planetscale-password': [`pscale_pw_${word(43)}`],
  'doppler-token': [`dp.st.dev.${word(43)}`, `dp.pt.${word(43)}`],
  '1password-token': [`ops_eyJ${word(200)}`],
  'notion-token': [`ntn_${digits(11)}${word(35)}`],
  'linear-key': [`lin_api_${word(40)}`],
  'figma-token': [`figd_${word(40)}`],
  'airtable-token': [`pat${word(14)}.${hex(64)}`],
  'contentful-token': [`CFPAT-${word(43)}`],
  'supabase-service-role': [jwt({ iss: 'supabase', role: 'service_role', exp: 1 })],
  jwt: [jwt({ sub: '1234567890', admin: true })],
  'database-url': [
    `postgres://app:${word(12)}@db.internal:5432/app`,
    `mongodb+srv://u:${word(16)}@cluster0.mongodb.net`,
  ],
  'login-in-url': [`https://deploy:${word(12)}@git.company.com/x.git`],
};

const found = (text: string) => {
  const finder = new SecretFinder();
  finder.write(text);
  return finder.end().map(({ kind }) => kind.id);
};

test('the table of the document names every kind with its effect, and no other', () => {
  const text = readFileSync(join(__dirname, '../../docs/decisions/output-secrets.md'), 'utf8');
  const between = (from: string, to: string) => text.slice(text.indexOf(from), text.indexOf(to));
  const named = (rows: string) => [...rows.matchAll(/`([a-z0-9]+(?:-[a-z0-9]+)*)`/g)].map(([, id]) => id).sort();
  const kinds = (effect: string) => SECRET_KINDS.filter((kind) => kind.effect === effect).map(({ id }) => id);
  expect(named(between('| found, fails |', '| **found, warns** |'))).toEqual(kinds('fails').sort());
  expect(named(between('| **found, warns** |', '| **for browsers: neither** |'))).toEqual(kinds('warns').sort());
  expect(kinds('fails').length).toBeGreaterThanOrEqual(15);
});

test('there is a sample of every kind', () => {
  expect(Object.keys(samples).sort()).toEqual(SECRET_KINDS.map(({ id }) => id).sort());
  expect(SECRET_KINDS.filter(({ effect }) => effect === 'fails').length).toBeGreaterThan(50);
});

describe.each(Object.entries(samples))('%s', (id, texts) => {
  test.each([
    ['alone', (text: string) => text],
    [
      'in minified code',
      (text: string) =>
        `${'a=b(c),'.repeat(2_000)}${/["\n]/.test(text) ? text : `x="${text}"`};${'y(),'.repeat(2_000)}`,
    ],
    ['in a config file', (text: string) => `first: 1\nKEY: ${text}\nlast: 2\n`],
  ])('%s', (_, place) => {
    for (const text of texts) expect(found(place(text))).toContain(id);
  });

  test('not within a longer word, not where it is made up', () => {
    for (const text of texts) {
      if (/^[\w-]+$/.test(text) && !/^(?:PuTTY|[0-9a-f]{32}-us)/.test(text))
        expect(found(`Zz9${text}`)).not.toContain(id);
      if (/^[A-Za-z]{2,6}[_-][A-Za-z0-9]+$/.test(text))
        expect(found(text.replace(/(?<=[_-])[A-Za-z0-9]+$/, (w) => 'x'.repeat(w.length)))).toEqual([]);
    }
  });
});

test('what is made for browsers, and what manuals print, is no find', () => {
  const none = [
    `pk_live_${word(99)}`,
    `pk_test_${word(24)}`,
    `AIza${word(35)}`,
    JSON.stringify({
      apiKey: `AIza${word(35)}`,
      authDomain: 'x.firebaseapp.com',
      appId: '1:123456789012:web:abcdef0123456789',
    }),
    `https://${hex(32)}@o12345.ingest.sentry.io/67890`,
    `https://${hex(32)}:${hex(32)}@sentry.example.com/2`,
    `posthog.init("phc_${word(43)}")`,
    `algoliasearch("ABCDE12345", "${hex(32)}")`,
    `mapboxgl.accessToken = "pk.eyJ1${word(40)}.${word(22)}"`,
    jwt({ iss: 'supabase', role: 'anon', exp: 1 }),
    `sb_publishable_${word(31)}`,
    `sq0idp-${word(22)}`,
    `ca-pub-${digits(16)}`,
    `G-${upper(10)} UA-12345678-1 GTM-ABC123 ${digits(12)}-${word(32)}.apps.googleusercontent.com`,
    `NRJS-${hex(19)}`,
    `https://bucket.s3.amazonaws.com/a.png?X-Amz-Credential=AKIA${upper(16)}%2F20260101%2Fus-east-1&X-Amz-Signature=${hex(64)}`,
    'AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    `sk_test_${'4eC39HqLyjWDarjtT1zdp7dc'}`,
    `AccountKey=${'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw'}==`,
    'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx npm_000000000000000000000000000000000000',
    `const PEM = "${header(`PRIVATE ${'KEY'}`)}"; if (key.includes("${header(`RSA PRIVATE ${'KEY'}`)}")) { return atob(key.slice(1)) }`,
    `${header(`PRIVATE ${'KEY'}`)}\n...\n`,
    `${header('CERTIFICATE')}\n${word(64)}`,
    `${header('PUBLIC KEY')}\n${word(64)}`,
    'postgres://user:password@localhost:5432/db mysql://root:root@db/x postgres://u:<password>@host/db redis://:$PASS@cache',
    `https://user:pass@example.com/ https://${'$'}{user}:${'$'}{password}@host.org/x http://localhost:3000 https://a.b/c:d@e`,
    'see https://medium.com/@someone/title-1a2b3c4d5e6f and https://unpkg.com/react@18.2.0/umd/react.js',
    `integrity="sha512-${word(86)}=="`,
    `data:font/woff2;base64,${word(5_000)}`,
    `{"mappings":"AAAA,SAAS,EAAE,CAAC;EAAA,${'AACA,SAAKE;'.repeat(500)}"}`,
  ];
  for (const text of none) expect([text.slice(0, 60), found(text)]).toEqual([text.slice(0, 60), []]);
});

test('however a text is cut into parts, the finds and their lines are the same', () => {
  const lines = Object.values(samples)
    .flat()
    .filter((text) => !text.includes('\n'));
  const text = lines.map((line, i) => `${'-'.repeat((i * 997) % 3_000)} ${line}`).join('\n');
  const whole = new SecretFinder();
  whole.write(text);
  const wanted = whole.end().map(({ kind, line }) => `${kind.id}:${line}`);
  expect(new Set(wanted.map((find) => find.split(':')[0])).size).toBeGreaterThan(50);
  for (const size of [1_000, 4_096, 5_003, 65_536]) {
    const finder = new SecretFinder();
    for (let at = 0; at < text.length; at += size) finder.write(text.slice(at, at + size));
    expect(finder.end().map(({ kind, line }) => `${kind.id}:${line}`)).toEqual(wanted);
  }
});

test('of many finds few are kept, and a key behind them is found', () => {
  const urls = Array.from({ length: 300 }, (_, i) => `https://ada:${word(12)}@host${i}.org/`).join('\n');
  const finds = found(`${urls}\n${samples['stripe-secret-key']![0]}`);
  expect(finds).toHaveLength(51);
  expect(finds.at(-1)).toBe('stripe-secret-key');
});

test('texts that are made to be slow take time in proportion to their length', () => {
  const hostile = [
    ...SECRET_KINDS.flatMap(({ starts }) => starts),
    `${header(`RSA PRIVATE ${'KEY'}`)}\n`,
    `${header(`RSA PRIVATE ${'KEY'}`)}\nProc-Type: 4,ENCRYPTED\n`,
    `${header(`RSA PRIVATE ${'KEY'}`)} ${`Aaa:${' '.repeat(8)}`.repeat(20)}!`,
    `${header(`RSA PRIVATE ${'KEY'}`)} ${"Aaa: a',  ".repeat(30)}!`,
    `${header(`RSA PRIVATE ${'KEY'}`)} ${'Aaa: a\\n  '.repeat(30)}!`,
    'eyJaaaaaaaaaaaa.eyJ',
    `eyJaaaaaaaaaaaa.eyJ${'a'.repeat(1_200)}.`,
    'postgres://a:',
    'postgres://',
    'http://a:aaaa',
    'secretAccessKey="',
    'aaa8Q~',
    '1234567890:AA',
    '.atlasv1.a',
    '\n',
  ];
  const time = (unit: string, length: number) => {
    const text = unit.repeat(Math.ceil(length / unit.length));
    const started = process.cpuUsage();
    found(text);
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1_000;
  };
  // A pattern without bound needs minutes for these.
  const slow = hostile.map((unit) => ({ unit, ms: time(unit, 500_000) })).filter(({ ms }) => ms > 3_000);
  expect(slow).toEqual([]);
});
