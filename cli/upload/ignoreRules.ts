import { lstat, readFile } from 'node:fs/promises';
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
  /** Paths that git itself has named; `` for all. */
  readonly ignored?: ReadonlySet<string>;
}

/** Names what git ignores in a folder, folders with a slash at the end; null where it does not say. */
export type AskGit = (folder: string) => Promise<readonly string[] | null>;
/** `brought-in`: `.verenignore` asks for what everything else would leave out. */
export type Verdict = 'sent' | 'left-out' | 'brought-in';

/** Which files of a folder are uploaded. `.verenignore` wins over `.gitignore`, and a deeper file over one above. */
export class IgnoreRules {
  readonly #levels: readonly Level[];
  readonly #askGit: AskGit;
  readonly #always = ignore().add(LEFT_OUT);

  private constructor(levels: readonly Level[], askGit: AskGit) {
    this.#levels = levels;
    this.#askGit = askGit;
  }

  /**
   * The rules of the folder itself and of those above it, up to its repository's.
   * @param above Names of the folders between the repository's top and this one; empty without a repository.
   * @param askGit What git itself ignores, by files that are not in the folder too.
   */
  static async of(folder: string, above: readonly string[], askGit: AskGit): Promise<IgnoreRules> {
    let rules = new IgnoreRules([], askGit);
    for (let up = above.length; up > 0; up--) {
      const at = join(folder, ...Array<string>(up).fill('..'));
      const prefix = above.slice(above.length - up).join('/');
      rules = await rules.#with(at, (path) => `${prefix}/${path}`);
    }
    return above.length > 0
      ? rules.#asked(folder, '').then((asked) => asked.within(folder, ''))
      : rules.within(folder, '');
  }

  /** With those of a folder below. @param path Its path, `` for the folder that is uploaded. */
  async within(folder: string, path: string): Promise<IgnoreRules> {
    // A repository of its own, which the one around it says nothing of.
    const hasGit = await lstat(join(folder, '.git')).then(
      () => true,
      () => false,
    );
    const rules = hasGit ? await this.#asked(folder, path) : this;
    const start = path === '' ? '' : `${path}/`;
    return rules.#with(folder, (of) => (of.startsWith(start) ? of.slice(start.length) : null));
  }

  async #asked(folder: string, path: string): Promise<IgnoreRules> {
    const names = await this.#askGit(folder);
    if (names === null || names.length === 0) return this;
    const start = path === '' ? '' : `${path}/`;
    const ignored = new Set(names.map((name) => (name === './' ? path : `${start}${name.replace(/\/$/, '')}`)));
    return new IgnoreRules(
      [{ nameOf: (of) => of, git: ignore(), veren: ignore(), ignored }, ...this.#levels],
      this.#askGit,
    );
  }

  async #with(folder: string, nameOf: Level['nameOf']): Promise<IgnoreRules> {
    const [git, veren] = await Promise.all(['.gitignore', '.verenignore'].map((name) => readRules(join(folder, name))));
    if (git === '' && veren === '') return this;
    const level = { nameOf, git: ignore().add(git ?? ''), veren: ignore().add(veren ?? '') };
    return new IgnoreRules([level, ...this.#levels], this.#askGit);
  }

  judge(path: string, isFolder: boolean): Verdict {
    const name = basename(path);
    // Whatever anybody says: it has the history, and often a token in its configuration.
    if (/^\.git$/i.test(name)) return 'left-out';
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
    if (byVeren === true) return 'left-out';
    const isLeftOut =
      this.#always.ignores(isFolder ? `${name}/` : name) ||
      this.#levels.some(({ ignored }) => ignored?.has('') || ignored?.has(path)) ||
      said('git') === true;
    if (!isLeftOut) return 'sent';
    return byVeren === false ? 'brought-in' : 'left-out';
  }
}

async function readRules(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.slice(0, MAX_RULES_BYTES);
}
