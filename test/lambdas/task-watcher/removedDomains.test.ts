import { createHmac } from 'node:crypto';
import type { DnsEntry } from '../../../contract/domains.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { SiteRoute } from '../../../contract/siteRoute.ts';
import { s3Archive } from '../../../lambdas/shared/archive.ts';
import { openAudit } from '../../../lambdas/shared/audit.ts';
import { openDocuments } from '../../../lambdas/shared/documents.ts';
import { openOwnDomains } from '../../../lambdas/shared/domains/ownDomains.ts';
import type { SiteChange } from '../../../lambdas/shared/ports.ts';
import { deletionNoter } from '../../../lambdas/shared/projects/deletions.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { openVariableStore } from '../../../lambdas/shared/projects/variableStore.ts';
import { removeProjects } from '../../../lambdas/task-watcher/removeProjects.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

const NAME = 'www.example.com';
const bucket = 'b';

/** A project `aa` that has the domain and whose removal is due, and another one. */
async function scene() {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const s3 = memoryS3(() => now);
  const storage = { s3, bucket, clock };
  const ports = await openMemoryPlatform({ clock });
  const projects = openProjectStore(storage);
  const routes = new Map<string, SiteRoute>();
  const attached = new Set<string>();
  const txt = new Set<string>();
  const state = { detachFails: 0, whileListed: async () => {} };
  const sites = {
    async point(changes: readonly SiteChange[]) {
      for (const { host, route } of changes)
        if (route) routes.set(host, route);
        else routes.delete(host);
    },
    find: async (host: string) => routes.get(host) ?? null,
    async listRoutes(id: string) {
      const found = [...routes].flatMap(([host, route]) => (route.projectId === id ? [{ host, route }] : []));
      await state.whileListed();
      return found;
    },
  };
  const keyOf = ({ name, value }: Pick<DnsEntry, 'name' | 'value'>) => `${name} ${value}`;
  const domains = {
    entries: async (name: string): Promise<DnsEntry[]> => [{ type: 'CNAME', name, value: 'd1.cloudfront.net' }],
    proves: async (entry: DnsEntry) => txt.has(keyOf(entry)),
    async attach(name: string) {
      attached.add(name);
      return { status: 'live' as const };
    },
    async detach(name: string) {
      if (state.detachFails-- > 0) throw new VerenError('UNAVAILABLE', { reason: 'Throttling' });
      attached.delete(name);
    },
    async *listDetached() {},
    removeDetached: async () => true,
  };
  const ownDomains = openOwnDomains({ documents: openDocuments(s3, bucket), projects, domains, clock, sites });
  const [aa, bb] = [await projects.ensure('aa', 'ada', {}), await projects.ensure('bb', 'bob', {})];
  for (const projectId of ['aa', 'bb']) routes.set(projectId, { projectId, deploymentId: `of-${projectId}` });
  /** Enters what proves the name for a project, and adds it. */
  const add = async (project: typeof aa) => {
    txt.clear();
    const proof = createHmac('sha256', project.addressKey).update(`domain:${NAME}`).digest('base64url').slice(0, 32);
    txt.add(keyOf({ name: `_veren.${NAME}`, value: `veren=${proof}` }));
    return ownDomains.add(project, NAME);
  };
  expect((await add(aa)).status).toBe('live');
  const at = new Date(now).toISOString();
  await projects.change('aa', (project) => ({ ...project, deleting: { by: 'ada', at, until: at } }));
  await deletionNoter(s3, bucket)('aa');
  const deps = {
    ...{ ...ports, ...storage, projects, sites, ownDomains, log: silentLog },
    ...{ archive: s3Archive(s3, bucket), audit: openAudit(storage), variables: openVariableStore(storage) },
    ...{ removeImages: async () => 0, bus: { publish: async () => undefined } },
  };
  return {
    ...{ state, projects, ownDomains, routes, attached, bb, add },
    async remove() {
      now += 16 * 60_000;
      await removeProjects(deps, () => true);
    },
  };
}

test('a domain that another project takes over while the routes are read keeps its route', async () => {
  const { state, routes, bb, add, remove, projects } = await scene();
  state.whileListed = async () => {
    state.whileListed = async () => {};
    expect((await add(bb)).status).toBe('live');
  };
  await remove();
  expect(await projects.getDeleted('aa')).not.toBeNull();
  expect(routes.get(NAME)).toMatchObject({ projectId: 'bb' });
});

test('a domain that could not be detached is detached by the next run', async () => {
  const { state, attached, ownDomains, bb, add, remove, projects } = await scene();
  state.detachFails = 1;
  await remove();
  expect([...attached]).toEqual([NAME]);
  await remove();
  expect([...attached]).toEqual([]);
  expect(await projects.getDeleted('aa')).not.toBeNull();
  expect((await add(bb)).status).toBe('live');
  expect(await ownDomains.list((await projects.get('bb'))!)).toHaveLength(1);
});
