import { join, parent } from '../../../../contract/repo-fs.ts';
import type { Findings } from './findings.ts';
import { MISE_FILES, readMiseNode } from './miseFile.ts';
import type { PackageJson } from './packageJson.ts';
import { resolvePath } from './repoPath.ts';
import type { Snapshot } from './snapshot.ts';

/** One place that says which Node is wanted, word for word. */
export interface Statement {
  readonly file: string;
  readonly rule: string;
  readonly text: string;
}

/** What one folder says, in order of precedence. */
export function nodeStatements(repo: Snapshot, dir: string, findings: Findings): Statement[] {
  const statements: Statement[] = [];
  const addStatement = (name: string, rule: string, text: string | undefined) => {
    if (text !== undefined && text !== '') statements.push({ file: join(dir, name), rule, text });
  };
  addStatement('.nvmrc', '.nvmrc', firstLine(repo.text(join(dir, '.nvmrc'))));
  addStatement('.node-version', '.node-version', firstLine(repo.text(join(dir, '.node-version'))));
  addStatement('.tool-versions', '.tool-versions', toolVersion(repo.text(join(dir, '.tool-versions'))));
  for (const name of MISE_FILES) addStatement(name, 'mise tools.node', miseVersion(repo, join(dir, name), findings));
  const pkg = repo.packageJson(dir);
  if (pkg) {
    const volta = voltaVersion(repo, dir, pkg, findings);
    if (volta) statements.push(volta);
    addStatement('package.json', 'devEngines.runtime', pkg.devEngines.runtime.find((r) => r.name === 'node')?.version);
    addStatement('package.json', 'engines.node', pkg.engines.get('node'));
  }
  return statements;
}

/** First line that is not a comment. Source: nvm's README, `.nvmrc`. */
const firstLine = (text: string | undefined): string | undefined =>
  text
    ?.slice(0, 4_096)
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .find((line) => line !== '');

/** `nodejs 20.11.0 18.19.0`: the first version is the wanted one, the rest are fallbacks. Source: asdf's documentation. */
const toolVersion = (text: string | undefined): string | undefined =>
  text
    ?.slice(0, 16_384)
    .split(/\r?\n/)
    .map((line) => /^\s*(?:nodejs|node)\s+([^\s#]+)/.exec(line)?.[1])
    .find((version) => version !== undefined);

function miseVersion(repo: Snapshot, file: string, findings: Findings): string | undefined {
  const text = repo.text(file);
  if (text === undefined) return undefined;
  const found = readMiseNode(text);
  if (found.kind === 'unreadable') findings.warn(`${file} cannot be read and was left out: ${found.reason}.`);
  return found.kind === 'version' ? found.version : undefined;
}

/** `volta.node`, or that of the file that `volta.extends` names, and so on. Source: Volta's documentation, "Workspaces". */
function voltaVersion(repo: Snapshot, dir: string, pkg: PackageJson, findings: Findings): Statement | undefined {
  const seen = new Set<string>();
  let [at, current]: [string, PackageJson | undefined] = [dir, pkg];
  while (current && !seen.has(at)) {
    seen.add(at);
    const node = current.volta.get('node');
    const rule = at === dir ? 'volta.node' : 'volta.extends';
    if (node !== undefined) return { file: join(at, 'package.json'), rule, text: node };
    const extended = current.volta.get('extends');
    if (extended === undefined) return undefined;
    const file = resolvePath(at, extended);
    if (file === undefined || !file.endsWith('package.json')) {
      findings.warn(`${join(at, 'package.json')}: volta.extends leads to no package.json in the repository.`);
      return undefined;
    }
    at = parent(file) ?? '.';
    current = repo.packageJson(at);
    if (!current) findings.warn(`${file}: named by volta.extends, but cannot be read.`);
  }
  if (seen.has(at)) findings.warn(`${join(dir, 'package.json')}: volta.extends goes round in a circle.`);
  return undefined;
}
