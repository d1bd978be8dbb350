import { MAX_PATTERN_LENGTH, MAX_SEARCHED_CHARACTERS, type Pattern, parsePattern } from './pattern.ts';

/** Files of a site that are instructions to its server. */
export const RULE_FILES = { redirects: '_redirects', headers: '_headers' } as const;
export const MAX_RULE_FILE_BYTES = 1_000_000;
export const MAX_RULES = 5_000;
/**
 * Files that rules reach: with a larger one `_headers` sends nothing, and a rule with status 200 that shows one redirects
 * to it. On AWS a function answers for sites with rules, and an answer of Lambda has at most 6 MB, in base64.
 */
export const MAX_RULED_FILE_BYTES = 4 * 1_024 * 1_024;

/** A line of a rules file that has no effect. */
export interface IgnoredLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

/** What a rules file holds, and what of it is not honoured. */
export interface RuleFile<Rule> {
  readonly rules: Rule[];
  readonly ignored: IgnoredLine[];
}

/** Reads the patterns of one file and keeps their number and length within what a request can be matched against. */
export class PatternReader {
  #rules = 0;
  #searched = 0;

  /** A reason in words where the rule cannot be taken. */
  read(written: string): Pattern | string {
    if (written.length > MAX_PATTERN_LENGTH) return `the path has more than ${MAX_PATTERN_LENGTH} characters`;
    if (this.#rules >= MAX_RULES) return `the file has more than ${MAX_RULES} rules`;
    const pattern = parsePattern(written);
    if (this.#searched + pattern.searched > MAX_SEARCHED_CHARACTERS)
      return `the file has more than ${MAX_SEARCHED_CHARACTERS} characters of paths with wildcards`;
    this.#rules++;
    this.#searched += pattern.searched;
    return pattern;
  }
}
