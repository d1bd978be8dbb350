/** `1 file`, `4 files`: how many, with the noun in its form. */
export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
