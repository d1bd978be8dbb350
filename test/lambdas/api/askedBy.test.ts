import { apiFixture } from '../../support/api.ts';
import { COMMIT, event, frontendPlan } from '../../support/events.ts';

const valid = { projectId: 'site', gitUrl: 'https://git.example/me/site.git' };

describe('who has asked for a deployment', () => {
  it('is in its record: token, member and program, and what a redeployment repeats', async () => {
    const api = await apiFixture();
    await api.call('PUT', '/members/grace', { role: 'developer' });
    const { token } = (await api.call('POST', '/tokens', { name: 'laptop', scope: 'deploy', member: 'grace' })).body;
    const ask = async (path: string, body: unknown, client?: string, as: string = token) => {
      const answer = await api.call('POST', path, body, { as, headers: client ? { 'Veren-Client': client } : {} });
      expect(answer.status).toBe(202);
      return (await api.call('GET', `/deployments/${answer.body.deploymentId}`)).body;
    };
    const first = await ask('/deployments', valid, 'dashboard');
    expect(first.askedBy).toEqual({ token: 'laptop', member: 'grace', client: 'dashboard' });
    expect(first.redeployOf).toBeUndefined();
    await api.ports.store.fold(first.deploymentId, [
      event(60 * 60 * 24 * 365 * 10, { type: 'deployment.analyzed', plan: frontendPlan() }, first.deploymentId),
    ]);
    const second = await ask(`/deployments/${first.deploymentId}/redeploy`, undefined, 'command');
    expect(second).toMatchObject({ askedBy: { token: 'laptop', client: 'command' }, redeployOf: first.deploymentId });
    expect(second.ref).toBe(COMMIT);

    // Of other programs nothing is said, whatever they send.
    expect((await ask('/deployments', valid, '<b>my tool</b>', 'ada')).askedBy).toEqual({ token: 'ada' });
    expect((await ask('/deployments', valid, undefined, 'ada')).askedBy).toEqual({ token: 'ada' });
  });

  it('is kept by the first of equal requests', async () => {
    const api = await apiFixture();
    const ask = (client: string) =>
      api.call('POST', '/deployments', valid, { headers: { 'Idempotency-Key': 'k', 'Veren-Client': client } });
    const [first, repeat] = [await ask('dashboard'), await ask('command')];
    expect(repeat.body.deploymentId).toBe(first.body.deploymentId);
    const { body } = await api.call('GET', `/deployments/${first.body.deploymentId}`);
    expect(body.askedBy).toEqual({ token: 'ada', client: 'dashboard' });
  });
});
