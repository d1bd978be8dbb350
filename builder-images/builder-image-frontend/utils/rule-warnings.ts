import { parseHeaders } from '../../../contract/site-rules/headerRules.ts';
import { parseRedirects } from '../../../contract/site-rules/redirectRules.ts';
import { type IgnoredLine, MAX_RULE_FILE_BYTES, RULE_FILES } from '../../../contract/site-rules/ruleFile.ts';
import { HashThreads } from './hash-threads.ts';
import { readOutput } from './read.ts';
import { SecretFinder } from './scan/find.ts';
import type { OutputFile } from './walk.ts';

/** Lines that are told one by one; a file of another kind under that name would fill the log. */
const MAX_TOLD = 20;
const MAX_TEXT = 120;

/**
 * Sentences for what the site's `_headers` and `_redirects` say and will not be honoured.
 * @param honoured The platform's server reads such files at all.
 */
export async function ruleWarnings(files: readonly OutputFile[], honoured: boolean): Promise<string[]> {
  const warnings: string[] = [];
  for (const [name, parse] of [
    [RULE_FILES.headers, parseHeaders],
    [RULE_FILES.redirects, parseRedirects],
  ] as const) {
    const file = files.find(({ path }) => path === name);
    if (!file) continue;
    if (!honoured) warnings.push(`${name} has no effect: this platform serves sites without such rules`);
    else if (file.size > MAX_RULE_FILE_BYTES)
      warnings.push(`${name} has no effect: it is larger than ${MAX_RULE_FILE_BYTES} bytes`);
    else warnings.push(...linesOf(name, parse(await textOf(file)).ignored));
  }
  return warnings;
}

async function textOf(file: OutputFile): Promise<string> {
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
