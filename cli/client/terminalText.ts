/**
 * The forms of ECMA-48, longest first: string sequences (OSC, DCS, SOS, PM, APC) with their content, CSI sequences, other
 * escapes, then single control characters. The last group is characters that reorder text (Unicode UAX 9).
 */
const CONTROL =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b\[|\u009b)([0-?]*)([ -/]*)([@-~])|\u001b[ -/]*[0-Z\\^-~]|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]|[\u202a-\u202e\u2066-\u2069]/g;
const RESET = '\u001b[0m';

/**
 * Makes text from elsewhere (a log line, a path, an error) safe for the user's terminal, as one line: colours stay
 * where `color` is true; sequences that move the cursor, rename the window, answer on stdin or reorder text are
 * removed. A line with colours ends with a reset.
 */
export function terminalText(text: string, color: boolean): string {
  let colored = false;
  const clean = text.replace(
    CONTROL,
    (_whole, parameters: string | undefined, intermediates: string | undefined, final: string | undefined) => {
      const isColor = final === 'm' && intermediates === '' && /^[0-9;:]{0,64}$/.test(parameters ?? '');
      if (!color || !isColor) return '';
      colored = true;
      return `\u001b[${parameters}m`;
    },
  );
  return colored ? clean + RESET : clean;
}
