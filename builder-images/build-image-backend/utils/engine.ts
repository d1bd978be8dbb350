import { access, constants } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { runCommand } from '../../shared/command.ts';

export const LOCAL_ENGINES = ['docker', 'podman', 'buildah'] as const;
export type LocalEngineName = (typeof LOCAL_ENGINES)[number];

/** What makes images here. */
export type Engine =
  | { readonly kind: 'kaniko'; readonly file: string }
  | {
      readonly kind: LocalEngineName;
      readonly file: string;
      /** The whole environment of the program. */
      readonly env: Readonly<Record<string, string>>;
    };

/**
 * Of the laptop's environment: where the engine's daemon, storage, logins and configuration are. Sources: docker(1), the
 * manuals of podman, buildah and containers-storage.conf.
 */
const ENGINE_ENV =
  /^(?:DOCKER_(?:HOST|CONTEXT|CONFIG|CERT_PATH|TLS|TLS_VERIFY|API_VERSION|DEFAULT_PLATFORM)|BUILDX_(?:BUILDER|CONFIG)|CONTAINER_(?:HOST|CONNECTION|SSHKEY)|CONTAINERS_\w+|STORAGE_(?:DRIVER|OPTS)|BUILDAH_(?:ISOLATION|RUNTIME|FORMAT)|REGISTRY_AUTH_FILE|XDG_(?:RUNTIME_DIR|DATA_HOME|CONFIG_HOME|CACHE_HOME)|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|(?:HTTPS?|NO)_PROXY|SSL_CERT_(?:FILE|DIR))$/i;
/** The home of the person who runs Veren, where it is not the one that the system knows. */
const ENGINE_HOME = 'VEREN_ENGINE_HOME';

/** What a laptop's container engine is told of the environment that Veren was started in, for the builder's. */
export function engineVariables(host: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(host).filter(
    (entry): entry is [string, string] => ENGINE_ENV.test(entry[0]) && entry[1] !== undefined && entry[1] !== '',
  );
  return { ...Object.fromEntries(given), ...(host.HOME?.startsWith('/') && { [ENGINE_HOME]: host.HOME }) };
}

/** A daemon that does not answer is as good as none. */
const ANSWER_MS = 5_000;

/**
 * `raw` is the environment that main.sh handed over. HOME is the person's own: the engines keep images, logins and settings
 * there, and the builder's HOME goes with its work folder.
 */
export function engineEnv(raw: Readonly<Record<string, string>>): Record<string, string> {
  const given = Object.entries(raw).filter(([name]) => ENGINE_ENV.test(name));
  return {
    ...Object.fromEntries(given),
    PATH: raw.PATH ?? '',
    HOME: raw[ENGINE_HOME] || personalHome(),
    LC_ALL: 'C',
    DOCKER_BUILDKIT: '1',
  };
}

function personalHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/'; // a user without an entry
  }
}

/**
 * Kaniko where the image has it, else the first of docker, podman and buildah that is there and answers.
 * Throws `VerenError('NO_CONTAINER_BUILDER')`.
 */
export async function findEngine(
  image: { readonly VEREN_KANIKO?: string | undefined },
  raw: Readonly<Record<string, string>>,
): Promise<Engine> {
  if (image.VEREN_KANIKO !== undefined) return { kind: 'kaniko', file: image.VEREN_KANIKO };
  const env = engineEnv(raw);
  const silent: string[] = [];
  for (const kind of LOCAL_ENGINES) {
    const file = await onPath(kind, env.PATH ?? '');
    if (file === null) continue;
    if (await answersCommand(kind, file, env)) return { kind, file, env };
    silent.push(kind);
  }
  const found =
    silent.length === 0
      ? 'none was found'
      : `${silent.join(', ')} ${silent.length > 1 ? 'are' : 'is'} installed but ${silent.length > 1 ? 'do' : 'does'} not answer`;
  throw new VerenError('NO_CONTAINER_BUILDER', { found });
}

async function onPath(name: string, path: string): Promise<string | null> {
  for (const folder of path.split(delimiter)) {
    if (!folder.startsWith('/')) continue;
    const file = join(folder, name);
    const there = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return file;
  }
  return null;
}

/** Docker's client is often installed alone: what counts is its daemon. */
async function answersCommand(
  kind: LocalEngineName,
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  const { exitCode } = await runCommand({
    argv: [file, 'version', ...(kind === 'docker' ? ['--format', '{{.Server.Version}}'] : [])],
    cwd: '/',
    env,
    onOutput: () => undefined,
    signal: AbortSignal.timeout(ANSWER_MS),
    graceMs: 0,
  });
  return exitCode === 0;
}
