import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { discoverCapabilities } from '../../../lambdas/shared/repo/discovery.ts';
import { parseGitUrl } from '../../../lambdas/shared/repo/gitUrl.ts';
import { resolvePublicAddresses } from '../../../lambdas/shared/repo/hostAddress.ts';
import { isOrdinaryName } from '../../../lambdas/shared/repo/listing.ts';
import { parseUrl } from '../../../lambdas/shared/repo/parseUrl.ts';
import { fetchProgram } from '../fetch.ts';
import { signalGroup } from '../processes.ts';
import { type Checkout, type CheckoutContext, gitParts, settingsOf } from './context.ts';
import { namedByPath, submoduleUrl } from './gitmodules.ts';

/** In all, nested ones included. */
export const MAX_SUBMODULES = 200;
const MAX_DEPTH = 8;
/** Of all packs together. */
const MAX_BYTES = 2 * 1_024 * 1_024 * 1_024;

interface Link {
  readonly path: string;
  readonly commit: string;
}

const failed = (path: string, reason: string) => new VerenError('SUBMODULE_FAILED', { path, reason });

/**
 * Fetches the submodules of a checkout, nested ones too, each at the commit that its parent names and without history. Every
 * URL is checked by the rules for the repository's own; the token goes to its origin only. Returns the checkouts.
 * Throws SUBMODULE_FAILED, or the signal's reason.
 */
export async function fetchSubmodules(context: CheckoutContext, main: Checkout): Promise<Checkout[]> {
  const made: Checkout[] = [];
  const budget = { left: MAX_BYTES };
  let level: Checkout[] = [main];
  for (let depth = 0; level.length > 0; depth++) {
    const next: Checkout[] = [];
    for (const parent of level) {
      const links = await linksOf(context, parent);
      if (links.length === 0) continue;
      if (depth === MAX_DEPTH) throw failed(parent.name, `submodules are nested more than ${MAX_DEPTH} deep`);
      if (made.length + links.length > MAX_SUBMODULES)
        throw failed(parent.name, `there are more than ${MAX_SUBMODULES} submodules`);
      const named = namedByPath(await settingsOf(context, parent.folder, '.gitmodules'));
      for (const link of links) {
        const child = await fetchOne(context, main, parent, link, named.get(link.path), budget);
        if (child === null) continue;
        next.push(child);
        made.push(child);
      }
    }
    level = next;
  }
  return made;
}

/** Entries of the index that are commits of other repositories. */
async function linksOf(context: CheckoutContext, { folder }: Checkout): Promise<Link[]> {
  const entries = await gitParts(context, folder, ['ls-files', '--stage', '-z']);
  return entries.flatMap((entry) => {
    const [, commit, path] = /^160000 ([0-9a-f]{40,64}) \d\t([\s\S]+)$/.exec(entry) ?? [];
    return commit !== undefined && path !== undefined ? [{ commit, path }] : [];
  });
}

async function fetchOne(
  context: CheckoutContext,
  main: Checkout,
  parent: Checkout,
  link: Link,
  named: { readonly url: string | undefined; readonly update: string | undefined } | undefined,
  budget: { left: number },
): Promise<Checkout | null> {
  const name = parent.name === '.' ? link.path : `${parent.name}/${link.path}`;
  if (named?.update === 'none') return null;
  if (named?.url === undefined) throw failed(printable(name), 'there is no URL for it in .gitmodules');
  const folder = await emptyFolder(parent.folder, link.path);
  if (folder === null) throw failed(printable(name), 'its place in the checkout is no empty folder');
  let text = submoduleUrl(named.url, parent.url);
  for (let hop = 0; ; hop++) {
    const { url, addresses } = await checked(context, name, text);
    context.say(`Fetching submodule ${name} at ${link.commit} from ${url.href}`);
    if (await runFetch(context, main, folder, url, addresses, link.commit, budget)) {
      budget.left -= await packedBytes(folder);
      if (budget.left < 0) throw failed(name, 'the submodules are larger than 2 GiB together');
      return { folder, name, url: url.href };
    }
    const limits = { deadline: context.signal, maxPackBytes: budget.left };
    const { redirect } = hop < context.policy.maxRedirects ? await discoverCapabilities(url, addresses, limits) : {};
    if (redirect === undefined) throw failed(name, `git could not fetch ${link.commit} from ${url.href}`);
    text = redirect;
  }
}

/** The rules for the URL of a repository. Throws SUBMODULE_FAILED with their sentence. */
async function checked({ policy, resolve, signal }: CheckoutContext, name: string, text: string) {
  try {
    const url = parseGitUrl(text, policy);
    return { url, addresses: await resolvePublicAddresses(url, policy, resolve, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof VerenError)) throw error;
    throw failed(name, String(error.details.reason ?? error.message));
  }
}

/** True where the commit is checked out. When this resolves git has ended. */
async function runFetch(
  { raw, work, sandbox, signal, hear }: CheckoutContext,
  main: Checkout,
  folder: string,
  url: URL,
  addresses: readonly string[],
  commit: string,
  budget: { readonly left: number },
): Promise<boolean> {
  const { GIT_TOKEN: token, ...rest } = raw;
  const isSameOrigin = parseUrl(main.url)?.origin === url.origin;
  signal.throwIfAborted();
  const program = sandbox.start(
    fetchProgram({
      raw: token !== undefined && isSameOrigin ? { ...rest, GIT_TOKEN: token } : rest,
      work,
      folder,
      url: url.href,
      commit,
      redirects: 'false',
      depth: 1,
      tags: false,
      addresses: addresses.length === 0 ? '' : `${url.hostname}:${portOf(url)}:${addresses.map(bracketed).join(',')}`,
      maxBytes: budget.left,
    }),
  );
  const stop = () => program.pid !== undefined && signalGroup(program.pid, 'SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  program.stderr.resume();
  program.stdout.on('data', hear);
  const { exitCode } = await program.ended;
  stop(); // ends processes that still hold its output open
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return exitCode === 0;
}

const portOf = (url: URL) => url.port || (url.protocol === 'https:' ? '443' : '80');
const bracketed = (address: string) => (address.includes(':') ? `[${address}]` : address);
const printable = (path: string) => path.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);

/** The empty folder that git has made for a submodule; null where its path leads through a link or is not empty. */
async function emptyFolder(root: string, path: string): Promise<string | null> {
  if (!path.split('/').every((part) => isOrdinaryName(part) && part.toLowerCase() !== '.git')) return null;
  try {
    const base = await realpath(root);
    const folder = join(base, path);
    // A link on the way could lead out of the checkout.
    if ((await realpath(folder)) !== folder || !folder.startsWith(base + sep)) return null;
    return (await stat(folder)).isDirectory() && (await readdir(folder)).length === 0 ? folder : null;
  } catch {
    return null;
  }
}

async function packedBytes(folder: string): Promise<number> {
  const packs = join(folder, '.git/objects/pack');
  const sizes = (await readdir(packs).catch(() => [])).map((name) =>
    stat(join(packs, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
