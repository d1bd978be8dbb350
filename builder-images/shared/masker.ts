import type { JobVariables } from './step-variables.ts';

/** Shorter values are too likely to be ordinary words: masking them would only garble the log. */
export const MIN_SECRET_LENGTH = 8;
/** What the user has called a secret is masked from here on; the API refuses a shorter one. */
const MIN_NAMED_SECRET_LENGTH = 4;
const MASK = '***';

export interface Masker {
  (text: string): string;
  /** Length of the longest masked text, which must be kept beyond a cut so that the mask sees it completely. */
  readonly longest: number;
}

/** The forms in which tools print a value: unchanged, in a URL, in JSON, in base64, and each line of a longer text. */
export function spellingsOf(secret: string): string[] {
  // Half of a surrogate pair has no UTF-8 form, so programs get and print U+FFFD in its place.
  const printable = secret.replace(/\p{Surrogate}/gu, '\ufffd');
  return [
    secret,
    printable,
    ...printable.split(/\r?\n/),
    encodeURIComponent(printable),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ].filter((s) => s.length >= MIN_SECRET_LENGTH);
}

/**
 * A function that replaces every secret in a text by `***`. Works on whole lines, so it does not matter in how many
 * writes a line came. Colour codes inside a secret do not hide it: a viewer would show it whole.
 * @param named Secrets that were called so, which are masked even if they are short.
 */
export function createMasker(secrets: Iterable<string>, named: Iterable<string> = []): Masker {
  const short = [...named].filter((secret) => secret.length >= MIN_NAMED_SECRET_LENGTH);
  const all = [...new Set([...[...secrets, ...short].flatMap(spellingsOf), ...short])].sort(
    (a, b) => b.length - a.length,
  );
  const maskText = (text: string): string => {
    let out = text;
    for (const secret of all) if (out.includes(secret)) out = out.replaceAll(secret, MASK);
    if (!out.includes('\u001b')) return out;
    const plain = out.replace(/\u001b\[[0-9;:]*m/g, '');
    return all.some((secret) => plain.includes(secret)) ? maskText(plain) : out;
  };
  return Object.assign(maskText, { longest: all[0]?.length ?? 0 });
}

/** Variables of the job whose values are secrets of the platform. */
const PLATFORM_SECRETS = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'GIT_TOKEN',
  'KAFKA_PASSWORD',
  'EVENT_SIGNING_KEY',
  'FINGERPRINT_KEY',
] as const;

/**
 * Variables that every tool knows as a setting with public words for values: masking `production` would garble a log and hide
 * nothing. Any other variable may be a secret, whatever its name is.
 */
const PUBLIC_SETTINGS: ReadonlySet<string> = new Set(
  `NODE_ENV BABEL_ENV APP_ENV RAILS_ENV JEKYLL_ENV HUGO_ENV HUGO_ENVIRONMENT ELEVENTY_ENV FLASK_ENV DJANGO_SETTINGS_MODULE
  NODE_OPTIONS LOG_LEVEL LANG LC_ALL TZ HOST PORT`.split(/\s+/),
);

/**
 * What must never be in a log: the platform's secrets, and every variable of the build but those that are public
 * settings by their name or by the word of the user.
 */
export function secretsOf(
  job: { readonly [K in (typeof PLATFORM_SECRETS)[number]]?: string | undefined } & JobVariables & {
      readonly PLAIN_VARIABLES?: readonly string[] | undefined;
    },
): string[] {
  const platform = PLATFORM_SECRETS.map((name) => job[name]).filter((v) => v !== undefined);
  const basic = job.GIT_TOKEN ? [Buffer.from(`x-access-token:${job.GIT_TOKEN}`).toString('base64')] : [];
  const userSecrets = [job.BUILD_ENV, job.INSTALL_ONLY_ENV ?? {}, job.BUILD_ONLY_ENV ?? {}]
    .flatMap((variables) => Object.entries(variables))
    .flatMap(([name, value]) => (PUBLIC_SETTINGS.has(name) || job.PLAIN_VARIABLES?.includes(name) ? [] : [value]));
  return [...platform, ...basic, ...userSecrets];
}

/** Values that the user has called secrets, whatever the names of their variables are. */
export const namedSecretsOf = (job: JobVariables): string[] =>
  [job.BUILD_ENV, job.INSTALL_ONLY_ENV ?? {}, job.BUILD_ONLY_ENV ?? {}]
    .flatMap((variables) => Object.entries(variables))
    .flatMap(([name, value]) => (job.SECRET_VARIABLES?.includes(name) ? [value] : []));
