import { createHash } from 'node:crypto';
import { ECRClient } from '@aws-sdk/client-ecr';
import type { Objects } from '../../builder-images/shared/object-calls.ts';
import { s3Objects } from '../../builder-images/shared/objects.ts';
import { claimPublication } from '../../builder-images/shared/verdict.ts';
import { VerenError } from '../../contract/errors.ts';
import { DEFAULT_REGION, imageTag } from '../../contract/names.ts';
import { ecrImages } from '../../lambdas/shared/adapters/aws/images.ts';
import type { ControlPlane } from '../support/controlPlane/controlPlane.ts';
import { gate, type Scene, type SceneSetting, scene } from '../support/controlPlane/scene.ts';
import type { Container } from '../support/controlPlane/simulatedEcs.ts';
import { standIn } from '../support/controlPlane/standIn.ts';
import { BUCKET, openWorld, type World } from '../support/controlPlane/world.ts';
import { backendPlan, frontendPlan } from '../support/events.ts';
import { httpDouble } from '../support/httpDouble.ts';
import { publishAsBuilder } from '../support/signing.ts';

/** Backends: what a cancel, a death and a lost event mean where the artifact is a tag that exists once. */
const URI = 'registry.example/users/images';
let world: World;
let objects: Objects;
let ecr: Awaited<ReturnType<typeof httpDouble>>;
let ecrClient: ECRClient;
/** Tag to digest: ECR's truth. */
const registry = new Map<string, string>();

