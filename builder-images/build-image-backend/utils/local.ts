import { runCommand } from '../../shared/command.ts';
import type { BuildContext } from './context.ts';
import type { Engine } from './engine.ts';
import type { FoundImage, ImageStore } from './images.ts';

export type LocalEngine = Exclude<Engine, { kind: 'kaniko' }>;

/** The command line that makes a local image of a context. */
export function localBuild(
  engine: LocalEngine,
  context: BuildContext,
  image: string,
  labels: Readonly<Record<string, string>>,
): [string, ...string[]] {
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return [
    engine.file,
    'build',
    ...(engine.kind === 'docker' ? ['--progress=plain'] : ['--layers']),
    '--file',
    context.dockerfile,
    '--tag',
    image,
    ...pairs('--build-arg', context.buildArgs),
    ...pairs('--label', labels),
    ...Object.entries(context.secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
    context.folder,
  ];
}

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
