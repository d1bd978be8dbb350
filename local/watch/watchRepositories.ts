import { VerenError } from '../../contract/errors.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import { clearFault, faultsOf, noteFault } from '../../lambdas/shared/gitHosts/gitFault.ts';
import type { Log } from '../../lambdas/shared/logger.ts';
import { asWatched, type LookDeps, lookAtRepository, type Watched } from './lookAtRepository.ts';

export interface WatchDeps extends LookDeps {
  /** All projects whose repositories may be watched, as they are now. */
  readonly listProjects: () => Promise<readonly ProjectDocument[]>;
  readonly log: Log;
}

/** How long after a look the next one comes (ms): a folder of this machine costs a process, a host a request. */
const FOLDER_MS = 3_000;
const HOST_MS = 15_000;
/** While nothing changes at a host, or nothing can be read, the pauses grow up to these. */
const MAX_QUIET_MS = 60_000;
const MAX_FAILED_MS = 15 * 60_000;
/** One slow host must not hold up the others. */
const MAX_LOOKS = 4;

interface Pace {
  /** The settings that it is of: others are looked at at once. */
  readonly of: string;
  readonly nextAt: number;
  readonly failures: number;
  readonly quiet: number;
}

/** Looks at the repositories that are watched, each at its own pace. */
export class RepositoryWatch {
  readonly #deps: WatchDeps;
  readonly #paces = new Map<string, Pace>();
  readonly #looks = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  /** Begins the looks that are due; they go on by themselves. A project that is gone or not watched any more is forgotten. */
  async tick(): Promise<void> {
    const watched = new Map<string, Watched>();
    for (const project of await this.#deps.listProjects()) {
      const found = asWatched(project);
      if (found) watched.set(project.projectId, found);
      else await this.#forgetFault(project);
    }
    for (const id of this.#paces.keys()) if (!watched.has(id)) this.#paces.delete(id);
    for (const [id, found] of watched) {
      if (this.#looks.size >= MAX_LOOKS || this.#stop.signal.aborted) return;
      if (this.#looks.has(id) || !this.#isDue(id, found)) continue;
      this.#looks.set(
        id,
        this.#look(id, found).finally(() => this.#looks.delete(id)),
      );
    }
  }

  /** Ends the looks that run. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#looks.values());
  }

  /** Until every look that has begun has ended. */
  async settle(): Promise<void> {
    await Promise.all(this.#looks.values());
  }

  #isDue(id: string, { project }: Watched): boolean {
    const pace = this.#paces.get(id);
    const now = this.#deps.clock.now();
    // The clock of a laptop may be set back by hours.
    return pace?.of !== settingsOf(project) || now >= pace.nextAt || now < pace.nextAt - MAX_FAILED_MS;
  }

  async #look(id: string, found: Watched): Promise<void> {
    const of = settingsOf(found.project);
    const known = this.#paces.get(id);
    const { failures, quiet } = known?.of === of ? known : { failures: 0, quiet: 0 };
    const isFolder = found.gitUrl.startsWith('file:');
    const base = isFolder ? FOLDER_MS : HOST_MS;
    const pace = (pauseMs: number, count: Pick<Pace, 'failures' | 'quiet'>) =>
      this.#paces.set(id, { of, nextAt: this.#deps.clock.now() + pauseMs, ...count });
    try {
      const changes = await lookAtRepository(this.#deps, found, this.#stop.signal);
      const still = changes > 0 ? 0 : quiet + 1;
      pace(isFolder ? base : Math.min(MAX_QUIET_MS, base * 1.02 ** still), { failures: 0, quiet: still });
      await this.#forgetFault(found.project);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      pace(Math.min(MAX_FAILED_MS, base * 2 ** (failures + 1)), { failures: failures + 1, quiet: 0 });
      await this.#noteFault(id, error);
    }
  }

  async #noteFault(projectId: string, error: unknown): Promise<void> {
    const { log } = this.#deps;
    log.warn('A repository that is watched could not be read', { projectId, error });
    const reason = error instanceof VerenError ? error.message : 'the platform could not look at it';
    await noteFault(this.#deps, projectId, { code: 'GIT_WATCH_FAILED', details: { reason } }).catch((fault) =>
      log.error('A fault could not be noted in its project', { projectId, error: fault }),
    );
  }

  async #forgetFault(project: ProjectDocument): Promise<void> {
    const { projectId } = project;
    if (!faultsOf(project).some(({ code }) => code === 'GIT_WATCH_FAILED')) return;
    await clearFault(this.#deps, projectId, ['GIT_WATCH_FAILED']).catch((error) =>
      this.#deps.log.warn('A fault that is over could not be taken out', { projectId, error }),
    );
  }
}

/** A change of these is looked at without waiting, and so is a project that was made anew. */
const settingsOf = ({ addressKey, settings: { gitUrl, connection, productionBranch } }: ProjectDocument): string =>
  JSON.stringify([addressKey, gitUrl, connection, productionBranch]);
