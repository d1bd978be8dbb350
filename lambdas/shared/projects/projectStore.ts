import { randomBytes } from 'node:crypto';
import { PROJECTS_PREFIX, s3Keys } from '../../../contract/names.ts';
import {
  type ProjectDocument,
  ProjectDocumentSchema,
  type ProjectSettings,
  type Release,
} from '../../../contract/project.ts';
import type { S3Calls } from '../adapters/aws/clients.ts';
import { openDocuments } from '../documents.ts';
import { listObjects } from '../listObjects.ts';
import type { Clock } from '../ports.ts';

/**
 * The projects, one document each in the bucket. Ownership is decided by who made the document first. A deleted project
 * leaves a document that says what was removed; for everything but `getDeleted` there is no project then.
 */
export interface ProjectStore {
  get(projectId: string): Promise<ProjectDocument | null>;
  /** What remains of a project that was deleted, until there is another one of its name. */
  getDeleted(projectId: string): Promise<ProjectDocument | null>;
  /**
   * The project, made where there is none; it may be another owner's.
   * @param release What an earlier version shows as the project's site.
   */
  ensure(projectId: string, owner: string, settings: ProjectSettings, release?: Release): Promise<ProjectDocument>;
  /**
   * Changes a project as one step against other changes. Null where there is none.
   * @param change Returns the same object to change nothing; may throw.
   */
  change(projectId: string, change: (project: ProjectDocument) => ProjectDocument): Promise<ProjectDocument | null>;
  /** Ids of the owner's projects, in order. */
  list(owner: string): Promise<string[]>;
  /** One page of the owner's projects, by id. `cursor` is the last id of the page before. */
  page(
    owner: string,
    query: { limit: number; cursor?: string },
  ): Promise<{ items: ProjectDocument[]; cursor?: string }>;
  /** Takes a project out of the list of its owner, before its document says that it is deleted. */
  unlist(project: ProjectDocument): Promise<void>;
  /** Ids after `after` of all documents, those of deleted projects too, in order. */
  all(after?: string): AsyncIterable<string>;
}

/** With its length, of which the SDK would warn otherwise. */
const EMPTY = { Body: '', ContentLength: 0 } as const;

export function openProjectStore(deps: { s3: S3Calls; bucket: string; clock: Clock }): ProjectStore {
  const { s3, bucket, clock } = deps;
  const documents = openDocuments(s3, bucket);
  const now = () => new Date(clock.now()).toISOString();
  const readAny = (projectId: string) => documents.read(s3Keys.project(projectId), ProjectDocumentSchema);
  const read = async (projectId: string) => {
    const project = await readAny(projectId);
    return project?.deleted ? null : project;
  };

  /** Written first: a list may name a project that was never made, and must not miss one that was. */
  const writeEntry = async (owner: string, projectId: string) => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: s3Keys.ownerProjects(owner) + projectId, ...EMPTY }));
  };
  const readOwn = async (owner: string, ids: readonly string[]) =>
    (await Promise.all(ids.map(read))).flatMap((project) => (project?.owner === owner ? [project] : []));

  return {
    get: read,
    async getDeleted(projectId) {
      const project = await readAny(projectId);
      return project?.deleted ? project : null;
    },
    async ensure(projectId, owner, settings, release) {
      const known = await read(projectId);
      if (known) return known;
      await writeEntry(owner, projectId);
      const at = now();
      const made: ProjectDocument = {
        ...{ v: 1, projectId, owner, createdAt: at, updatedAt: at, settings },
        addressKey: randomBytes(24).toString('base64url'),
        ...{ release: release ?? null, releases: release ? [release] : [], pinned: null },
      };
      const kept = await documents.change(s3Keys.project(projectId), ProjectDocumentSchema, (before) => {
        if (before && !before.deleted) return before;
        return before?.deleted ? { ...made, deletedBefore: before.deleted.at } : made;
      });
      return kept ?? made;
    },
    change: (projectId, change) =>
      documents.change(s3Keys.project(projectId), ProjectDocumentSchema, (before) => {
        if (!before || before.deleted) return null;
        const after = change(before);
        return after === before ? before : { ...after, updatedAt: now() };
      }),
    async list(owner) {
      const prefix = s3Keys.ownerProjects(owner);
      const ids: string[] = [];
      for await (const { Key = '' } of listObjects(s3, bucket, prefix)) ids.push(Key.slice(prefix.length));
      return (await readOwn(owner, ids)).map(({ projectId }) => projectId);
    },
    async page(owner, { limit, cursor }) {
      const prefix = s3Keys.ownerProjects(owner);
      const items: ProjectDocument[] = [];
      let ids: string[] = [];
      const after = cursor === undefined ? undefined : prefix + cursor;
      for await (const { Key = '' } of listObjects(s3, bucket, prefix, after)) {
        ids.push(Key.slice(prefix.length));
        if (ids.length < limit) continue;
        items.push(...(await readOwn(owner, ids)));
        ids = [];
        if (items.length > limit) break;
      }
      items.push(...(await readOwn(owner, ids)));
      const last = items[limit - 1];
      return last && items.length > limit
        ? { items: items.slice(0, limit), cursor: last.projectId }
        : { items: items.slice(0, limit) };
    },
    async unlist({ owner, projectId }) {
      const { DeleteObjectsCommand } = await import('@aws-sdk/client-s3');
      const Objects = [{ Key: s3Keys.ownerProjects(owner) + projectId }];
      await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    },
    async *all(after) {
      const from = after === undefined ? undefined : s3Keys.project(after);
      for await (const { Key = '' } of listObjects(s3, bucket, PROJECTS_PREFIX, from))
        if (Key.endsWith('.json')) yield Key.slice(PROJECTS_PREFIX.length, -'.json'.length);
    },
  };
}
