import { isUtf8 } from 'node:buffer';
import type { Problem } from '../../../contract/api.ts';

type Fault = NonNullable<Problem['errors']>[number];

export type JsonBody =
  | { readonly kind: 'good' }
  /** No JSON at all. */
  | { readonly kind: 'malformed'; readonly reason: string }
  /** JSON that parsers read differently, or that no field of this API can hold. */
  | { readonly kind: 'unsound'; readonly faults: Fault[] };

/** Objects and arrays inside one another; no body of this API needs more than four. */
const MAX_DEPTH = 20;
const MAX_FAULTS = 50;
/** Names that reach an object's prototype in JavaScript. Zod would drop them without an error. */
const PROTOTYPE_NAMES = new Set(['__proto__', 'constructor', 'prototype']);
const LONE_SURROGATE = /\p{Surrogate}/u;
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/gs;

interface Frame {
  /** Names seen so far; absent in an array. */
  readonly names?: Set<string>;
  name: string | number;
  expectsName: boolean;
}

/**
 * Finds what `JSON.parse` accepts but parsers read differently: names given twice, names of the prototype, strings
 * without a UTF-8 form, NUL, very deep nesting, bytes that are not UTF-8. Returns every fault with its place.
 */
export function checkJson(bytes: Uint8Array): JsonBody {
  if (!isUtf8(bytes)) return { kind: 'malformed', reason: 'it is not UTF-8' };
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  try {
    JSON.parse(text);
  } catch {
    // The parser's own message may quote the body, and with it a secret.
    return { kind: 'malformed', reason: text.trim() === '' ? 'it is empty' : 'it cannot be parsed' };
  }
  const faults: Fault[] = [];
  const frames: Frame[] = [];
  const placeOf = () => frames.map(({ name }) => name).join('.');
  const addFault = (message: string) => void (faults.length < MAX_FAULTS && faults.push({ field: placeOf(), message }));
  for (const [token] of text.matchAll(TOKENS)) {
    const frame = frames.at(-1);
    if (token === '{' || token === '[') {
      if (frames.length >= MAX_DEPTH)
        return { kind: 'malformed', reason: `it has more than ${MAX_DEPTH} levels of objects and arrays` };
      frames.push(token === '{' ? { names: new Set(), name: '', expectsName: true } : { name: 0, expectsName: false });
    } else if (token === '}' || token === ']') frames.pop();
    else if (token === ',') {
      if (frame?.names) frame.expectsName = true;
      else if (frame) frame.name = Number(frame.name) + 1;
    } else {
      const value = JSON.parse(token) as string;
      if (frame?.names && frame.expectsName) {
        frame.expectsName = false;
        frame.name = value;
        if (frame.names.has(value)) addFault('is given more than once');
        if (PROTOTYPE_NAMES.has(value)) addFault('is not allowed as a name');
        frame.names.add(value);
      }
      if (LONE_SURROGATE.test(value)) addFault('holds half of a surrogate pair, which is no character');
      if (value.includes('\0')) addFault('must not contain a NUL character');
    }
  }
  return faults.length > 0 ? { kind: 'unsound', faults } : { kind: 'good' };
}
