/** A part of a line with one look. */
export interface Span {
  readonly text: string;
  /** Colour of the text: 0 to 15 of the terminal's palette, or `#rrggbb`. */
  readonly color?: number | string;
  /** Colour of the ground, of the palette. */
  readonly ground?: number;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
}

type Look = Omit<Span, 'text'>;

/**
 * The forms of ECMA-48, longest first: string sequences (OSC, DCS, SOS, PM, APC) with their content, CSI sequences, other
 * escapes, then single control characters. The last group is characters that reorder text (Unicode UAX 9).
 */
const CONTROL =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b\[|\u009b)([0-?]*)([ -/]*)([@-~])|\u001b[ -/]*[0-Z\\^-~]|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]|[\u202a-\u202e\u2066-\u2069]/g;

/** A log line as spans. Colours and weights are kept; whatever else a terminal would obey is removed. */
export function parseAnsi(line: string): Span[] {
  const spans: Span[] = [];
  let look: Look = {};
  let from = 0;
  const add = (text: string) => {
    if (text === '') return;
    const last = spans.at(-1);
    // What was between them is gone, so they are one.
    if (last && sameLook(last, look)) spans[spans.length - 1] = { ...last, text: last.text + text };
    else spans.push({ text, ...look });
  };
  for (const match of line.matchAll(CONTROL)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    const [, parameters, intermediates, final] = match;
    if (final === 'm' && intermediates === '' && /^[\d;:]*$/.test(parameters ?? ''))
      look = applySgr(look, parameters ?? '');
  }
  add(line.slice(from));
  return spans;
}

/** A log line without anything that a terminal would obey. */
export const stripAnsi = (line: string): string => line.replace(CONTROL, '');

const sameLook = ({ text: _text, ...a }: Span, b: Look): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Select Graphic Rendition (ECMA-48, 8.3.117). Unknown numbers change nothing. */
function applySgr(before: Look, parameters: string): Look {
  const numbers = parameters.split(/[;:]/).map((n) => (n === '' ? 0 : Number(n)));
  let look: { -readonly [K in keyof Look]: Look[K] } = { ...before };
  for (let i = 0; i < numbers.length; i++) {
    const n = numbers[i]!;
    if (n === 0) look = {};
    else if (n === 1) look.bold = true;
    else if (n === 2) look.dim = true;
    else if (n === 3) look.italic = true;
    else if (n === 4) look.underline = true;
    else if (n === 7) look.inverse = true;
    else if (n === 22) {
      delete look.bold;
      delete look.dim;
    } else if (n === 23) delete look.italic;
    else if (n === 24) delete look.underline;
    else if (n === 27) delete look.inverse;
    else if (n >= 30 && n <= 37) look.color = n - 30;
    else if (n >= 90 && n <= 97) look.color = n - 82;
    else if (n === 39) delete look.color;
    else if (n >= 40 && n <= 47) look.ground = n - 40;
    else if (n >= 100 && n <= 107) look.ground = n - 92;
    else if (n === 49) delete look.ground;
    else if (n === 38 || n === 48) {
      const { color, used } = readColor(numbers.slice(i + 1));
      i += used;
      if (n === 38 && color !== undefined) look.color = color;
      // Grounds of other colours than the palette's would need a text colour that fits; they are left out.
      if (n === 48 && typeof color === 'number') look.ground = color;
    }
  }
  return look;
}

/** `5;n` (256 colours) or `2;r;g;b`. */
function readColor([form, ...rest]: readonly number[]): { color?: number | string; used: number } {
  if (form === 5) {
    const [n] = rest;
    return n !== undefined && n <= 255 ? { color: indexedColor(n), used: 2 } : { used: 2 };
  }
  if (form === 2) {
    const rgb = rest.slice(0, 3);
    return rgb.length === 3 && rgb.every((part) => part <= 255) ? { color: readable(rgb), used: 4 } : { used: 4 };
  }
  return { used: 1 };
}

const CUBE = [0, 95, 135, 175, 215, 255];

/** xterm's 256 colours: the palette, a cube of 6 × 6 × 6, a ramp of greys. */
function indexedColor(n: number): number | string {
  if (n < 16) return n;
  if (n >= 232) return readable(Array(3).fill(8 + (n - 232) * 10));
  const at = n - 16;
  return readable([Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((part) => CUBE[part]!));
}

/** Dark text would not be seen on the log's dark ground, so it is mixed with white until it is. */
function readable(rgb: readonly number[]): string {
  let [r = 0, g = 0, b = 0] = rgb;
  while (luminance(r, g, b) < MIN_LUMINANCE)
    [r, g, b] = [r, g, b].map((part) => part + (255 - part) * 0.15) as [number, number, number];
  return `#${[r, g, b].map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}

/** Gives a contrast of 4.5 : 1 on the log's ground. */
const MIN_LUMINANCE = 0.23;

/** Relative luminance (WCAG 2.2). */
function luminance(...rgb: number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
