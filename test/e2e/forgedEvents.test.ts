import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import type { DeploymentRecord } from '../../contract/record.ts';
import { projectBatch } from '../../lambdas/event-projector/project.ts';
import { type LaptopPorts, openLaptopPorts } from '../../local/platform/ports.ts';
import { frontendPlan } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { silentLog } from '../support/log.ts';
import { macOf, SIGNING } from '../support/signing.ts';

/**
 * A build that has become root in its builder: it has the Kafka login that every builder has, the key of its own attempt, and
 * the messages that it has sent. What it writes must change nothing but what it may say of itself.
 */
const PLATFORM = 'deployment-events';
const EVENTS = 'build-events';
const LOGS = 'build-logs';
type Topic = typeof PLATFORM | typeof EVENTS | typeof LOGS;

const BUCKET = 'veren-v2';
const VICTIM = { deploymentId: '01victim', projectId: 'victim', target: 'frontend', attempt: 1 } as const;
const OWN = { deploymentId: '01attacker', projectId: 'attacker', target: 'frontend', attempt: 1 } as const;
const REQUESTED = Date.now() - 60_000;
const time = (seconds: number) => new Date(REQUESTED + seconds * 1_000).toISOString();

let dataDir: string;
let ports: LaptopPorts;
let refused: string[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'veren-forged-'));
  refused = [];
  const clock = { now: Date.now };
  const onError = (e: unknown) => console.error(e);
  ports = await openLaptopPorts({
    onRepair: () => undefined,
    dataDir,
    clock,
    hostEnv: {},
    onError,
    signing: async () => SIGNING,
  });
  const nothing = async () => undefined;
  await ports.feed((event) =>
    projectBatch(
      {
        ...ports,
        clock,
        archive: { writeRecord: nothing, readRecord: async () => null, writeLog: nothing, readLog: async () => null },
        archiveLog: nothing,
        stopBuilds: async (id) => void refused.push(`stopped ${id}`),
        park: async () => void refused.push('parked'),
        signing: async () => SIGNING,
        place: { bucket: BUCKET, ecrUri: 'localhost/my-backend' },
        refuse: ({ reason }) => void refused.push(reason),
        log: silentLog,
      },
      event,
    ),
  );
  for (const { deploymentId, projectId } of [VICTIM, OWN]) await begin(deploymentId, projectId);
  const isBuilding = async ({ deploymentId }: { deploymentId: string }) =>
    (await ports.store.get(deploymentId))?.record.status === 'building';
  await eventually(async () => (await isBuilding(VICTIM)) && (await isBuilding(OWN)));
});
afterEach(async () => {
  await ports.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function begin(deploymentId: string, projectId: string): Promise<void> {
  const owner = `owner-of-${projectId}`;
  const common = { v: 1, deploymentId, projectId } as const;
  const gitUrl = 'https://git.example/a.git';
  const requested = {
    ...common,
    type: 'deployment.requested',
    id: `${projectId}-1`,
    at: time(0),
    owner,
    gitUrl,
    ref: null,
  };
  await ports.store.create({ requested: requested as never, request: { projectId, gitUrl } });
  await say(requested);
  await say({ ...common, type: 'deployment.analyzed', id: `${projectId}-2`, at: time(1), plan: frontendPlan() });
  const started = { target: 'frontend', attempt: 1, taskArn: 'arn:task', nodeVersion: 24 };
  await say({ ...common, ...started, type: 'build.started', id: `${projectId}-3`, at: time(2) });
}

/** As the platform's functions do it. */
const say = (event: { readonly deploymentId: string; readonly type?: unknown; readonly [name: string]: unknown }) =>
  ports.bus.publish(PLATFORM, [{ key: event.deploymentId, value: JSON.stringify(event) }]);

interface Forged {
  readonly topic: Topic;
  readonly message: object;
  readonly key?: string;
  /** Default: what the attacker's own key makes of it. */
  readonly mac?: string | null;
}

/** With the login that builders have. Gives how many the broker has taken: what counts is what becomes of them. */
async function write(...all: Forged[]): Promise<number> {
  const { KAFKA_BROKERS, KAFKA_USERNAME = '', KAFKA_PASSWORD = '' } = ports.kafka;
  const kafka = new Kafka({
    brokers: [KAFKA_BROKERS],
    sasl: { mechanism: 'scram-sha-512', username: KAFKA_USERNAME, password: KAFKA_PASSWORD },
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  });
  const producer = kafka.producer();
  await producer.connect();
  let taken = 0;
  for (const { topic, message, key, mac } of all) {
    const value = JSON.stringify(message);
    const given = mac === undefined ? macOf(topic, value, OWN) : mac;
    const name = key ?? (message as { deploymentId?: string }).deploymentId ?? 'x';
    const messages = [{ key: name, value, ...(given !== null && { headers: { 'veren-mac': given } }) }];
    await producer.send({ topic, messages }).then(
      () => taken++,
      () => undefined,
    );
  }
  await producer.disconnect();
  return taken;
}

/** All that is known. The pause lets a message through that should have been refused; what must come is waited for apart. */
async function state() {
  await new Promise((r) => setTimeout(r, 150));
  const ids = await ports.store.unfinished();
  const records: (DeploymentRecord | undefined)[] = [];
  for (const id of [VICTIM.deploymentId, OWN.deploymentId]) records.push((await ports.store.get(id))?.record);
  const logs = await Promise.all([VICTIM, OWN].map(({ deploymentId: id }) => ports.logs.read(id, 0, 100)));
  return JSON.parse(JSON.stringify({ ids, records, logs }));
}

const artifact = (projectId: string, files = 666) => ({
  kind: 'static',
  bucket: BUCKET,
  prefix: `__outputs/${projectId}/`,
  files,
  bytes: 1,
});
const succeeded = (of: object, files = 666, at = time(9), projectId = 'attacker') => {
  const { deploymentId, target, attempt } = { ...OWN, ...of };
  const id = `${deploymentId}-${target}-${attempt}-ended`;
  const body = { type: 'build.succeeded', artifact: artifact(projectId, files), logLines: 0 };
  return { v: 1, id, at, ...OWN, ...of, ...body };
};
const lines = (of: object, at = time(9)) => ({
  v: 1,
  ...OWN,
  ...of,
  first: 0,
  lines: [{ at, stream: 'stdout', line: 'FORGED' }],
});
const phase = (of: object, at = time(9)) => ({
  v: 1,
  id: '01attacker-frontend-1-build-started',
  at,
  ...OWN,
  type: 'build.phase',
  phase: 'build',
  state: 'started',
  ...of,
});
const platformEvent = (body: object, of: object = VICTIM) => {
  const { deploymentId, projectId } = { ...VICTIM, ...of };
  return { v: 1, id: 'forged', at: time(-600), deploymentId, projectId, ...body };
};
const request = (of: object = {}) =>
  platformEvent({ type: 'deployment.requested', owner: 'eve', gitUrl: 'https://evil.example/x', ref: null, ...of }, of);

/** Each on the topic of the platform and on that of builders, with the attacker's own MAC and with none. */
const everywhere = (message: object): Forged[] =>
  [PLATFORM, EVENTS].flatMap((topic): Forged[] => [
    { topic: topic as Topic, message },
    { topic: topic as Topic, message, mac: null },
  ]);

const FORGERIES: [string, () => Forged[]][] = [
  ['another owner, by a request of 1970', () => everywhere(request({ at: '1970-01-01T00:00:00.000Z' }))],
  ['another owner, by a request a moment before', () => everywhere(request({ at: time(-1) }))],
  ['a deployment out of nothing', () => everywhere(request({ deploymentId: '01nothing' }))],
  ['an id that is a path', () => everywhere(request({ deploymentId: 'events/01victim' }))],
  ['an id that is a path upwards', () => everywhere(request({ deploymentId: '../../x' }))],
  ['the id __proto__', () => everywhere(request({ deploymentId: '__proto__' }))],
  ['a cancellation', () => everywhere(platformEvent({ type: 'deployment.canceled', reason: 'user' }))],
  [
    'a failure of the analysis',
    () => everywhere(platformEvent({ type: 'deployment.failed', error: { code: 'INTERNAL', message: 'x' } })),
  ],
  ['a start of the year 9999', () => everywhere({ ...phase({}), at: '9999-12-31T23:59:59.999Z' })],
  ['a time that has not come', () => everywhere(phase({}, new Date(Date.now() + 3_600_000).toISOString()))],
  ['a phase before the request', () => everywhere(phase({}, time(-3_600)))],
  ['another build’s success', () => everywhere(succeeded(VICTIM, 666, time(9), 'victim'))],
  [
    'another build’s success, with the MAC of the own for the same words',
    () => [
      {
        topic: EVENTS,
        message: succeeded(VICTIM, 666, time(9), 'victim'),
        mac: macOf(EVENTS, JSON.stringify(succeeded({})), OWN),
      },
    ],
  ],
  ['the key of one attempt for the next', () => [{ topic: EVENTS, message: succeeded({ attempt: 2 }) }]],
  ['the key of the frontend for the backend', () => [{ topic: EVENTS, message: succeeded({ target: 'backend' }) }]],
  ['another project in the own deployment', () => everywhere(succeeded({ projectId: 'victim' }))],
  ['an artifact in another’s site', () => everywhere(succeeded({}, 666, time(9), 'victim'))],
  ['the own words under another key', () => [{ topic: EVENTS, message: phase({}), key: VICTIM.deploymentId }]],
  ['the own words, MAC stripped', () => [{ topic: EVENTS, message: phase({}), mac: null }]],
  [
    'the own words with the MAC that they have on the other topic',
    () => [{ topic: EVENTS, message: phase({}), mac: macOf(LOGS, JSON.stringify(phase({})), OWN) }],
  ],
  ['an event by another name', () => [{ topic: EVENTS, message: phase({ id: '01victim-frontend-1-ended' }) }]],
  [
    'a start, which is the platform’s to tell',
    () => everywhere({ ...phase({}), type: 'build.started', taskArn: 'x', nodeVersion: 24 }),
  ],
  [
    'a line in another’s log',
    () => [
      { topic: LOGS, message: lines(VICTIM) },
      { topic: LOGS, message: lines(VICTIM), mac: null },
    ],
  ],
  ['a line of an attempt that is not its own', () => [{ topic: LOGS, message: lines({ attempt: 2 }) }]],
  [
    'a line of another time',
    () => [
      { topic: LOGS, message: lines({}, '1999-01-01T00:00:00.000Z') },
      { topic: LOGS, message: lines({}, time(-3_600)) },
    ],
  ],
  ['a line of another project', () => [{ topic: LOGS, message: lines({ projectId: 'victim' }) }]],
  [
    'what is no JSON',
    () => [
      { topic: EVENTS, message: [] as object },
      { topic: LOGS, message: [] as object },
    ],
  ],
];

describe('a build that writes with its own Kafka login', () => {
  test.each(FORGERIES)('%s: nothing changes, nothing is kept', async (_, forged) => {
    const before = await state();
    const taken = await write(...forged());
    await eventually(() => refused.length >= taken);
    expect(await state()).toEqual(before);
    expect(await ports.store.get('01nothing')).toBeNull();
    expect(refused).toHaveLength(taken);
    expect(refused).not.toContain('parked');
  });

  it('may say of itself what builders say, again too, and not in another way', async () => {
    const said: Forged[] = [
      { topic: EVENTS, message: phase({}) },
      { topic: LOGS, message: lines({}) },
      { topic: EVENTS, message: succeeded({}, 3) },
    ];
    await write(...said);
    await eventually(async () => {
      const { builds } = (await ports.store.get(OWN.deploymentId))!.record;
      return builds.frontend?.status === 'succeeded' && (await ports.logs.read(OWN.deploymentId, 0, 1)).length > 0;
    });
    const after = await state();
    expect(after.records[1].builds.frontend).toMatchObject({ status: 'succeeded', artifact: { files: 3 } });
    expect(after.logs[1].map((l: { line: string }) => l.line)).toEqual(['FORGED']);
    // Its own old messages once more; then the artifact replaced, and an end that came before.
    await write(...said, { topic: EVENTS, message: succeeded({}, 666) });
    await write(
      { topic: EVENTS, message: succeeded({}, 666, time(5)) },
      { topic: EVENTS, message: phase({}, time(4)) },
    );
    expect(await state()).toEqual(after);
  });

  it('cannot change what is known of a deployment by the platform’s own mouth either', async () => {
    const before = await state();
    await say(request({ at: time(0) }));
    await say(platformEvent({ type: 'deployment.canceled', reason: 'user' }, { projectId: 'attacker' }));
    expect(await state()).toEqual(before);
  });
});
