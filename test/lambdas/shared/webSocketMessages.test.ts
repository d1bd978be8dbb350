import type { DeploymentRecord } from '../../../contract/record.ts';
import { ServerMessageSchema, SNAPSHOT_LIMIT } from '../../../contract/websocket.ts';
import {
  deploymentMessage,
  deploymentSnapshot,
  listSnapshot,
  MAX_MESSAGE_BYTES,
} from '../../../lambdas/shared/webSocketMessages.ts';
import { COMMIT, frontendPlan } from '../../support/events.ts';

/** API Gateway's limit for a WebSocket message. */
const GATEWAY_LIMIT = 128 * 1024;
const AT = new Date(0).toISOString();

const longRecord = (deploymentId: string, char: string, over: Partial<DeploymentRecord> = {}): DeploymentRecord => {
  const error = {
    code: 'BUILD_FAILED',
    message: 'The build command failed with exit code 1.',
    lastLines: Array.from({ length: 20 }, () => char.repeat(1_000)),
  };
  const plan = frontendPlan();
  const build = { status: 'failed' as const, nodeVersion: 22 as const, attempt: 1, phases: [], error };
  return {
    deploymentId,
    projectId: 'site',
    owner: 'ada',
    gitUrl: 'https://h/x',
    ref: 'main',
    commit: COMMIT,
    status: 'failed',
    createdAt: AT,
    updatedAt: AT,
    plan,
    builds: { frontend: build, backend: build },
    error,
    ...over,
  };
};
const read = (text: string) => {
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  expect(MAX_MESSAGE_BYTES).toBeLessThan(GATEWAY_LIMIT);
  return ServerMessageSchema.parse(JSON.parse(text));
};

describe.each([
  ['ASCII', 'x'],
  ['three bytes', '語'],
  ['six bytes when escaped', '\u0001'],
])('messages of records whose lines are of %s', (_, char) => {
  it('a list fits, in order, and says that there is more on all but the last', () => {
    const records = Array.from({ length: SNAPSHOT_LIMIT }, (_, i) => longRecord(`d${i}`, char));
    const messages = listSnapshot({ projectId: 'site' }, records).map(read);
    const shown = messages.flatMap((m) => (m.type === 'snapshot' ? m.records : []));
    expect(shown.map((r) => r.deploymentId)).toEqual(records.map((r) => r.deploymentId));
    expect(shown[0]).toMatchObject({ status: 'failed', error: { code: 'BUILD_FAILED' } });
    expect(shown.every((r) => r.error?.lastLines === undefined)).toBe(true);
    expect(messages.map((m) => m.type === 'snapshot' && m.more)).toEqual(
      messages.map((_, i) => (i < messages.length - 1 ? true : undefined)),
    );
  });

  it('a list of records with large plans comes in several messages', () => {
    const evidence = Array.from({ length: 200 }, () => ({ field: 'f', value: char.repeat(200), rule: 'r' }));
    const large = frontendPlan();
    const plan = { ...large, frontend: { ...large.frontend!, buildCommand: char.repeat(5_000), evidence } };
    const records = Array.from({ length: SNAPSHOT_LIMIT }, (_, i) => longRecord(`d${i}`, char, { plan }));
    const messages = listSnapshot({ projectId: 'site' }, records);
    messages.map(read);
    // Twenty commands of 5,000 characters: one message where a character is a byte, more where it is not.
    expect(messages.length).toBeGreaterThanOrEqual(char === 'x' ? 1 : 3);
  });

  it.each([
    ['snapshot', (r: DeploymentRecord) => deploymentSnapshot('d', r)],
    ['change', (r: DeploymentRecord) => deploymentMessage(r)],
  ])('one record is whole where it fits, and shortened where it does not: %s', (_, message) => {
    const small = longRecord('d', char, { builds: {}, error: { code: 'X', message: 'm', lastLines: ['last'] } });
    expect(JSON.stringify(read(message(small)))).toContain('"last"');
    const huge = Array.from({ length: 2_000 }, () => char.repeat(200));
    for (const over of [
      { error: { code: 'X', message: 'm', lastLines: huge } },
      { plan: { ...frontendPlan(), warnings: huge } },
      { plan: { ...frontendPlan(), frontend: { ...frontendPlan().frontend!, buildCommand: huge.join('') } } },
      { error: { code: 'X', message: huge.join('') } },
    ]) {
      const shown = read(message(longRecord('d', char, over)));
      expect(shown).toMatchObject({ shortened: true });
    }
  });
});

it('an empty list is one message', () => {
  expect(listSnapshot({ projectId: 'p' }, []).map(read)).toEqual([{ type: 'snapshot', projectId: 'p', records: [] }]);
});
