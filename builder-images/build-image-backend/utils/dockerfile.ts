import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendEnv } from '../../../contract/builder-env.ts';

/** The folder of a runtime's template. Node has one for each major. */
export const templateOf = ({ RUNTIME, NODE_VERSION }: Pick<BackendEnv, 'RUNTIME' | 'NODE_VERSION'>): string =>
  RUNTIME === 'node' ? `Dockerfile_node${NODE_VERSION}` : `Dockerfile_${RUNTIME}`;

/**
 * A template with the start command as its CMD. Of the user's, only this gets into the Dockerfile itself:
 * as a JSON array on one line, so that no command can become an instruction.
 */
export async function renderDockerfile(templates: string, folder: string, cmd: readonly string[]): Promise<string> {
  const template = await readFile(join(templates, folder, 'Dockerfile'), 'utf8');
  return `${template.trimEnd()}\nCMD ${JSON.stringify(cmd)}\n`;
}
