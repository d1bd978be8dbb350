import { join } from '../../../../contract/repo-fs.ts';
import { type Data, entryOf, isTable, tableOf, textOf } from './dataFile.ts';
import { resolvePath } from './repoPath.ts';
import type { Snapshot } from './snapshot.ts';
import { versionIn } from './statedVersion.ts';
import { readToml } from './tomlText.ts';
import { readYaml } from './yamlText.ts';

/** Where MkDocs and what it needs are stated, and the command that installs it. */
export interface MkdocsRequirements {
  readonly file: string;
  readonly rule: string;
  readonly command: string;
  /** Of MkDocs, where it is exact. */
  readonly version: string | undefined;
}

/** Names of files with what documentation needs, in the folder of mkdocs.yml. */
export const REQUIREMENTS_FILES = [
  'requirements-docs.txt',
  'requirements_docs.txt',
  'docs-requirements.txt',
  'docs_requirements.txt',
  'docs/requirements.txt',
  'requirements/docs.txt',
  'requirements-mkdocs.txt',
  'mkdocs-requirements.txt',
  'requirements.txt',
  'requirements-dev.txt',
  'requirements_dev.txt',
  'dev-requirements.txt',
];
const NAMES_MKDOCS = /^[ \t]{0,20}(?:mkdocs|mkdocs-material|properdocs)(?=[\s<>=~!;[#]|$)/im;
const MAX_TEXT = 64 * 1024;

/**
 * What names mkdocs: the file that Read the Docs is told of, a requirements file, or a group of pyproject.toml. Sources:
 * https://docs.readthedocs.io/en/stable/config-file/v2.html, PEP 735 (groups), PEP 621 (extras).
 */
export function findRequirements(repo: Snapshot, dir: string): MkdocsRequirements | undefined {
  const files = [...readTheDocs(repo, dir), ...REQUIREMENTS_FILES.map((name) => join(dir, name))];
  for (const file of files) {
    const text = repo.text(file)?.slice(0, MAX_TEXT);
    if (text === undefined || !NAMES_MKDOCS.test(text)) continue;
    const path = dir === '.' ? file : file.startsWith(`${dir}/`) ? file.slice(dir.length + 1) : undefined;
    if (path === undefined || !/^[\w][\w./-]{0,200}$/.test(path)) continue;
    const version = versionIn(/^[ \t]{0,20}mkdocs[ \t]{0,9}==[ \t]{0,9}([\w.]{1,30})/im.exec(text)?.[1] ?? '');
    return { file, rule: path, command: `pip install -r ${path}`, version };
  }
  return fromProject(repo, dir);
}

/** `python.install[].requirements` of Read the Docs, relative to the root. */
function readTheDocs(repo: Snapshot, dir: string): string[] {
  const text = ['.readthedocs.yaml', '.readthedocs.yml']
    .map((name) => repo.text(join(dir, name)))
    .find((one) => one !== undefined);
  const install = entryOf(tableOf(readYaml(text ?? '', ['python']), 'python'), 'install');
  return (Array.isArray(install) ? install : []).slice(0, 20).flatMap((one) => {
    const named = isTable(one) ? textOf(one, 'requirements') : undefined;
    const file = named === undefined ? undefined : resolvePath('.', named);
    return file === undefined ? [] : [file];
  });
}

/** A requirement that a shell takes as one word between single quotes. */
const REQUIREMENT =
  /^[A-Za-z0-9][\w.-]{0,99}(?:\[[\w,. -]{1,100}\])?[ \t]{0,9}(?:(?:===?|[<>~!]=|[<>])[ \t]{0,9}[\w.*+-]{1,40}(?:[ \t]{0,9},[ \t]{0,9})?){0,6}$/;
const MAX_REQUIREMENTS = 100;

/** A group or an extra of pyproject.toml; of Poetry the names alone, since its versions are written its own way. */
function fromProject(repo: Snapshot, dir: string): MkdocsRequirements | undefined {
  const file = join(dir, 'pyproject.toml');
  const data = readToml(repo.text(file) ?? '');
  const project = tableOf(data, 'project');
  const extras = { ...tableOf(project, 'optional-dependencies'), ...tableOf(data, 'dependency-groups') };
  const lists: (readonly [rule: string, requirements: string[]])[] = [
    ...Object.entries(extras).map(([name, value]) => [name, stringsOf(value)] as const),
    ['dependencies', stringsOf(entryOf(project, 'dependencies'))],
    ...poetryGroups(data),
  ];
  const found = lists.find(([, requirements]) => requirements.some((one) => NAMES_MKDOCS.test(one)));
  if (!found) return undefined;
  const words = found[1].slice(0, MAX_REQUIREMENTS).filter((one) => REQUIREMENT.test(one));
  if (words.length === 0) return undefined;
  const exact = words
    .map((one) => /^mkdocs[ \t]{0,9}==[ \t]{0,9}([\w.]{1,30})$/i.exec(one)?.[1])
    .find((one) => one !== undefined);
  return {
    file,
    rule: `${found[0].slice(0, 60)} of pyproject.toml`,
    command: `pip install ${words.map((word) => `'${word}'`).join(' ')}`,
    version: versionIn(exact ?? ''),
  };
}

const stringsOf = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.filter((one): one is string => typeof one === 'string').map((one) => one.replace(/;.*$/, '').trim())
    : [];

function poetryGroups(data: Data | undefined): (readonly [string, string[]])[] {
  const poetry = tableOf(tableOf(data, 'tool'), 'poetry');
  const groups = Object.entries(tableOf(poetry, 'group') ?? {}).map(
    ([name, group]) => [name, tableOf(isTable(group) ? group : undefined, 'dependencies')] as const,
  );
  return [
    ...groups,
    ['dev-dependencies', tableOf(poetry, 'dev-dependencies')] as const,
    ['dependencies', tableOf(poetry, 'dependencies')] as const,
  ].flatMap(([name, table]) =>
    table ? [[`Poetry's ${name}`, Object.keys(table).filter((one) => one !== 'python')] as const] : [],
  );
}
