import { isCancel, password, select } from '@clack/prompts';
import { terminalText } from '../client/terminalText.ts';
import { InterruptedError } from '../shell.ts';

/** Rows of a list that are shown at once. */
const ROWS = 12;

/** A terminal that nobody has given a size has 0 columns, which would be a line for each letter. */
function sizedStderr(): NodeJS.WriteStream {
  if (!process.stderr.columns) Object.assign(process.stderr, { columns: 80, rows: 24 });
  return process.stderr;
}

/** What a prompt gave. Ctrl-C and Escape end the command. */
function answerOf<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new InterruptedError();
  return answer as Exclude<T, symbol>;
}

/** Asks for one of a list, on stderr: stdout is for results. */
export async function chooseOne(
  message: string,
  options: readonly { readonly value: string; readonly hint?: string | undefined }[],
): Promise<string> {
  const shown = options.map(({ value, hint }) => ({
    value,
    label: terminalText(value, false),
    ...(hint !== undefined && { hint: terminalText(hint, false) }),
  }));
  return answerOf(await select({ message, options: shown, maxItems: ROWS, output: sizedStderr() }));
}

/** Asks for a secret, of which only dots are shown. */
export const askSecret = async (message: string): Promise<string> =>
  answerOf(await password({ message, output: sizedStderr() }));
