import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What of a task state change tells whose folder is still used. */
interface TaskChange {
  readonly detail: {
    readonly taskArn: string;
    readonly lastStatus: string;
    readonly overrides: {
      readonly containerOverrides: readonly {
        readonly environment?: readonly { readonly name: string; readonly value: string }[] | undefined;
      }[];
    };
  };
}

/** Folders of builds as `builder-images/shared/fetch.sh` names them: by the project, or anyhow where that is taken. */
const OF_PROJECT = /^[a-z0-9](-?[a-z0-9])*$/;
const OF_ANY = /^build\.\w+$/;

/**
 * Removes the work folders that builds leave which were canceled or killed, as soon as no task can be using them: the next
 * build of the project finds its usual path free.
 */
export class WorkFolders {
  readonly #work: string;
  readonly #trash: string;
  readonly #onError: (error: unknown) => void;
  /** Project of each task that has not stopped; undefined where it is not known. */
  readonly #live = new Map<string, string | undefined>();
  #removing: Promise<void> = Promise.resolve();

  /** @param work Holds the folders of the builds. What is to be removed is moved beside it first. */
  constructor(work: string, onError: (error: unknown) => void) {
    this.#work = work;
    this.#trash = `${work}.trash`;
    this.#onError = onError;
  }

  /** To be called with every state change, in order. */
  observe({ detail: { taskArn, lastStatus, overrides } }: TaskChange): void {
    if (lastStatus !== 'STOPPED') {
      const variables = overrides.containerOverrides.flatMap((o) => o.environment ?? []);
      this.#live.set(taskArn, variables.find(({ name }) => name === 'PROJECT_ID')?.value);
      return;
    }
    this.#live.delete(taskArn);
    this.#removing = this.#removing.then(() => this.#removeUnused()).catch(this.#onError);
  }

  async #removeUnused(): Promise<void> {
    const projects = new Set(this.#live.values());
    const isUnused = (name: string) =>
      OF_PROJECT.test(name)
        ? !projects.has(name) && !projects.has(undefined)
        : OF_ANY.test(name) && this.#live.size === 0;
    // Moved in the same turn in which nobody uses them: a task that starts now makes its folder anew.
    const unused = readdirSync(this.#work).filter(isUnused);
    if (unused.length === 0) return;
    mkdirSync(this.#trash, { recursive: true, mode: 0o700 });
    for (const name of unused)
      renameSync(join(this.#work, name), join(this.#trash, `${name}.${randomBytes(4).toString('hex')}`));
    await removeTree(this.#trash);
  }

  /** What is being removed is gone. */
  settled(): Promise<void> {
    return this.#removing;
  }
}

/**
 * Removes a tree that strangers have made and may still be changing. Not by `fs.rm`, which goes by path: a folder that becomes
 * a link meanwhile would lead it elsewhere; `rm` goes by open folders and never follows links.
 */
export async function removeTree(path: string): Promise<void> {
  await promisify(execFile)('/bin/rm', ['-rf', '--', path], { env: {} });
}
