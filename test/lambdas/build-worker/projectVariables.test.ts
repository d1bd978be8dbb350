import { BuildJobSchema } from '../../../contract/jobs.ts';
import { LANES } from '../../../contract/lanes.ts';
import { readVariables } from '../../../lambdas/build-worker/services/projectVariables.ts';
import { settingChange } from '../../../lambdas/shared/projects/changeVariables.ts';
import { openVariableStore } from '../../../lambdas/shared/projects/variableStore.ts';
import { testSecretBox } from '../../support/api.ts';
import { frontendPlan } from '../../support/events.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

test('what a build is given depends on its environment and lane; the lane `untrusted` gets no secret', async () => {
  const box = testSecretBox();
  const variables = openVariableStore({ s3: memoryS3(), bucket: 'b', clock: { now: Date.now } });
  const set = async (setting: Parameters<typeof settingChange>[3]) =>
    variables.change('shop', await settingChange(box, 'shop', 'ada', setting));
  await set({ env: { TOKEN: 's3cret' }, secret: true, seenBy: ['install'] });
  await set({ env: { KEY: 'of-preview' }, secret: true, environments: ['preview'] });
  await set({ env: { PLAIN: 'p' } });
  const job = {
    ...{ deploymentId: '01a', projectId: 'shop', owner: 'ada', target: 'frontend', commit: 'a'.repeat(40) },
    ...{ gitUrl: 'https://git.example/a.git', plan: frontendPlan().frontend, env: { ONE: '1' } },
  };
  const seen = await Promise.all(
    LANES.map((lane) =>
      readVariables(
        { secretBox: box, variables },
        BuildJobSchema.parse({
          ...{ ...job, lane },
          variables: { version: 3, environment: lane === 'production' ? 'production' : 'preview' },
        }),
      ),
    ),
  );
  expect(seen).toMatchObject([
    { shared: { ONE: '1', PLAIN: 'p' }, installOnly: { TOKEN: 's3cret' }, secret: ['TOKEN'], plain: ['PLAIN'] },
    { shared: { ONE: '1', PLAIN: 'p', KEY: 'of-preview' }, installOnly: { TOKEN: 's3cret' } },
    { shared: { ONE: '1', PLAIN: 'p' }, installOnly: {}, buildOnly: {}, secret: [] },
  ]);
  expect(seen[0]?.shared).not.toHaveProperty('KEY');
  expect(seen[2]?.shared).not.toHaveProperty('KEY');
  expect(await readVariables({ secretBox: box, variables }, BuildJobSchema.parse(job))).toBeUndefined();
});
