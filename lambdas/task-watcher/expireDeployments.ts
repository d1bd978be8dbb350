import { z } from 'zod';
import { ManifestSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import { type DeploymentRecord, type ExpiryReason, isTerminal } from '../../contract/record.ts';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import { createdAtOf } from '../domain/deploymentIds.ts';
import { makeExpiredEvent } from '../domain/events.ts';
import { MAX_MANIFEST_BYTES } from '../shared/artifact.ts';
import { openDocuments } from '../shared/documents.ts';
import { listFolders } from '../shared/listObjects.ts';
import { lazyAsync } from '../shared/once.ts';
import type { ShownHost } from '../shared/ports.ts';
import { DAY_MS, keptByProject, keptFor, markExpiring, noteRemoved } from '../shared/projects/expiry.ts';
import { publishEvents } from '../shared/publishEvents.ts';
import { readSmallObject } from '../shared/readSmallObject.ts';
import { removePrefix } from '../shared/removeObjects.ts';
import { branchHost, branchOf, deploymentHost } from '../shared/sites/routes.ts';
import { removeRoutes } from './removeRoutes.ts';
import type { SweepDeps } from './sweepDeps.ts';

/** Deployments of a project that one run expires. */
const MAX_AT_ONCE = 200;
/** Manifests that one run reads for the first time. */
const MAX_MANIFESTS = 500;
/** Longer than any build may take. */
const MAX_BUILD_MS = DAY_MS;

/** By deployment: the earlier ones whose objects its manifest names. */
const ReferencesSchema = z.object({ v: z.literal(1), of: z.record(z.string(), z.array(z.string())) });
/** All that is needed of a manifest, which may be large. */
const KeysSchema = z.object({ objects: z.array(ManifestSchema.shape.objects.element.pick({ key: true })) });

/**
 * Ends the deployments of a project that are not kept any more: marks them in the project's document, says so in their
 * records, removes their files and images. Continues what an earlier run has marked. The oldest are looked at first, so
 * the work of a run does not grow with the number of deployments that are kept.
 * @returns How many were removed.
 */
export async function expireDeployments(
  deps: SweepDeps,
  project: ProjectDocument,
  mayGoOn: () => boolean,
): Promise<number> {
  const { projects, clock } = deps;
  const { projectId } = project;
  const known = await readKnown(deps, projectId);
  const due = await findDue(deps, project, known, mayGoOn);
  const free = due.length === 0 ? due : await withoutReferenced(deps, projectId, due, known);
  const marked =
    free.length === 0 ? project : await projects.change(projectId, (p) => markExpiring(p, free, clock.now()));
  const removed = new Set<string>();
  // The whole table is read for it, so once for all.
  const listRoutes = lazyAsync(async () => (await deps.sites?.listRoutes(projectId)) ?? []);
  for (const { deploymentId, reason = 'age', removed: isRemoved } of marked?.expiring ?? []) {
    if (isRemoved) continue;
    if (!mayGoOn()) break;
    await removeExpired(deps, project, { deploymentId, reason }, listRoutes);
    removed.add(deploymentId);
  }
  if (removed.size > 0) await projects.change(projectId, (p) => noteRemoved(p, removed, clock.now()));
  return removed.size;
}

type ListRoutes = () => Promise<readonly ShownHost[]>;

async function removeExpired(
  deps: SweepDeps,
  project: ProjectDocument,
  { deploymentId, reason }: { readonly deploymentId: string; readonly reason: ExpiryReason },
  listRoutes: ListRoutes,
): Promise<void> {
  const { projectId } = project;
  const record = await recordOf(deps, deploymentId);
  // Before the files go: whoever reads the record afterwards knows.
  if (record && !record.expired) await publishEvents(deps.bus, makeExpiredEvent(record, reason, deps.clock.now()));
  if (!record || record.plan?.backend) await deps.services?.remove(projectId, deploymentId);
  if (!record || record.plan?.backend) await deps.removeImages(projectId, [deploymentId]);
  await removeAddresses(deps, project, deploymentId, record, listRoutes);
  // The manifest first: by it a deployment counts as whole.
  await removePrefix(deps, s3Keys.deploymentManifest(projectId, deploymentId));
  await removePrefix(deps, s3Keys.deployment(projectId, deploymentId));
}

/**
 * Its own address, and its branch's where that shows it: a table of routes has limited room. The branch is in the record;
 * where there is none any more the table is searched.
 */
async function removeAddresses(
  { sites }: SweepDeps,
  project: ProjectDocument,
  deploymentId: string,
  record: DeploymentRecord | null,
  listRoutes: ListRoutes,
): Promise<void> {
  if (!sites) return;
  const branch = record && branchOf(record);
  const isOf = (route: SiteRoute) => route.projectId === project.projectId && route.deploymentId === deploymentId;
  const hosts = record
    ? [deploymentHost(project, deploymentId), ...(branch ? [branchHost(project, branch)] : [])]
    : (await listRoutes()).filter(({ route }) => isOf(route)).map(({ host }) => host);
  await removeRoutes(
    sites,
    hosts.map((host) => ({ host })),
    isOf,
  );
}

const recordOf = async ({ store, archive }: SweepDeps, id: string): Promise<DeploymentRecord | null> =>
  (await store.get(id))?.record ?? (await archive.readRecord(id));

/** Deployments with files whose time is over, the oldest first. */
async function findDue(
  deps: SweepDeps,
  project: ProjectDocument,
  known: References,
  mayGoOn: () => boolean,
): Promise<string[]> {
  const { settings, projectId } = project;
  const now = deps.clock.now();
  const kept = keptByProject(project, now);
  const shortest = Math.min(keptFor(settings, 'production'), keptFor(settings, 'preview'));
  // Those whose objects a kept site names would otherwise keep the run from those that may go.
  const isStaying = (id: string) => kept.has(id) || now - (createdAtOf(id) ?? now) < shortest;
  const needed = new Set(Object.entries(known).flatMap(([id, named]) => (isStaying(id) ? named : [])));
  const due: string[] = [];
  for await (const id of listFolders(deps.s3, deps.bucket, s3Keys.deployments(projectId))) {
    if (due.length >= MAX_AT_ONCE || !mayGoOn()) break;
    const madeAt = createdAtOf(id);
    // Ids are in the order in which they were made, so what follows is younger.
    if (madeAt !== undefined && now - madeAt < shortest) break;
    if (kept.has(id) || needed.has(id)) continue;
    const record = await recordOf(deps, id);
    if (record && (record.projectId !== projectId || !isTerminal(record.status))) continue;
    const age = now - (record ? Date.parse(record.finishedAt ?? record.createdAt) : (madeAt ?? now));
    const environment = record?.environment ?? record?.plan?.lane ?? 'production';
    if (age >= keptFor(settings, environment === 'production' ? 'production' : 'preview')) due.push(id);
  }
  return due;
}

/** What is known of the manifests of a project: by deployment, the earlier ones whose objects it names. */
type References = Readonly<Record<string, readonly string[]>>;

const referencesKey = (projectId: string) => `${s3Keys.deployments(projectId)}references.json`;

async function readKnown({ s3, bucket }: SweepDeps, projectId: string): Promise<References> {
  return (await openDocuments(s3, bucket).read(referencesKey(projectId), ReferencesSchema))?.of ?? {};
}

/**
 * Leaves out deployments that the manifest of a kept one names: their objects are part of its site. None may go while
 * not every manifest is known; then the next run goes on reading.
 */
async function withoutReferenced(
  deps: SweepDeps,
  projectId: string,
  due: readonly string[],
  known: References,
): Promise<readonly string[]> {
  const { s3, bucket } = deps;
  const going = new Set(due);
  const of: Record<string, string[]> = {};
  const needed = new Set<string>();
  let [read, unread] = [0, 0];
  for await (const id of listFolders(s3, bucket, s3Keys.deployments(projectId))) {
    if (!Object.hasOwn(known, id) && read >= MAX_MANIFESTS) {
      unread++;
      continue;
    }
    if (!Object.hasOwn(known, id)) read++;
    const named = Object.hasOwn(known, id) ? known[id] : await readReferences(deps, projectId, id);
    if (named) of[id] = [...named];
    if (!going.has(id)) for (const one of named ?? []) needed.add(one);
  }
  if (read > 0)
    await openDocuments(s3, bucket).change(referencesKey(projectId), ReferencesSchema, () => ({ v: 1, of }));
  return unread > 0 ? [] : due.filter((id) => !needed.has(id));
}

/** Null while its build may still write a manifest, so it is asked again. */
async function readReferences(
  { s3, bucket, clock }: SweepDeps,
  projectId: string,
  deploymentId: string,
): Promise<string[] | null> {
  const place = { Bucket: bucket, Key: s3Keys.deploymentManifest(projectId, deploymentId) };
  const read = await readSmallObject(s3, place, { schema: KeysSchema, maxBytes: MAX_MANIFEST_BYTES });
  const madeAt = createdAtOf(deploymentId);
  if (read.kind === 'absent') return madeAt !== undefined && clock.now() - madeAt > MAX_BUILD_MS ? [] : null;
  // One that cannot be read may name anything; such a manifest serves nothing either.
  if (read.kind !== 'read') return [];
  const prefix = s3Keys.deployments(projectId);
  const named = new Set<string>();
  for (const { key } of read.value.objects) {
    const [id = ''] = key.startsWith(prefix) ? key.slice(prefix.length).split('/') : [];
    if (id !== '' && id !== deploymentId) named.add(id);
  }
  return [...named];
}
