import { VerenError } from '../../../contract/errors.ts';
import { s3Keys } from '../../../contract/names.ts';
import { type SealedVariable, type VariableSet, VariableSetSchema } from '../../../contract/project-variables.ts';
import type { S3Calls } from '../adapters/aws/clients.ts';
import { openDocuments } from '../documents.ts';
import { listObjects } from '../listObjects.ts';
import type { Clock } from '../ports.ts';
import { keyRemover } from '../removeObjects.ts';

/** The variables of projects in all their versions. Values are sealed; `sealVariables.ts` opens them. */
export interface VariableStore {
  /** The newest version; null where the project has none. */
  current(projectId: string): Promise<VariableSet | null>;
  /** Throws VARIABLES_LOST. */
  at(projectId: string, version: number): Promise<VariableSet>;
  /**
   * Makes the next version, as one step against other changes. Null where nothing changes and there is no version.
   * @param change Returns the same list to change nothing; may throw. Asked again where another writer was faster.
   */
  change(projectId: string, change: ChangeVariables): Promise<VariableSet | null>;
  /**
   * Removes versions that no kept deployment names. The newest one stays, and so does one that was replaced not long
   * ago: a deployment that was accepted with it may not be among those named.
   * @param findInUse Versions that kept deployments name; asked only where there is something to remove. Null where it
   * is not known of all of them: then every version stays.
   * @returns The versions that were removed.
   */
  sweep(projectId: string, findInUse: () => Promise<ReadonlySet<number> | null>): Promise<number[]>;
}

export type ChangeVariables = (
  before: readonly SealedVariable[],
  next: { readonly version: number; readonly at: string },
) => readonly SealedVariable[];

/** Writers of one set at the same moment; each needs one more try at most for each of the others. */
const MAX_TRIES = 100;
/** Far longer than from the acceptance of a deployment until its record is there. */
const KEEP_REPLACED_MS = 24 * 3_600_000;

export function openVariableStore(deps: { s3: S3Calls; bucket: string; clock: Clock }): VariableStore {
  const { s3, bucket, clock } = deps;
  const documents = openDocuments(s3, bucket);
  const readCurrent = (projectId: string) => documents.read(s3Keys.currentVariables(projectId), VariableSetSchema);

  return {
    current: readCurrent,
    async at(projectId, version) {
      const current = await readCurrent(projectId);
      if (current?.version === version) return current;
      const earlier = await documents.read(s3Keys.earlierVariables(projectId, version), VariableSetSchema);
      if (earlier === null) throw new VerenError('VARIABLES_LOST', { version });
      return earlier;
    },
    async change(projectId, change) {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const before = await readCurrent(projectId);
        const version = (before?.version ?? 0) + 1;
        const at = new Date(clock.now()).toISOString();
        const had = before?.variables ?? NONE;
        const variables = change(had, { version, at });
        if (variables === had) return before;
        // First: whoever has the version's number finds it, whenever it stops to be the newest one.
        if (before) await documents.create(s3Keys.earlierVariables(projectId, before.version), before);
        const next: VariableSet = { v: 1, projectId, version, at, variables: [...variables] };
        const written = await documents.change(s3Keys.currentVariables(projectId), VariableSetSchema, (now) =>
          (now?.version ?? 0) === version - 1 ? next : now,
        );
        if (written === next) return next;
      }
      throw new VerenError('UNAVAILABLE', { reason: 'too many writers of the variables of one project' });
    },
    async sweep(projectId, findInUse) {
      const newest = await readCurrent(projectId);
      if (!newest) return [];
      const now = clock.now();
      const writtenAt = new Map<number, number>();
      const prefix = s3Keys.variables(projectId);
      for await (const { Key = '', LastModified } of listObjects(s3, bucket, prefix)) {
        const [, version] = /^(\d{1,15})\.json$/.exec(Key.slice(prefix.length)) ?? [];
        if (version !== undefined) writtenAt.set(Number(version), LastModified?.getTime() ?? now);
      }
      const isOld = (at: number) => now - at >= KEEP_REPLACED_MS;
      // Its own object may be older than its replacement, whose writer may have died in between: what counts is when the
      // next version was there. One that is gone had been replaced long before.
      const isReplacedLongAgo = (version: number) =>
        version + 1 === newest.version
          ? isOld(Date.parse(newest.at))
          : isOld(writtenAt.get(version + 1) ?? Number.NEGATIVE_INFINITY);
      const candidates = [...writtenAt.keys()].filter(
        (version) => version < newest.version && isOld(writtenAt.get(version) as number) && isReplacedLongAgo(version),
      );
      if (candidates.length === 0) return [];
      const inUse = await findInUse();
      if (!inUse) return [];
      const removed = candidates.filter((version) => !inUse.has(version)).toSorted((a, b) => a - b);
      await keyRemover(s3, bucket)(removed.map((version) => s3Keys.earlierVariables(projectId, version)));
      return removed;
    },
  };
}

const NONE: readonly SealedVariable[] = [];
