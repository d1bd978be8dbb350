/** What `.gitmodules` says of one path. */
export interface Named {
  readonly url: string | undefined;
  /** `none`: git leaves such a submodule out. */
  readonly update: string | undefined;
}

/** The settings of `.gitmodules` by path. Of several for one path the last counts. */
export function namedByPath(settings: ReadonlyMap<string, string>): ReadonlyMap<string, Named> {
  const byPath = new Map<string, Named>();
  for (const [key, value] of settings) {
    const name = /^(submodule\..*)\.path$/s.exec(key)?.[1];
    if (name === undefined) continue;
    byPath.set(value, { url: settings.get(`${name}.url`), update: settings.get(`${name}.update`) });
  }
  return byPath;
}

/**
 * The URL of a submodule as text. A relative one starts at its parent's URL, like a link in a folder (gitmodules(5)); a
 * URL of SSH becomes one of https, since we have no key and most hosts serve both.
 */
export function submoduleUrl(url: string, parentUrl: string): string {
  if (/^\.\.?(?:\/|$)/.test(url)) return new URL(url, `${parentUrl.replace(/\/+$/, '')}/`).href;
  const scp = /^[\w.-]+@([\w.-]+):(?!\/\/)\/?(\S+)$/.exec(url);
  if (scp) return `https://${scp[1]}/${scp[2]}`;
  const ssh = /^(?:git\+)?ssh:\/\/(?:[\w.-]+@)?([\w.-]+)(?::\d+)?\/(\S+)$/.exec(url);
  return ssh ? `https://${ssh[1]}/${ssh[2]}` : url;
}