beforeAll(async () => {
  world = await openWorld();
  const keys = { ...world.credentials.root, sessionToken: '' };
  objects = s3Objects({ bucket: BUCKET, region: DEFAULT_REGION, endpoint: world.s3Url, ...keys });
  ecr = await httpDouble(({ headers, body }) => {
    if (!String(headers['x-amz-target']).endsWith('.DescribeImages')) return { status: 500 };
    const { repositoryName, imageIds } = JSON.parse(body);
    const imageDigest = repositoryName === 'users/images' ? registry.get(imageIds[0].imageTag) : undefined;
    if (imageDigest === undefined)
      return { status: 400, body: JSON.stringify({ __type: 'ImageNotFoundException', message: 'no such tag' }) };
    return { status: 200, body: JSON.stringify({ imageDetails: [{ imageDigest, imageSizeInBytes: 1_234 }] }) };
  });
  ecrClient = new ECRClient({
    region: DEFAULT_REGION,
    endpoint: ecr.url,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
});
afterAll(async () => {
  ecrClient.destroy();
  await ecr.close();
  await world.close();
});

type Moment = 'before claim' | 'after claim' | 'pushed';
/** Waits, or says how the builder ends there. */
type Script = (moment: Moment, attempt: number) => Promise<number | undefined>;

/** A backend builder that hears no SIGTERM: nothing but the verdict keeps its image from being pushed. */
const deafBuilder =
  (bus: () => ControlPlane['bus'], script: Script): Container =>
  async (env) => {
    const { PROJECT_ID: projectId = '', DEPLOYMENTID: deploymentId = '' } = env;
    const attempt = Number(env.ATTEMPT);
    const tag = imageTag(projectId, deploymentId);
    const say = async (body: object) => {
      const at = new Date().toISOString();
      const id = `${deploymentId}-backend-${attempt}-ended`;
      const event = {
        v: 1,
        id,
        at,
        deploymentId,
        projectId,
        target: 'backend' as const,
        attempt,
        logLines: 0,
        ...body,
      };
      await publishAsBuilder(bus(), event);
    };
    try {
      let code = await script('before claim', attempt);
      if (code !== undefined) return code;
      await claimPublication(objects, { projectId, deploymentId, target: 'backend' }, Date.now);
      code = await script('after claim', attempt);
      if (code !== undefined) return code;
      const digest = `sha256:${createHash('sha256').update(tag).digest('hex')}`;
      registry.set(tag, digest);
      code = await script('pushed', attempt);
      if (code !== undefined) return code;
      const artifact = { kind: 'image', uri: `${URI}:${tag}`, digest, bytes: 1_234 };
      await say({ type: 'build.succeeded', artifact });
      return 0;
    } catch (e) {
      if (!(e instanceof VerenError)) throw e;
      await say({ type: 'build.failed', error: { code: e.code, message: e.message } });
      return 41;
    }
  };

const play = (script: Script, run: (s: Scene) => Promise<void>, setting: SceneSetting = {}) =>
  scene(
    world,
    {
      analyze: async () => backendPlan(),
      findImage: ecrImages(URI, ecrClient),
      container: (bus) => deafBuilder(bus, script),
      ...setting,
    },
    run,
  );

const never: Script = async () => undefined;

describe('cancel', () => {
  test('before the image is pushed: canceled, and its tag never exists', async () => {
    const at = gate();
    const script: Script = async (moment) => {
      if (moment === 'before claim') await at.pass();
      return undefined;
    };
    await play(script, async ({ plane, end, ecs }) => {
      const id = await plane.deploy({ projectId: 'before' });
      await at.reached;
      expect((await plane.call('POST', `/deployments/${id}/cancel`)).status).toBe(202);
      at.open();
      const [record] = await end(id);
      await plane.idle();
      expect(record).toMatchObject({ status: 'canceled', builds: { backend: { status: 'canceled' } } });
      expect(record?.builds.backend).not.toHaveProperty('artifact');
      expect(ecs.log).toHaveLength(1);
      expect(registry.has(imageTag('before', id))).toBe(false);
    });
  });

  test('once the push has begun: refused, and the build succeeds', async () => {
    const at = gate();
    const script: Script = async (moment) => {
      if (moment === 'after claim') await at.pass();
      return undefined;
    };
    await play(script, async ({ plane, end }) => {
      const id = await plane.deploy({ projectId: 'after' });
      await at.reached;
      const answer = await plane.call('POST', `/deployments/${id}/cancel`);
      expect([answer.status, answer.body.code]).toEqual([409, 'ALREADY_PUBLISHED']);
      at.open();
      const [record] = await end(id);
      const artifact = { kind: 'image', digest: registry.get(imageTag('after', id)) };
      expect(record).toMatchObject({ status: 'succeeded', builds: { backend: { artifact } } });
    });
  });

  test('of a site that is live and an image that is not: the site stays, the image never comes', async () => {
    const at = gate();
    const script: Script = async (moment) => {
      if (moment === 'before claim') await at.pass();
      return undefined;
    };
    const both = { ...frontendPlan(), ...backendPlan() };
    const container: SceneSetting['container'] = (bus) => {
      const late: ControlPlane['bus'] = { publish: (...message) => bus().publish(...message) };
      const site = standIn({ bus: late, s3: world.s3, bucket: BUCKET });
      const image = deafBuilder(bus, script);
      return (env, signal) => (env.BACKEND_PATH === undefined ? site : image)(env, signal);
    };
    await play(
      never,
      async ({ plane, end }) => {
        const id = await plane.deploy({ projectId: 'both', publication: 'independent' });
        await at.reached;
        while ((await plane.record(id)).builds.frontend?.status !== 'succeeded')
          await new Promise((r) => setTimeout(r, 5));
        expect((await plane.call('POST', `/deployments/${id}/cancel`)).status).toBe(202);
        at.open();
        const [record] = await end(id);
        await plane.idle();
        expect(record).toMatchObject({
          status: 'canceled',
          builds: { frontend: { status: 'succeeded', artifact: { kind: 'static' } }, backend: { status: 'canceled' } },
        });
        expect(registry.has(imageTag('both', id))).toBe(false);
      },
      { analyze: async () => both, container },
    );
  });
});

describe('a builder', () => {
  test('that dies between its claim and its push: the next attempt goes on', () =>
    play(
      async (moment, attempt) => (moment === 'after claim' && attempt === 1 ? 137 : undefined),
      async ({ plane, end, ecs }) => {
        const id = await plane.deploy({ projectId: 'dies' });
        expect((await end(id))[0]).toMatchObject({
          status: 'succeeded',
          builds: { backend: { attempt: 2, artifact: { uri: `${URI}:${imageTag('dies', id)}` } } },
        });
        expect(ecs.log).toHaveLength(2);
      },
    ));

  test('that ends well and whose last event is lost: its image is found', () =>
    play(
      async (moment) => (moment === 'pushed' ? 0 : undefined),
      async ({ plane, end, ecs }) => {
        const id = await plane.deploy({ projectId: 'lost' });
        const tag = imageTag('lost', id);
        const artifact = { kind: 'image', uri: `${URI}:${tag}`, digest: expect.any(String), bytes: 1_234 };
        const [record] = await end(id);
        expect(record).toMatchObject({ status: 'succeeded', builds: { backend: { attempt: 1, artifact } } });
        expect(record?.builds.backend?.artifact).toMatchObject({ digest: registry.get(tag) });
        expect(ecs.log).toHaveLength(1);
      },
    ));

  test('that ends well without an image is tried again', () =>
    play(
      async (moment, attempt) => (moment === 'before claim' && attempt === 1 ? 0 : undefined),
      async ({ plane, end }) => {
        const id = await plane.deploy({ projectId: 'nothing' });
        expect((await end(id))[0]).toMatchObject({ status: 'succeeded', builds: { backend: { attempt: 2 } } });
      },
    ));
});
