import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeMajor } from '../../../contract/builders.ts';

/**
 * The template of a Node major with the start command as its CMD. Of the user's, only this gets into the Dockerfile itself:
 * as a JSON array on one line, so that no command can become an instruction.
 */
export async function renderDockerfile(templates: string, major: NodeMajor, cmd: readonly string[]): Promise<string> {
  const template = await readFile(join(templates, `Dockerfile_node${major}`, 'Dockerfile'), 'utf8');
  return `${template.trimEnd()}\nCMD ${JSON.stringify(cmd)}\n`;
}
