import { DEFAULT_NODE_MAJOR } from '../../../../../contract/node-lines.ts';
import { join, parent, upward } from '../../../../../contract/repo-fs.ts';
import { parseCommands } from '../commandLine.ts';
import type { Findings } from '../findings.ts';
import { isSourcePage, templateSign } from '../generators.ts';
import type { Language, LanguageContext, Proposal } from '../language.ts';
import { pathScore } from '../score.ts';
import { serverFramework } from '../serverFrameworks.ts';
import { startOf } from '../startCommand.ts';

/** Names of folders that hold the files of a site whose home is the folder above. */
const OUTPUT_NAMES: ReadonlySet<string> = new Set([
  'public',
  'dist',
  'build',
  'www',
  'docs',
  '_site',
  'htdocs',
  'static',
  'out',
]);
/** Below a package, only these are sites of their own: the rest (`public`, `src`) are the package's. */
const OWN_SITE = /^(?:frontend|client|web|webapp|www|website|site|ui|docs|landing)$/i;

/** Pages that need no build: a folder with an index.html. */
export const staticPages: Language = {
  name: 'html',
  propose(dir, context) {
    const { repo } = context;
    const name = dir.slice(dir.lastIndexOf('/') + 1);
    if (!repo.has(join(dir, 'index.html'))) return [];
    if (context.wanted.frontend === dir) return [proposeFolder(dir, '')];
    if (hasBuild(dir, context) || startsServer(dir, context)) return [];
    if (templateSign(repo, dir) !== undefined || isSourcePage(repo, dir)) return [];
    const above = [...upward(dir)].slice(1).find((at) => repo.has(join(at, 'package.json')));
    if (above !== undefined && (!OWN_SITE.test(name) || isNamedByScript(dir, above, context))) return [];
    if ([...upward(dir)].slice(1).some((at) => repo.has(join(at, 'index.html')))) return [];
    return [proposeFolder(dir, name)];
  },
};

/** A package with a build script makes its page itself. */
function hasBuild(dir: string, { repo }: LanguageContext): boolean {
  return repo.packageJson(dir)?.scripts.has('build') === true;
}

/** A page beside a server is sent by it, and the folder holds the server's sources. */
function startsServer(dir: string, { repo }: LanguageContext): boolean {
  const pkg = repo.packageJson(dir);
  if (!pkg) return false;
  const project = { repo, dir, pkg };
  return startOf(project, 'npm')?.certain === true || serverFramework(project) !== undefined;
}

/** A script of the package above works on this folder: it is a source of what that script builds. */
function isNamedByScript(dir: string, above: string, { repo }: LanguageContext): boolean {
  const below = above === '.' ? dir : dir.slice(above.length + 1);
  const names = [...(repo.packageJson(above)?.scripts ?? [])].flatMap(([name, line]) =>
    /build|bundle/.test(name) ? parseCommands(line) : [],
  );
  return names.some(({ args }) =>
    args.some(
      (arg) =>
        arg
          .replace(/^--?[\w-]+=/, '')
          .replace(/^\.\//, '')
          .replace(/\/+$/, '') === below ||
        arg
          .replace(/^--?[\w-]+=/, '')
          .replace(/^\.\//, '')
          .startsWith(`${below}/`),
    ),
  );
}

/** `name` is empty where the folder itself was asked for. */
function proposeFolder(dir: string, name: string): Proposal {
  const inside = dir !== '.' && OUTPUT_NAMES.has(name);
  const path = inside ? (parent(dir) ?? '.') : dir;
  const outputDirectory = inside ? name : '.';
  return {
    target: 'frontend',
    path,
    framework: null,
    score: 10 + (inside ? Math.min(0, pathScore('frontend', path)) : pathScore('frontend', dir)),
    reason: `has ${join(dir, 'index.html')}`,
    plan(findings: Findings) {
      findings.because('framework', 'none', 'a page that needs no build', join(dir, 'index.html'));
      findings.because('outputDirectory', outputDirectory, 'holds index.html', join(dir, 'index.html'));
      findings.because('nodeVersion', DEFAULT_NODE_MAJOR, 'default; nothing is run');
      return {
        path,
        framework: null,
        language: 'html',
        packageManager: null,
        nodeVersion: DEFAULT_NODE_MAJOR,
        installPath: path,
        installCommand: null,
        buildCommand: null,
        outputDirectory,
        evidence: findings.evidence,
      };
    },
  };
}
