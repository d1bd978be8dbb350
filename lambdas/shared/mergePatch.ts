type Json = null | boolean | number | string | readonly unknown[] | { readonly [name: string]: unknown };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Applies a JSON merge patch: objects are merged, `null` removes, anything else replaces. Source: RFC 7396. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch as Json;
  // A map, since a name such as `__proto__` is a field like any other.
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch))
    if (value === null) merged.delete(name);
    else merged.set(name, applyMergePatch(merged.get(name), value));
  return Object.fromEntries(merged);
}
