/** Where a site that was made for this address will not be: placeholders of templates, and addresses that another host gives. */
const PLACEHOLDER =
  /(?:^|\.)(?:example\.(?:org|com|net)|localhost|your-?(?:site|domain|website)\.\w+|(?:my|new)-?(?:site|domain|website)\.(?:com|org|net)|replace-?this[\w.-]*)$/;
const OTHER_HOST =
  /\.(?:github\.io|gitlab\.io|gitea\.page|codeberg\.page|bitbucket\.io|netlify\.(?:app|com)|vercel\.app|now\.sh|pages\.dev|workers\.dev|web\.app|firebaseapp\.com|surge\.sh|onrender\.com|render\.com|herokuapp\.com|azurestaticapps\.net|amplifyapp\.com|cloudfront\.net|readthedocs\.(?:io|org)|neocities\.org|deno\.dev|fly\.dev|kinsta\.page|zeabur\.app)$/;

export type BaseUrl =
  /** The pages' links fit as they are. */
  | { readonly kind: 'fits' }
  /** An address of the user's own, which pages link to wherever they are served. */
  | { readonly kind: 'own' }
  /** Of this address the pages are not served; links have to begin at the root instead. */
  | { readonly kind: 'other'; readonly why: string };

/** Judges the address that a generator's configuration gives a site, of which every site here is the root. */
export function judgeBaseUrl(value: string | undefined): BaseUrl {
  const text = (value ?? '').trim();
  if (text === '' || text === '/') return { kind: 'fits' };
  const match = /^(?:https?:)?\/\/([^/?#\s]{1,253})([^?#\s]{0,1000})/i.exec(text);
  if (!match) return { kind: 'other', why: 'is no address' };
  const host = match[1]!.toLowerCase().replace(/:\d{1,5}$/, '');
  if (PLACEHOLDER.test(host) || /^(?:127\.|0\.0\.0\.0)/.test(host)) return { kind: 'other', why: 'is a placeholder' };
  if (/[^/]/.test(match[2]!)) return { kind: 'other', why: 'has a path, and a site is served at the root here' };
  if (OTHER_HOST.test(host)) return { kind: 'other', why: 'is an address of another host' };
  return { kind: 'own' };
}
