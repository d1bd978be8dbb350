import type { CommandContext } from '../../cli/commandContext.ts';
import { releaseVariables } from '../../cli/variables/releaseVariables.ts';
import type { NextRelease } from '../../contract/project.ts';
import type { ReleaseHistory } from '../../contract/releases.ts';

const base = { projectId: 'shop', release: null, pinned: null, releases: [] };
const next = (over: Partial<NextRelease> = {}) =>
  ({
    ...base,
    nextRelease: { releaseId: 'r1', deploymentId: 'd', variables: { version: 2 }, ...over },
  }) as ReleaseHistory;

/** The history as it is asked for, one look after the other. */
async function run(first: ReleaseHistory, ...later: ReleaseHistory[]) {
  const said: string[] = [];
  const shell = { stderr: { write: (text: string) => said.push(text) } };
  const client = { releaseVariables: async () => first, getReleases: async () => later.shift() };
  const context = { shell, client, style: { safe: (text: string) => text } } as unknown as CommandContext;
  const code = await releaseVariables(context, 'shop', { json: false } as never);
  return { code, said: said.join(''), left: later.length };
}

test('it ends when production has switched, and says what does not change', async () => {
  const done = await run({ ...next(), note: 'The site keeps its own.' }, next(), base as ReleaseHistory);
  expect(done).toMatchObject({ code: 0, left: 0 });
  expect(done.said).toContain('runs with the current variables.\nThe site keeps its own.');
});

test('a backend that does not start is a failure with its last lines', async () => {
  const error = { code: 'SERVICE_EXITED', message: 'The backend ended.', lastLines: ['no database'] };
  const failed = await run(next(), next({ error } as never));
  expect(failed.code).toBe(1);
  expect(failed.said).toContain('Production stays as it is: The backend ended.\n  | no database');
});

test('another release that came meanwhile is no failure, and what runs already is not waited for', async () => {
  const error = { code: 'SERVICE_EXITED', message: 'x' };
  expect((await run(next(), next({ releaseId: 'r2', error } as never))).code).toBe(0);
  expect((await run(base as ReleaseHistory)).code).toBe(0);
});
