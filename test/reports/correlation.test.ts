import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { makeRepo } from '../support/gitServer.ts';
import { usePlatform } from '../support/veren.ts';

const platform = usePlatform();

test('one id leads from the answer of the API to the log of the platform, the record and the line of the builder', async () => {
  await makeRepo(join(platform.folder, 'repo'), { 'index.html': '<p>hi' });
  const correlationId = 'ticket-4711.a';
  const headers = {
    Authorization: `Bearer ${platform.veren.token}`,
    'Content-Type': 'application/json',
    'X-Request-Id': correlationId,
  };
  const body = JSON.stringify({
    projectId: 'traced',
    gitUrl: pathToFileURL(join(platform.folder, 'repo')).href,
    backend: false,
  });
  const answer = await fetch(`${platform.veren.url}/deployments`, { method: 'POST', headers, body });
  expect([answer.status, answer.headers.get('X-Request-Id')]).toEqual([202, correlationId]);
  const { deploymentId } = (await answer.json()) as { deploymentId: string };
  const done = await platform.veren.finished(deploymentId);
  expect(done).toMatchObject({ status: 'succeeded', correlationId });

  // The last line is written when the record is already there.
  for (const part of [
    'api: A deployment was accepted',
    'clone-worker: A repository was analyzed',
    'build-worker: A build was started',
    'event-projector: A deployment has ended',
  ])
    await eventually(() =>
      platform.veren.logged.some((line) =>
        [part, `correlationId=${correlationId}`, `deploymentId=${deploymentId}`].every((text) => line.includes(text)),
      ),
    );

  // What CloudWatch has of a builder on AWS.
  const tasks = join(platform.folder, 'data', 'ecs');
  const files = (await readdir(tasks, { recursive: true })).filter((name) => name.endsWith('.log'));
  const output = (await Promise.all(files.map((file) => readFile(join(tasks, file), 'utf8')))).join('');
  expect(
    output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  ).toContainEqual(
    expect.objectContaining({
      function: 'builder',
      message: 'The build was published',
      correlationId,
      deploymentId,
      attempt: 1,
    }),
  );
}, 180_000);
