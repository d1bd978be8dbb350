import { headersFor, parseHeaders } from '../../../contract/site-rules/headerRules.ts';
import { parseRedirects } from '../../../contract/site-rules/redirectRules.ts';
import {
  type IgnoredLine,
  MAX_RULE_FILE_BYTES,
  MAX_RULED_FILE_BYTES,
  RULE_FILES,
} from '../../../contract/site-rules/ruleFile.ts';
import { type RuleOrder, ruleOrderOf } from '../../../contract/site-rules/ruleOrder.ts';
import { HashThreads } from './hash-threads.ts';
import { readOutput } from './read.ts';
import { SecretFinder } from './scan/find.ts';
import { list } from './scan/inspect.ts';
import type { OutputFile } from './walk.ts';

/** Lines that are told one by one; a file of another kind under that name would fill the log. */
const MAX_TOLD = 20;
const MAX_TEXT = 120;

/** What a site's `_headers` and `_redirects` mean for its server. */
export interface SiteRuling {
  /** Sentences for what they say and will not be honoured. */
  readonly warnings: string[];
  readonly order: RuleOrder | undefined;
}

export async function readRules(files: readonly OutputFile[]): Promise<SiteRuling> {
  const warnings: string[] = [];
  const textOf = async (name: string) => {
    const file = files.find(({ path }) => path === name);
    if (!file) return '';
    if (file.size <= MAX_RULE_FILE_BYTES) return readText(file);
    warnings.push(`${name} has no effect: it is larger than ${MAX_RULE_FILE_BYTES} bytes`);
    return '';
  };
  const headers = parseHeaders(await textOf(RULE_FILES.headers));
  const redirects = parseRedirects(await textOf(RULE_FILES.redirects));
  warnings.push(...linesOf(RULE_FILES.headers, headers.ignored), ...linesOf(RULE_FILES.redirects, redirects.ignored));
  const unreached = files.filter(
    ({ path, size }) => size > MAX_RULED_FILE_BYTES && headersFor(headers.rules, `/${path}`, false).size > 0,
  );
  if (unreached.length > 0)
    warnings.push(
      `${RULE_FILES.headers} has no effect on files of more than ${MAX_RULED_FILE_BYTES} bytes: ${list(
        unreached.map(({ path }) => path),
        MAX_TOLD,
      )}`,
    );
  return { warnings, order: ruleOrderOf({ redirects: redirects.rules, headers: headers.rules }) };
}

async function readText(file: OutputFile): Promise<string> {
  const hashing = new HashThreads();
  try {
    return (await readOutput(file, hashing)).body?.toString('utf8') ?? '';
  } finally {
    hashing.close();
  }
}

function linesOf(name: string, ignored: readonly IgnoredLine[]): string[] {
  const told = ignored.slice(0, MAX_TOLD).map(({ line, text, reason }) => {
    const shown = withoutSecrets(text);
    const cut = shown.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT)}…` : shown;
    return `${name} line ${line} has no effect: ${reason}${cut === '' ? '' : `: ${cut}`}`;
  });
  const more = ignored.length - told.length;
  return more > 0 ? [...told, `${name}: ${more} more lines have no effect`] : told;
}

/** The line as whoever follows the build may see it: keys of other servers stand in logins and queries of proxies. */
function withoutSecrets(text: string): string {
  const finder = new SecretFinder();
  finder.write(text);
  if (finder.end().length > 0) return '';
  return text.replace(/\/\/[^\s/]*@/g, '//…@').replace(/\?\S*/g, '?…');
}
