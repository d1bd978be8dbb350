/** A set of whole numbers as sorted, disjoint ranges, which is small when numbers come nearly in order. */
export class Ranges {
  readonly #ranges: [from: number, to: number][] = [];
  size = 0;

  /** False where the number was there before. */
  add(n: number): boolean {
    const at = this.#lastFrom(n);
    const before = this.#ranges[at];
    if (before && n <= before[1]) return false;
    const after = this.#ranges[at + 1];
    const joinsBefore = before?.[1] === n - 1;
    const joinsAfter = after?.[0] === n + 1;
    if (joinsBefore && joinsAfter) {
      before[1] = after[1];
      this.#ranges.splice(at + 1, 1);
    } else if (joinsBefore) before[1] = n;
    else if (joinsAfter) after[0] = n;
    else this.#ranges.splice(at + 1, 0, [n, n]);
    this.size++;
    return true;
  }

  has(n: number): boolean {
    const range = this.#ranges[this.#lastFrom(n)];
    return range !== undefined && n <= range[1];
  }

  /** Index of the last range that starts at `n` or before; -1 where none does. */
  #lastFrom(n: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]![0] <= n) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
