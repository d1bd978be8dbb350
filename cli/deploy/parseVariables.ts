import { VerenError } from '../../contract/errors.ts';
import { ENV_NAME } from '../../contract/variables.ts';

/**
 * `NAME=value` as it is; `NAME` alone takes its value from the environment, so that a secret need not be in a command
 * line, which other users of the machine can read. Throws CLI_USAGE, without the value.
 */
export function parseVariables(
  given: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  help: string,
): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      const name = at < 0 ? text : text.slice(0, at);
      if (!ENV_NAME.test(name))
        throw new VerenError('CLI_USAGE', { reason: 'a variable is given as NAME=value or NAME.', help });
      const value = at < 0 ? env[name] : text.slice(at + 1);
      if (value === undefined)
        throw new VerenError('CLI_USAGE', { reason: `the environment has no variable ${name}.`, help });
      return [name, value];
    }),
  );
}
