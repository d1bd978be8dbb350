/**
 * Whether a name fits a pattern, in which `*` stands for any characters and `?` for one. In a time that grows with the
 * product of both lengths, whatever they are.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  let [at, place] = [0, 0];
  let star = -1;
  let resume = 0;
  while (at < name.length) {
    if (pattern[place] === '*') {
      star = place++;
      resume = at;
    } else if (place < pattern.length && (pattern[place] === '?' || pattern[place] === name[at])) {
      at++;
      place++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[place] === '*') place++;
  return place === pattern.length;
}
