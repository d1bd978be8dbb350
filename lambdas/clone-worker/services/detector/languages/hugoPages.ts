import { join } from '../../../../../contract/repo-fs.ts';
import { type Data, entryOf } from '../dataFile.ts';
import { namesWhere } from '../listedNames.ts';
import type { Snapshot } from '../snapshot.ts';

/** Templates that Hugo makes a home page or a list of pages with. Source: https://gohugo.io/templates/types/ */
const PAGE_TEMPLATE = /^(?:home|index|list|section|all|single|page)(?:\.[\w-]+)*\.html$/;
const FRAME = /^baseof(?:\.[\w-]+)*\.html$/;
const FOLDERS = ['.', '_default', 'page', 'index'];
const COMMENT = /\{\{-?\s*\/\*[\s\S]{0,2000}?\*\/\s*-?\}\}/g;
const MAX_THEMES = 30;

/** True where something of a site of Hugo's makes pages: its layouts, or a theme, wherever that comes from. */
export function rendersPages(repo: Snapshot, dir: string, config: Data | undefined): boolean {
  if (['theme', 'module'].some((key) => entryOf(config, key) !== undefined)) return true;
  if (repo.isDirectory(join(dir, '_vendor'))) return true;
  const pkg = repo.packageJson(dir);
  // Themes come as npm packages too.
  if (pkg && pkg.dependencies.size + pkg.devDependencies.size > 0) return true;
  const themes = namesWhere(repo.fs, join(dir, 'themes'), () => true, MAX_THEMES);
  if (themes.some((name) => repo.fs.kind(join(join(dir, 'themes'), name)) === 'submodule')) return true;
  const layouts = ['layouts', ...themes.map((name) => join('themes', join(name, 'layouts')))];
  return layouts.some((folder) => holdsPageTemplate(repo, join(dir, folder)));
}

function holdsPageTemplate(repo: Snapshot, layouts: string): boolean {
  const files = FOLDERS.flatMap((folder) =>
    namesWhere(repo.fs, join(layouts, folder), (_name, kind) => kind === 'file').map((name) => ({
      name,
      path: join(layouts, join(folder, name)),
    })),
  );
  if (files.some(({ name }) => FRAME.test(name))) return true;
  return files.some(({ name, path }) => PAGE_TEMPLATE.test(name) && writesText(repo.head(path) ?? 'not read'));
}

/** A template that begins with a named block fills a frame; without a frame Hugo writes an empty page. */
function writesText(template: string): boolean {
  const text = template.replace(COMMENT, '').trim();
  return text !== '' && !/^\{\{-?\s*define\b/.test(text);
}
