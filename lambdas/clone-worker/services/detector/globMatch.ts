/**
 * Workspace patterns: `*` and `?` within one path segment, `**` for any number of segments, `{a,b}`. Written here since
 * patterns come from strangers: time is bounded by pattern length times path length, where a pattern turned into a
 * regular expression can take for ever.
 */
export function globMatches(pattern: string, path: string): boolean {
  const cleaned = pattern.replace(/^\.\//, '').replace(/\/+$/, '');
  if (cleaned.length > 256) return false;
  return expandBraces(cleaned).some((one) => segmentsMatch(one.split('/'), path === '.' ? [] : path.split('/')));
}

const MAX_ALTERNATIVES = 64;

/** `a/{b,c}` → `a/b`, `a/c`. Nested braces are taken from the inside. */
function expandBraces(pattern: string): string[] {
  let open = [pattern];
  for (let round = 0; round < 8; round++) {
    const next = open.flatMap((one) => {
      const group = /\{([^{}]*)\}/.exec(one);
      if (!group) return [one];
      const [before, after] = [one.slice(0, group.index), one.slice(group.index + group[0].length)];
      return group[1]!.split(',').map((choice) => before + choice + after);
    });
    if (next.length > MAX_ALTERNATIVES) return next.slice(0, MAX_ALTERNATIVES);
    if (next.length === open.length) return next;
    open = next;
  }
  return open;
}

/** Dynamic programming over pattern segments: `reach[j]` says whether the pattern so far matches the first j segments. */
function segmentsMatch(pattern: readonly string[], path: readonly string[]): boolean {
  let reach = path.map(() => false);
  reach.unshift(true);
  for (const part of pattern.filter((p) => p !== '.' && p !== '')) {
    const next = reach.map(() => false);
    for (let j = 0; j <= path.length; j++) {
      if (part === '**') next[j] = reach[j]! || (j > 0 && next[j - 1]!);
      else next[j] = j > 0 && reach[j - 1]! && segmentMatches(part, path[j - 1]!);
    }
    reach = next;
  }
  return reach[path.length]!;
}

/** Greedy matching with one point of return: enough for `*` and `?`. A leading dot is only matched by a dot. */
function segmentMatches(pattern: string, text: string): boolean {
  if (text.startsWith('.') && !pattern.startsWith('.')) return false;
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') [star, mark, p] = [p, t, p + 1];
    else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, t, mark] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
