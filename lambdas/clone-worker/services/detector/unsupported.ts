import { generatorIn } from './generators.ts';
import { whyNoHugoSite } from './languages/hugo.ts';
import { whyNoJekyllSite } from './languages/jekyll.ts';
import { whyNoZolaSite } from './languages/zola.ts';
import { filesNamed } from './listedNames.ts';
import type { Snapshot } from './snapshot.ts';

/** Generators that there is a builder for, and why a configuration of theirs may be no site. */
const SUPPORTED: Readonly<Record<string, (repo: Snapshot, dir: string) => string | undefined>> = {
  Hugo: whyNoHugoSite,
  Jekyll: whyNoJekyllSite,
  Zola: whyNoZolaSite,
  MkDocs: () => undefined,
};
const MAX_NAMED = 3;

/** Sites of generators in these folders that give no plan, as sentences: what was seen and what to do. */
export function explainGenerators(repo: Snapshot, folders: Iterable<string>): string[] {
  const said: string[] = [];
  for (const dir of folders) {
    const found = generatorIn(repo, dir);
    if (!found || said.length >= MAX_NAMED) continue;
    const isSupported = Object.hasOwn(SUPPORTED, found.name);
    const why = isSupported
      ? (SUPPORTED[found.name]!(repo, dir) ?? 'it is not in the part of the repository that was asked for')
      : 'there is no builder for it; commit the pages that it makes and name their folder in "frontend.path", or move to Hugo, Jekyll, MkDocs or Zola';
    const article = /^[AEIOU]|^Md|^md|^Mk/.test(found.name) ? 'an' : 'a';
    said.push(`${article} ${found.name} site (${found.file}): ${why}`);
  }
  return said;
}

const MARKDOWN = /\.(?:md|markdown|mdx)$/i;

/** A sentence for a repository of texts that nothing makes pages of; undefined where there are none. */
export function explainMarkdown(repo: Snapshot, place: string, folders: readonly string[]): string | undefined {
  const texts = folders.flatMap((dir) => filesNamed(repo.fs, dir, MARKDOWN));
  if (texts.length === 0) return undefined;
  const named = texts.slice(0, MAX_NAMED).join(', ');
  return `${place} holds no package.json and no index.html, only Markdown (${named}${texts.length > MAX_NAMED ? ', …' : ''}), and nothing that makes pages of it; add a generator's configuration (a mkdocs.yml is the least), or an index.html`;
}
