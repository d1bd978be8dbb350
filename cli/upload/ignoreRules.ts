import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** What is left out of every upload unless `.verenignore` says otherwise: installed packages, secrets, our own files. */
const LEFT_OUT = ['node_modules/', 'bower_components/', '.env*', '.veren/', '.veren-project.json', '.DS_Store'];
const MAX_RULES_BYTES = 1024 * 1024;

interface Level {
  /** What paths of the folder are called from where the rules are. */
  readonly nameOf: (path: string) => string | null;
  readonly git: Ignore;
  readonly veren: Ignore;
}

/** Which files of a folder are uploaded. `.verenignore` wins over `.gitignore`, and a deeper file over one above. */
export class IgnoreRules {
  readonly #levels: readonly Level[];
  readonly #always = ignore().add(LEFT_OUT);

  private constructor(levels: readonly Level[]) {
    this.#levels = levels;
  }

  /**
   * The rules of the folder itself and of those above it, up to its repository's.
   * @param above Names of the folders between the repository's top and this one; undefined without a repository.
   */
  static async of(folder: string, above: readonly string[] = []): Promise<IgnoreRules> {
    let rules = new IgnoreRules([]);
    for (let up = above.length; up > 0; up--) {
      const at = join(folder, ...Array<string>(up).fill('..'));
      const prefix = above.slice(above.length - up).join('/');
      rules = await rules.#with(at, (path) => `${prefix}/${path}`);
    }
    return rules.within(folder, '');
  }

  /** With those of a folder below. @param path Its path, `` for the folder that is uploaded. */
  within(folder: string, path: string): Promise<IgnoreRules> {
    const start = path === '' ? '' : `${path}/`;
    return this.#with(folder, (of) => (of.startsWith(start) ? of.slice(start.length) : null));
  }

  async #with(folder: string, nameOf: Level['nameOf']): Promise<IgnoreRules> {
    const [git, veren] = await Promise.all(['.gitignore', '.verenignore'].map((name) => readRules(join(folder, name))));
    if (git === '' && veren === '') return this;
    const level = { nameOf, git: ignore().add(git ?? ''), veren: ignore().add(veren ?? '') };
    return new IgnoreRules([level, ...this.#levels]);
  }

  isLeftOut(path: string, isFolder: boolean): boolean {
    const name = basename(path);
    // Whatever anybody says: it has the history, and often a token in its configuration.
    if (/^\.git$/i.test(name)) return true;
    const said = (of: 'git' | 'veren'): boolean | undefined => {
      for (const level of this.#levels) {
        const at = level.nameOf(path);
        if (at === null || at === '') continue;
        const { ignored, unignored } = level[of].test(isFolder ? `${at}/` : at);
        if (ignored || unignored) return ignored;
      }
      return undefined;
    };
    const byVeren = said('veren');
    if (byVeren !== undefined) return byVeren;
    return this.#always.ignores(isFolder ? `${name}/` : name) || (said('git') ?? false);
  }
}

async function readRules(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.slice(0, MAX_RULES_BYTES);
}
