import { type HeaderRule, parseHeaders } from '../../contract/site-rules/headerRules.ts';
import { parseRedirects, type RedirectRule } from '../../contract/site-rules/redirectRules.ts';
import { MAX_RULE_FILE_BYTES, RULE_FILES } from '../../contract/site-rules/ruleFile.ts';
import type { ReadSiteFile } from './fallback.ts';

/** What a site says about its own server. */
export interface SiteRules {
  readonly redirects: readonly RedirectRule[];
  readonly headers: readonly HeaderRule[];
}

export const noRules: SiteRules = { redirects: [], headers: [] };

const MAX_CACHED = 200;

/** Reads the rules of a deployment once: its files never change. */
export function rememberRules(read: ReadSiteFile): (prefix: string) => Promise<SiteRules> {
  const known = new Map<string, Promise<SiteRules>>();
  const textOf = async (key: string) => {
    const file = await read(key);
    return file?.body && file.body.length <= MAX_RULE_FILE_BYTES ? new TextDecoder().decode(file.body) : '';
  };
  const load = async (prefix: string): Promise<SiteRules> => {
    const [redirects, headers] = await Promise.all([
      textOf(prefix + RULE_FILES.redirects),
      textOf(prefix + RULE_FILES.headers),
    ]);
    return { redirects: parseRedirects(redirects).rules, headers: parseHeaders(headers).rules };
  };
  return (prefix) => {
    const before = known.get(prefix);
    if (before) return before;
    if (known.size >= MAX_CACHED) known.clear();
    const loading = load(prefix);
    known.set(prefix, loading);
    loading.catch(() => known.delete(prefix)); // the next request tries again
    return loading;
  };
}
