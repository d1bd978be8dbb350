/**
 * Whether a stream gets colours: NO_COLOR and `--no-color` say no, FORCE_COLOR says yes, else a terminal that knows them.
 * Source: https://no-color.org, https://force-color.org
 */
export function createColorChoice(
  env: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
): (stream: { readonly isTTY?: boolean }) => boolean {
  if (env.NO_COLOR || argv.includes('--no-color')) return () => false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return () => true;
  return (stream) => stream.isTTY === true && env.TERM !== 'dumb';
}
