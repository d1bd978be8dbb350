import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { imageTag } from '../../contract/names.ts';
import { findLaptopEngine, type HostEnv } from './images.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;

/** Removes the images that builds have left with this machine's container engine; none where there is no engine. */
export function laptopImageRemover(repository: string, hostEnv: HostEnv) {
  return async (projectId: string, deploymentIds: readonly string[]): Promise<number> => {
    const engine = await findLaptopEngine(hostEnv);
    if (!engine) return 0;
    const { kind, file, env } = engine;
    const name = kind === 'buildah' ? '{{.Name}}' : '{{.Repository}}';
    const options = { env: { ...env }, timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await run(file, ['images', '--format', `${name}:{{.Tag}}`], options);
    const wanted = new Set(deploymentIds.map((id) => `${repository}:${imageTag(projectId, id)}`));
    const found = [...new Set(stdout.split('\n'))].filter((tag) => wanted.has(tag));
    if (found.length > 0) await run(file, ['rmi', ...found], options);
    return found.length;
  };
}
