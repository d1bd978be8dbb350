import { VerenError } from '../../contract/errors.ts';
import { MAX_SERVICE_USERS } from '../platform/buildUsers.ts';
import type { ServiceSpecs, VersionSpec } from './specs.ts';

/** Versions of one project that may have a user: one project cannot take those of all others. */
const MAX_OF_PROJECT = MAX_SERVICE_USERS / 4;

const runs = ({ notRun }: VersionSpec) => notRun === undefined;

/** Numbers of the users of versions: one is free again when nothing is left of what its user has made. */
export class UserNumbers {
  readonly #specs: Pick<ServiceSpecs, 'get' | 'projects'>;
  readonly #held = new Set<number>();

  constructor(specs: Pick<ServiceSpecs, 'get' | 'projects'>) {
    this.#specs = specs;
  }

  /** A number that no version has. Throws SERVICE_START_FAILED where there are too many versions. */
  choose(projectId: string): number {
    if (this.#specs.get(projectId).versions.filter(runs).length >= MAX_OF_PROJECT)
      throw new VerenError('SERVICE_START_FAILED', {
        reason: `${MAX_OF_PROJECT} versions of this project are kept already`,
      });
    const versions = this.#specs.projects().flatMap(([, services]) => services.versions.filter(runs));
    const taken = new Set(versions.map(({ user }) => user));
    for (let number = 0; number < MAX_SERVICE_USERS; number++)
      if (!taken.has(number) && !this.#held.has(number)) return number;
    throw new VerenError('SERVICE_START_FAILED', { reason: `${MAX_SERVICE_USERS} versions are kept already` });
  }

  /** Keeps a version's number from others, whose spec goes. */
  hold({ user }: VersionSpec): void {
    if (user !== undefined) this.#held.add(user);
  }

  free({ user }: VersionSpec): void {
    if (user !== undefined) this.#held.delete(user);
  }
}
