import { GetObjectCommand } from '@aws-sdk/client-s3';
import { VerenError } from '../../contract/errors.ts';
import { s3Keys } from '../../contract/names.ts';
import { type ProjectDocument, ProjectDocumentSchema } from '../../contract/project.ts';
import type { Sites } from '../../lambdas/shared/ports.ts';
import { deploymentHost } from '../../lambdas/shared/sites/routes.ts';
import { volatileJournal } from '../../local/adapters/memory/journal.ts';
import { openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { memorySites } from '../../local/adapters/memory/sites.ts';
import { type ControlPlane, controlPlane, type Role } from '../support/controlPlane/controlPlane.ts';
import type { Death } from '../support/controlPlane/life.ts';
import { untilEnded } from '../support/controlPlane/untilEnded.ts';
import { atEveryStep, type Story, withDeath } from '../support/controlPlane/withDeath.ts';
import { BUCKET, movableClock, openWorld, type World } from '../support/controlPlane/world.ts';
import { frontendPlan } from '../support/events.ts';

/**
 * Two deployments, a rollback: whoever dies at whichever step, production ends up with what the project's document says,
 * and so does the copy in `__outputs/`.
 */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

async function read(key: string): Promise<string | null> {
  try {
    return await (await world.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))).Body!.transformToString();
  } catch {
    return null;
  }
}
async function documentOf(projectId: string): Promise<ProjectDocument> {
  return ProjectDocumentSchema.parse(JSON.parse((await read(s3Keys.project(projectId))) ?? 'null'));
}
/** What the document says, what production's route says, and whose page the copy has. */
async function look(plane: ControlPlane, projectId: string) {
  const page = await read(`${s3Keys.site(projectId)}index.html`);
  return {
    said: (await documentOf(projectId)).release?.deploymentId,
    route: (await plane.sites.find(projectId))?.deploymentId,
    copy: page === null ? undefined : (JSON.parse(page) as { deploymentId: string }).deploymentId,
  };
}
async function settled({ plane, advance }: Pick<Story, 'plane' | 'advance'>, projectId: string) {
  for (let i = 0; i < 10; i++) {
    await plane.idle();
    const { said, route, copy } = await look(plane, projectId);
    if (said !== undefined && route === said && copy === said) break;
    // Leases of who has died end, and pauses before another try.
    advance(130_000);
    await plane.watch();
  }
  return look(plane, projectId);
}

/** A story takes seconds here: it goes on until everything has followed. */
const STRIDE = 40;

let serial = 0;
const tell = <T>(role: Role, death: Death, story: (s: Story & { project: string }) => Promise<T>) =>
  withDeath(world, { role, death, analyze: async () => frontendPlan() }, (s) =>
    story({ ...s, project: `released-${serial++}` }),
  );

test('the releaser dies at every step: nothing is lost, and nothing is released twice', async () => {
  const steps = await atEveryStep(
    (death, at) =>
      tell('releaser', death, async ({ plane, advance, project }) => {
        const first = await plane.deploy({ projectId: project });
        await untilEnded(plane, [first], { advance, stepMs: 30_000 });
        const after = await settled({ plane, advance }, project);
        expect({ at, ...after }).toEqual({ at, said: first, route: first, copy: first });
        const document = await documentOf(project);
        expect(document.releases).toHaveLength(1);
        expect((await plane.sites.find(deploymentHost(document, first)))?.deploymentId).toBe(first);
      }),
    STRIDE,
  );
  expect(steps).toBeGreaterThanOrEqual(20);
}, 900_000);

test('the API dies at every step of a rollback: answered or not, all that serves says the same', async () => {
  const steps = await atEveryStep(async (death, at) => {
    const { died } = await tell('api', death, async ({ plane, advance, project }) => {
      const ids: string[] = [];
      // Requests of this test's own that die are sent again, as a client does.
      while (ids.length < 2) {
        const answer = await plane.deploy({ projectId: project }).catch(() => null);
        if (answer !== null) ids.push(answer);
        await plane.idle();
      }
      await untilEnded(plane, ids, { advance, stepMs: 30_000 });
      await settled({ plane, advance }, project);
      const answer = await plane.call('POST', `/projects/${project}/rollback`).catch(() => null);
      const { said, route, copy } = await settled({ plane, advance }, project);
      expect({ at, route, copy }).toEqual({ at, route: said, copy: said });
      if (answer?.status === 202) expect(said).not.toBe(ids[1]);
    });
    return { died };
  }, STRIDE);
  expect(steps).toBeGreaterThan(10);
}, 900_000);

test('routes cannot be written: nothing switches halfway, and it is done when they can', async () => {
  const clock = movableClock();
  const ports = await openMemoryPlatform({ clock });
  const kept = memorySites(volatileJournal());
  let isAway = false;
  const sites: Sites = {
    find: (host) => kept.find(host),
    listRoutes: (projectId) => kept.listRoutes(projectId),
    async point(changes) {
      if (isAway) throw new VerenError('UNAVAILABLE', { reason: 'the KeyValueStore' });
      await kept.point(changes);
    },
  };
  const ecs = await world.ecs(
    () => plane.bus,
    (event) => void plane.watch(event),
    { now: clock.now },
  );
  const plane = controlPlane({ storage: ports, clock, sites, ...world.around(ecs) });
  try {
    const advance = clock.advance;
    const [first] = await untilEnded(plane, [await plane.deploy({ projectId: 'away' })], { advance });
    const [second] = await untilEnded(plane, [await plane.deploy({ projectId: 'away' })], { advance });
    expect(await settled({ plane, advance }, 'away')).toMatchObject({ route: second!.deploymentId });
    isAway = true;
    const answer = await plane.call('POST', '/projects/away/rollback');
    expect(answer.status).toBe(202);
    for (let i = 0; i < 3; i++) {
      await plane.idle();
      advance(60_000);
      await plane.watch();
    }
    // Said, and not shown: neither by the route nor by the copy.
    const { deploymentId } = first!;
    expect(await look(plane, 'away')).toEqual({
      ...{ said: deploymentId, route: second!.deploymentId, copy: second!.deploymentId },
    });
    isAway = false;
    expect(await settled({ plane, advance }, 'away')).toEqual({
      ...{ said: deploymentId, route: deploymentId, copy: deploymentId },
    });
  } finally {
    await plane.idle();
    await plane.close();
    await ports.close();
  }
}, 120_000);
