import { join } from 'node:path';
import { type BuildFacts, buildFacts } from './build-facts.ts';

/** Variables of the image that a build may need to reach registries: the operator's proxy and certificates. */
const PASSED_THROUGH = [
  'LANG',
  'TZ',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'npm_config_cafile',
  'npm_config_registry',
  'PIP_CERT',
  'PIP_INDEX_URL',
] as const;

export interface UserEnvInput {
  /** The builder's environment as it was handed over. */
  readonly raw: Readonly<Record<string, string>>;
  /** Folder of the build (see `ImageEnvSchema`). */
  readonly work: string;
  /** Folders before the image's PATH: package managers. */
  readonly path: readonly string[];
  /** The user's variables as this command has them (see `install-env.ts`). */
  readonly buildEnv: Readonly<Record<string, string>>;
  readonly cookie: string;
  readonly job: BuildFacts;
}

/** Folders of a build's package managers, below `work/cache`. What is kept between builds is among them. */
export const storeFolders = (work: string) => ({
  npm: join(work, 'cache/npm'),
  pnpm: join(work, 'cache/pnpm'),
  yarn: join(work, 'cache/yarn'),
  yarnBerry: join(work, 'cache/yarn-berry'),
  bun: join(work, 'cache/bun'),
});

/** The whole environment of one of the user's commands: an allowlist, then the user's own variables, then ours. */
export function userEnv(input: UserEnvInput): Record<string, string> {
  const { raw, work } = input;
  const store = storeFolders(work);
  const passed = PASSED_THROUGH.flatMap((name) => (raw[name] === undefined ? [] : [[name, raw[name]] as const]));
  const [cookieName, cookieValue] = input.cookie.split('=') as [string, string];
  // The user may change CI, since some tools treat warnings as errors where it is set.
  const { CI, ...facts } = buildFacts(input.job);
  return {
    LANG: 'C.UTF-8',
    ...Object.fromEntries(passed),
    PATH: [...input.path, raw.PATH].join(':'),
    HOME: join(work, 'home'),
    TMPDIR: join(work, 'tmp'),
    SHELL: '/bin/sh',
    ...(CI !== undefined && { CI }),
    npm_config_cache: store.npm,
    // Builds need neither: an audit costs a request per install, and the other messages only fill the log.
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    // pnpm 9 reads the one, 10 the other; npm would warn of a setting that it does not know.
    ...(input.path.some((folder) => /pnpm@/.test(folder))
      ? { npm_config_store_dir: store.pnpm, pnpm_config_store_dir: store.pnpm }
      : {}),
    // Yarn 1 reads the one, Yarn 2+ the other: a folder of its own for Yarn 2+ would hide a committed .yarn/cache.
    ...(input.path.some((folder) => /yarn@[01](?:[./]|$)/.test(folder)) ? { YARN_CACHE_FOLDER: store.yarn } : {}),
    YARN_GLOBAL_FOLDER: store.yarnBerry,
    YARN_ENABLE_TELEMETRY: '0',
    BUN_INSTALL_CACHE_DIR: store.bun,
    NEXT_TELEMETRY_DISABLED: '1',
    ASTRO_TELEMETRY_DISABLED: '1',
    ...input.buildEnv,
    ...facts,
    [cookieName]: cookieValue,
  };
}
