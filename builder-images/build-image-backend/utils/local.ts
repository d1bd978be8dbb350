import { VerenError } from '../../../contract/errors.ts';
import { runCommand } from '../../shared/command.ts';
import type { ImageBuildContext } from './context.ts';
import type { Engine } from './engine.ts';
import type { FoundImage, ImageStore } from './images.ts';

export type LocalEngine = Exclude<Engine, { kind: 'kaniko' }>;

/** The command line that makes a local image of a context. */
export function localBuild(
  engine: LocalEngine,
  context: ImageBuildContext,
  image: string,
  labels: Readonly<Record<string, string>>,
): [string, ...string[]] {
  const flagPairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return [
    engine.file,
    'build',
    ...(engine.kind === 'docker' ? ['--progress=plain'] : ['--layers']),
    '--file',
    context.dockerfile,
    '--tag',
    image,
    ...flagPairs('--build-arg', context.buildArgs),
    ...flagPairs('--label', labels),
    ...Object.entries(context.secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
    context.folder,
  ];
}

/** A local image is there for all to see as soon as it has its name, so until then it has another. */
export const localNames = (repository: string, tag: string) => ({
  published: `${repository}:${tag}`,
  unpublished: `${repository}:${tag}.unpublished`,
});

/** Gives an image its second name. Throws `VerenError('IMAGE_BUILD_FAILED')`. */
export async function localTag(engine: LocalEngine, from: string, to: string, signal: AbortSignal): Promise<void> {
  const { exitCode } = await runQuietly(engine, ['tag', from, to], signal);
  signal.throwIfAborted();
  if (exitCode !== 0)
    throw new VerenError('IMAGE_BUILD_FAILED', { reason: `${engine.kind} tag ended with exit code ${exitCode}` });
}

/** Takes a name away; the image goes with its last one. A name that stays is in nobody's way: the next attempt moves it. */
export const localUntag = (engine: LocalEngine, name: string) =>
  runQuietly(engine, ['rmi', name], AbortSignal.timeout(UNTAG_MS)).catch(() => undefined);

const UNTAG_MS = 10_000;
const runQuietly = (engine: LocalEngine, args: readonly string[], signal: AbortSignal) =>
  runCommand({ argv: [engine.file, ...args], cwd: '/', env: engine.env, signal, onOutput: () => undefined });

/** The images that a local engine holds. */
export function localImages(engine: LocalEngine, repository: string, signal: AbortSignal): ImageStore {
  return {
    async find(tag) {
      const image = `${repository}:${tag}`;
      const output: Buffer[] = [];
      const { exitCode } = await runCommand({
        argv:
          engine.kind === 'buildah'
            ? [engine.file, 'inspect', '--type', 'image', image]
            : [engine.file, 'image', 'inspect', '--format', '{{json .}}', image],
        cwd: '/',
        env: engine.env,
        signal,
        onOutput: (stream, chunk) => {
          if (stream === 'stdout') output.push(chunk);
        },
      });
      if (exitCode !== 0) return null;
      const told = JSON.parse(Buffer.concat(output).toString('utf8')) as Inspected;
      return engine.kind === 'buildah' ? fromBuildah(told) : fromDocker(told);
    },
  };
}

interface Inspected {
  // docker and podman
  readonly Id?: string;
  readonly Digest?: string;
  readonly Size?: number;
  readonly Config?: { readonly Labels?: Record<string, string> | null } | string;
  // buildah
  readonly FromImageDigest?: string;
  readonly Manifest?: string;
  readonly OCIv1?: { readonly config?: { readonly Labels?: Record<string, string> } };
}

const asDigest = (id: string) => (id.startsWith('sha256:') ? id : `sha256:${id}`);

/** Docker has no manifest digest of an image that was never pushed: its id stands for it. */
function fromDocker(told: Inspected): FoundImage {
  const config = typeof told.Config === 'object' ? told.Config : {};
  return { digest: asDigest(told.Digest || told.Id || ''), bytes: told.Size ?? 0, labels: config.Labels ?? {} };
}

function fromBuildah(told: Inspected): FoundImage {
  const manifest = JSON.parse(told.Manifest ?? '{}') as { config?: { size: number }; layers?: { size: number }[] };
  const bytes = (manifest.config?.size ?? 0) + (manifest.layers ?? []).reduce((sum, layer) => sum + layer.size, 0);
  return { digest: told.FromImageDigest ?? '', bytes, labels: told.OCIv1?.config?.Labels ?? {} };
}
