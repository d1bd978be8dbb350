import { InvalidArgumentError } from 'commander';

/** A whole number within bounds. Commander says which option it is of. */
export const parseCount =
  (min: number, max: number) =>
  (text: string): number => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
  };

/** One of a few words, or several with commas between them or by repeating the option. */
export const parseWords =
  <W extends string>(words: readonly W[]) =>
  (text: string, before: readonly W[] | undefined): W[] => {
    const given = text.split(',').map((word) => word.trim());
    const known = given.filter((word): word is W => (words as readonly string[]).includes(word));
    if (known.length < given.length) throw new InvalidArgumentError(`It is one of ${words.join(', ')}.`);
    return [...new Set([...(before ?? []), ...known])];
  };

/** Values of an option that may be given again and again. */
export const collectValues = (value: string, before: readonly string[] = []): string[] => [...before, value];
