import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildJob, DeploymentRequest } from '../../../contract/jobs.ts';
import type { ProjectRequest } from '../../../lambdas/clone-worker/projectSettings.ts';
import { drainCloneQueue } from '../../../lambdas/clone-worker/workers/clone.ts';
import { openBuildJob } from '../../../lambdas/shared/sealedRequest.ts';
import { secretBox } from '../../../lambdas/shared/secretBox.ts';
import { type MemoryPlatform, openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { laptopSecretKeys } from '../../../local/platform/secretKeys.ts';
import { requested } from '../../ports/deployments.ts';
import { apiFixture } from '../../support/api.ts';
import { frontendPlan } from '../../support/events.ts';
import { recordingLog } from '../../support/log.ts';
import { noProjects } from '../../support/noProjects.ts';
import { temporaryFolder } from '../../support/veren.ts';

const SECRETS = ['t0ken-of-the-host', 'v4lue-of-a-variable', 'NAME_OF_A_VARIABLE'];
const request: DeploymentRequest = {
  projectId: 'site',
  gitUrl: 'https://git.example/me/site.git',
  gitToken: SECRETS[0]!,
  env: { [SECRETS[2]!]: SECRETS[1]! },
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let dataDir: string;
let ports: MemoryPlatform;
const { log, lines: logged } = recordingLog();
beforeEach(async () => {
  folder = await temporaryFolder();
  dataDir = join(folder.path, 'data');
  ports = await openMemoryPlatform({ dataDir, clock: { now: Date.now } });
});
afterEach(async () => {
  await ports.close();
  await folder.remove();
});

const box = async () => {
  const keys = await laptopSecretKeys(dataDir);
  return secretBox(async () => keys);
};
const apiOn = async () => apiFixture({ ...ports, secretBox: await box() });
/** The clone-worker over what waits. Gives what it was asked to analyze. */
async function analyzeAll(): Promise<DeploymentRequest[]> {
  const asked: DeploymentRequest[] = [];
  const analyze = async ({ fromProject: _, ...r }: ProjectRequest) => {
    asked.push(r);
    return frontendPlan();
  };
  const [clock, secretBox] = [{ now: Date.now }, await box()];
  await drainCloneQueue({ ...ports, ...noProjects, clock, secretBox, analyze, log });
  return asked;
}
async function textOnDisk(): Promise<string> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  return (await Promise.all(files.map((f) => readFile(f, 'latin1')))).join('\n');
}

describe('git token and variables', () => {
  it('are on disk nowhere in clear text, from the request to the build, and reach both workers', async () => {
    const api = await apiOn();
    const { deploymentId } = (await api.call('POST', '/deployments', request)).body;
    expect(await analyzeAll()).toEqual([request]);
    const again = (await api.call('POST', `/deployments/${deploymentId}/redeploy`)).body;
    expect((await analyzeAll())[0]).toMatchObject({ gitToken: request.gitToken, env: request.env });

    const jobs = await ports.queue.list('build', 'waiting');
    expect(jobs.map((j) => (j.data as BuildJob).deploymentId)).toEqual([deploymentId, again.deploymentId]);
    for (const job of jobs)
      expect(await openBuildJob(await box(), job.data as BuildJob)).toMatchObject({
        gitToken: request.gitToken,
        env: request.env,
      });
    await ports.close();
    const text = await textOnDisk();
    expect(text).toContain(deploymentId);
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    expect(JSON.stringify(logged)).not.toMatch(new RegExp(SECRETS.join('|')));
  });

  it('of an earlier version, in clear text, are still read', async () => {
    const old = { ...requested('old1'), projectId: 'site', owner: 'ada' };
    const data = { deploymentId: 'old1', projectId: 'site', owner: 'ada', request };
    const job = { queue: 'clone' as const, id: 'old1', owner: 'ada', projectId: 'site', data };
    await ports.store.create({ requested: old, request, job });
    const api = await apiOn();
    expect(await analyzeAll()).toEqual([request]);
    const [build] = await ports.queue.list('build', 'waiting');
    expect(await openBuildJob(await box(), build?.data as BuildJob)).toMatchObject({
      gitToken: request.gitToken,
      env: request.env,
    });
    const again = await api.call('POST', '/deployments/old1/redeploy');
    expect(again.status).toBe(202);
    expect((await ports.queue.get('clone', again.body.deploymentId))?.data).toMatchObject({
      request: { sealed: expect.any(String) },
    });
  });

  it('that were sealed with a key that is gone: a sentence, and the deployment ends', async () => {
    const api = await apiOn();
    const { deploymentId } = (await api.call('POST', '/deployments', request)).body;
    await writeFile(join(dataDir, 'secret-keys.json'), JSON.stringify({ current: '2', 'key-2': 'x'.repeat(43) }));
    const later = await apiOn();
    const answer = await later.call('POST', `/deployments/${deploymentId}/redeploy`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'SECRETS_UNREADABLE' } });
    expect(await analyzeAll()).toEqual([]);
    expect(await ports.queue.get('clone', deploymentId)).toBeNull();
  });

  it('cannot be moved to a deployment of somebody else', async () => {
    const api = await apiOn();
    await api.call('POST', '/deployments', request);
    const [theirs] = await ports.queue.list('clone', 'waiting');
    const { sealed } = (theirs!.data as { request: { sealed: string } }).request;
    const data = {
      deploymentId: 'mine',
      projectId: 'mine',
      owner: 'eve',
      request: { projectId: 'mine', gitUrl: 'https://h/x', sealed },
    };
    await ports.queue.enqueue('clone', { id: 'mine', owner: 'eve', projectId: 'mine', data });
    expect((await analyzeAll()).map((r) => r.projectId)).toEqual(['site']);
  });

  it('cannot be given as `sealed` by a client', async () => {
    const api = await apiOn();
    const answer = await api.call('POST', '/deployments', {
      projectId: 'site',
      gitUrl: request.gitUrl,
      sealed: '1.1.x',
    });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'sealed' }] } });
  });

  it('a repeat with the same key is the same request, another variable is not', async () => {
    const api = await apiOn();
    const headers = { 'Idempotency-Key': 'k' };
    const first = await api.call('POST', '/deployments', request, { headers });
    expect((await api.call('POST', '/deployments', request, { headers })).body).toEqual(first.body);
    const other = { ...request, env: { ...request.env, B: '1' } };
    expect((await api.call('POST', '/deployments', other, { headers })).status).toBe(422);
  });
});

describe('the key file', () => {
  it('is made once, for its owner only, and a broken one is named but not quoted', async () => {
    const keys = await laptopSecretKeys(dataDir);
    const file = join(dataDir, 'secret-keys.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await laptopSecretKeys(dataDir)).toEqual(keys);
    await writeFile(file, '{"current":"1","key-1":"s3cret"');
    const error = await laptopSecretKeys(dataDir).catch((e: Error) => e);
    expect(error).toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
    expect((error as Error).message).toContain(file);
    expect((error as Error).message).not.toContain('s3cret');
  });
});
