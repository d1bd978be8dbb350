import { isUtf8 } from 'node:buffer';
import { VerenError } from '../../../contract/errors.ts';

/** Objects and arrays inside one another; deliveries of the known hosts have fewer than ten. */
const MAX_DEPTH = 32;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

function isTooDeep(body: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (inText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (OPENING.has(byte) && ++depth > MAX_DEPTH) return true;
    else if (CLOSING.has(byte)) depth--;
  }
  return false;
}

/** The JSON of a delivery whose signature was checked. Throws MALFORMED_JSON. */
export function parseDelivery(body: Uint8Array): unknown {
  const malformed = (reason: string) => new VerenError('MALFORMED_JSON', { reason });
  if (!isUtf8(body)) throw malformed('it is not UTF-8');
  if (isTooDeep(body)) throw malformed(`it has more than ${MAX_DEPTH} levels of objects and arrays`);
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw malformed('it cannot be parsed; the content type of the hook must be application/json');
  }
}
