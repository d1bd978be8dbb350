import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { programPath } from '../../shared/programs.ts';
import type { ImageBuildContext } from './context.ts';
import type { OpenCache } from './layer-cache.ts';

export interface KanikoInput {
  readonly executor: string;
  readonly flags: readonly string[];
  readonly context: ImageBuildContext;
  readonly labels: Readonly<Record<string, string>>;
  /** OCI image layout that is written: a folder that does not exist yet. */
  readonly output: string;
  readonly mirrors: readonly string[];
  readonly insecure: readonly string[];
  /** The project's layers. Null: none are looked for, and none are made. */
  readonly cache: OpenCache | null;
}

/**
 * Kaniko's command line. It only builds: it has no credentials, pushes nothing, and its layer cache is a folder.
 * `--force`: whether this is a container is known here better than its guess from /proc/1/cgroup. Never `--cache-copy-layers`:
 * layers of two steps of the user's must not be unpacked over one another (see the templates, `UNIQUE`).
 */
export function kanikoBuild(input: KanikoInput): [string, ...string[]] {
  const { context } = input;
  const flagPairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return [
    input.executor,
    ...input.flags,
    '--force',
    '--log-format=json',
    `--context=dir://${context.folder}`,
    `--dockerfile=${context.dockerfile}`,
    '--no-push',
    `--oci-layout-path=${input.output}`,
    // Modification times and sizes instead of every file's content.
    '--snapshot-mode=redo',
    '--image-download-retry=2',
    ...input.mirrors.map((mirror) => `--registry-mirror=${mirror}`),
    ...input.insecure.map((registry) => `--insecure-registry=${registry}`),
    ...cacheFlags(input.cache),
    ...flagPairs('--build-arg', { ...context.buildArgs, SHARED_PROCESSES: 'yes', UNIQUE: randomUUID() }),
    ...flagPairs('--label', input.labels),
  ];
}

/**
 * Layers are written where there are none yet: those of the build that follows are of no use to the next one. Never
 * `--single-snapshot`: it looks over the whole file system at the end, and takes in what a step's daemons have left there.
 */
function cacheFlags(cache: OpenCache | null): string[] {
  if (cache === null) return [];
  const flags = ['--cache=true', `--cache-repo=${cache.repository}`, '--compressed-caching=false', '--cache-ttl=336h'];
  return cache.restored ? [...flags, '--no-push-cache'] : flags;
}

/** The whole environment of Kaniko. HOME and DOCKER_CONFIG are empty folders: no credential is found, and none looked for. */
export async function kanikoEnv(raw: Readonly<Record<string, string>>, empty: string): Promise<Record<string, string>> {
  await mkdir(empty, { recursive: true, mode: 0o700 });
  const passed = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const;
  return {
    ...Object.fromEntries(passed.flatMap((name) => (raw[name] === undefined ? [] : [[name, raw[name]]]))),
    PATH: raw.PATH ?? '',
    HOME: empty,
    DOCKER_CONFIG: empty,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Runs it without a way to gain rights again: a set-uid program of the base image gives a user's step nothing. */
export const hardenCommand = (argv: readonly string[], maxProcesses: number): [string, ...string[]] => [
  programPath('prlimit'),
  `--nproc=${maxProcesses}`,
  '--core=0',
  '--',
  programPath('setpriv'),
  '--no-new-privs',
  '--',
  ...argv,
];
