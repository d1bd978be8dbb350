import { join } from 'node:path';
import type { LocalEngine } from '../local.ts';
import type { OwnContext } from './prepare.ts';

/** The command line that makes a local image of a repository's own Dockerfile: no secret, no socket, no login of an agent. */
export function localOwnBuild(
  engine: LocalEngine,
  { folder, dockerfile, buildArgs }: OwnContext,
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
    join(folder, dockerfile),
    '--tag',
    image,
    ...pairs('--build-arg', buildArgs),
    ...pairs('--label', labels),
    folder,
  ];
}
