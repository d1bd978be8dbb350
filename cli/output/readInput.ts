import { VerenError } from '../../contract/errors.ts';
import type { Shell } from '../shell.ts';

/** What was piped into the command, without the line feed at its end. Throws CLI_USAGE for more than `limit` characters. */
export async function readInput({ stdin }: Pick<Shell, 'stdin'>, limit: number, help: string): Promise<string> {
  stdin.setEncoding('utf8');
  let text = '';
  for await (const chunk of stdin) {
    text += chunk;
    if (text.length > limit)
      throw new VerenError('CLI_USAGE', { reason: `what was piped in is longer than ${limit} characters.`, help });
  }
  return text.replace(/\r?\n$/, '');
}
