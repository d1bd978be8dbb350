import fc from 'fast-check';
import { ENVIRONMENTS, LANES } from '../../../../contract/lanes.ts';
import { SEEN_BY, type SealedVariable, type SeenBy } from '../../../../contract/project-variables.ts';
import { mergeVariables } from '../../../../lambdas/build-worker/services/projectVariables.ts';
import { type Setting, settingChange, withoutVariables } from '../../../../lambdas/shared/projects/changeVariables.ts';
import { openVariable, openVariables } from '../../../../lambdas/shared/projects/sealVariables.ts';
import { openVariableStore } from '../../../../lambdas/shared/projects/variableStore.ts';
import { viewVariables } from '../../../../lambdas/shared/projects/viewVariables.ts';
import { type SecretKeys, secretBox } from '../../../../lambdas/shared/secretBox.ts';
import { resealVariables } from '../../../../operator/reseal/resealVariables.ts';
import { memoryS3 } from '../../../support/memoryS3.ts';

const keys: SecretKeys = { current: '1', 'key-1': 'a'.repeat(40), 'key-2': 'b'.repeat(40) };
const box = secretBox(async () => keys);

function open(now = Date.now) {
  const s3 = memoryS3();
  const variables = openVariableStore({ s3, bucket: 'b', clock: { now } });
  const set = async (setting: Setting, projectId = 'shop') =>
    variables.change(projectId, await settingChange(box, projectId, 'ada', setting));
  return { s3, variables, set };
}

describe('versions', () => {
  test('of many changes at once none is lost, and every version that there was can be read', async () => {
    const { variables, set } = open();
    const names = Array.from({ length: 12 }, (_, i) => `NAME_${i}`);
    await Promise.all(names.map((name) => set({ env: { [name]: name } })));
    const current = await variables.current('shop');
    expect(current?.version).toBe(12);
    expect(new Set(current?.variables.map(({ name }) => name))).toEqual(new Set(names));
    for (let version = 1; version <= 12; version++) {
      const then = await variables.at('shop', version);
      expect([then.version, then.variables.length]).toEqual([version, version * ENVIRONMENTS.length]);
    }
    await expect(variables.at('shop', 13)).rejects.toMatchObject({ code: 'VARIABLES_LOST' });
    await expect(variables.at('other', 1)).rejects.toMatchObject({ code: 'VARIABLES_LOST' });
  });

  test('a change that changes nothing makes no version', async () => {
    const { variables, set, s3 } = open();
    const remove = (name: string) => variables.change('shop', (before) => withoutVariables(before, ENVIRONMENTS, name));
    expect(await remove('NONE')).toBeNull();
    await set({ env: { A: '1' } });
    expect((await remove('NONE'))?.version).toBe(1);
    expect((await set({ env: {} }))?.version).toBe(1);
    expect([...s3.objects.keys()]).toEqual(['__variables/shop/current.json']);
  });

  test('the sweep keeps what is newest, in use, or was replaced not long ago', async () => {
    let days = 0;
    const { variables, set, s3 } = open(() => Date.now() + days * 86_400_000);
    for (const value of ['1', '2', '3', '4']) await set({ env: { A: value } });
    expect(await variables.sweep('shop', async () => new Set())).toEqual([]);
    days = 2;
    expect(await variables.sweep('shop', async () => null)).toEqual([]);
    expect(await variables.sweep('shop', async () => new Set([2]))).toEqual([1, 3]);
    expect([...s3.objects.keys()].sort()).toEqual(['__variables/shop/2.json', '__variables/shop/current.json']);
    expect((await variables.at('shop', 2)).version).toBe(2);
    expect((await variables.at('shop', 4)).version).toBe(4);
    await set({ env: { A: '5' } });
    expect((await variables.at('shop', 4)).version).toBe(4);
  });
});

describe('who sees a variable', () => {
  test('is part of what is sealed: nobody who can write to the bucket changes it, or gives a secret to another project', async () => {
    const { set } = open();
    const made = await set({
      env: { TOKEN: 's3cret' },
      secret: true,
      environments: ['production'],
      seenBy: ['install'],
    });
    const [token] = made!.variables as [SealedVariable];
    expect(await openVariable(box, 'shop', token)).toBe('s3cret');
    const forged: [string, Partial<SealedVariable>][] = [
      ['shop', { secret: false }],
      ['shop', { environment: 'preview' }],
      ['shop', { seenBy: ['install', 'build'] }],
      ['shop', { name: 'OTHER' }],
      ['other', {}],
    ];
    for (const [projectId, change] of forged)
      await expect(openVariable(box, projectId, { ...token, ...change })).rejects.toMatchObject({
        code: 'VARIABLES_UNREADABLE',
      });
  });

  const setting = fc.record({
    env: fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.string({ minLength: 4 }), { minKeys: 1 }),
    secret: fc.boolean(),
    environments: fc.uniqueArray(fc.constantFrom(...ENVIRONMENTS), { minLength: 1 }),
    seenBy: fc.uniqueArray(fc.constantFrom(...SEEN_BY), { minLength: 1 }),
    replace: fc.boolean(),
  });

  test('in each environment a name has the value that was set there last, and what only others may see is never opened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(setting, { minLength: 1, maxLength: 6 }), async (settings) => {
        const { variables, set } = open();
        const model = new Map<string, { value: string; secret: boolean; seenBy: readonly SeenBy[] }>();
        for (const one of settings) {
          await set(one);
          for (const environment of one.environments) {
            if (one.replace) for (const key of model.keys()) if (key.startsWith(`${environment} `)) model.delete(key);
            for (const [name, value] of Object.entries(one.env))
              model.set(`${environment} ${name}`, { value, secret: one.secret, seenBy: one.seenBy });
          }
        }
        const current = (await variables.current('shop'))!;
        for (const environment of ENVIRONMENTS)
          for (const lane of LANES)
            for (const step of SEEN_BY) {
              const seen = await openVariables(box, current, { environment, lane, steps: [step] });
              const expected = [...model]
                .filter(([key, v]) => key.startsWith(`${environment} `) && v.seenBy.includes(step))
                .filter(([, v]) => lane !== 'untrusted' || !v.secret)
                .map(([key, { value }]) => [key.split(' ')[1], value]);
              expect(Object.fromEntries(seen.map(({ name, value }) => [name, value]))).toEqual(
                Object.fromEntries(expected),
              );
            }
        const views = await viewVariables(box, current);
        expect(views.flatMap(({ environments, name }) => environments.map((e) => `${e} ${name}`)).sort()).toEqual(
          [...model.keys()].sort(),
        );
        for (const view of views) expect('value' in view).toBe(!view.secret);
      }),
      { numRuns: 40 },
    );
  });

  test('a request’s variable takes the place of the project’s, and is seen by both commands as ever', () => {
    const of = (name: string, secret: boolean, ...seenBy: SeenBy[]) => ({ name, secret, seenBy, value: `of-${name}` });
    const project = [
      of('BOTH', true, 'install', 'build', 'run'),
      of('INSTALL', true, 'install'),
      of('BUILD', false, 'build', 'run'),
      of('GIVEN', true, 'install'),
    ];
    expect(mergeVariables({ GIVEN: 'mine', MORE: 'm' }, project)).toEqual({
      shared: { BOTH: 'of-BOTH', GIVEN: 'mine', MORE: 'm' },
      installOnly: { INSTALL: 'of-INSTALL' },
      buildOnly: { BUILD: 'of-BUILD' },
      plain: ['BUILD'],
      secret: ['BOTH', 'INSTALL'],
    });
  });
});

test('the limits of a request hold for each environment', async () => {
  const { set } = open();
  const many = (from: number) => Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`N${from + i}`, 'v']));
  await set({ env: many(0), environments: ['production'] });
  await set({ env: many(100), environments: ['preview'] });
  await expect(set({ env: many(200), environments: ['preview'] })).rejects.toMatchObject({
    code: 'TOO_MANY_VARIABLES',
  });
  await set({ env: { BIG: 'é'.repeat(30_000) }, environments: ['production'] });
  await expect(set({ env: { MORE: 'x'.repeat(20_000) }, environments: ['production'] })).rejects.toMatchObject({
    code: 'TOO_MANY_VARIABLES',
  });
});

test('after a change of the data key everything is sealed anew, earlier versions too, and the old key can go', async () => {
  const { s3, variables, set } = open();
  await set({ env: { A: 'of-1' }, secret: true });
  await set({ env: { A: 'of-2' } });
  const rotated = secretBox(async () => ({ ...keys, current: '2' }));
  const reader: Parameters<typeof openVariables>[2] = { environment: 'preview', lane: 'preview', steps: ['run'] };
  const valuesOf = async (opener: typeof box, version: number) =>
    (await openVariables(opener, await variables.at('shop', version), reader)).map(({ value }) => value);
  expect(await valuesOf(rotated, 1)).toEqual(['of-1']);
  const place = { s3, bucket: 'b', box: rotated };
  expect(await resealVariables(place, '2')).toBe(4);
  expect(await resealVariables(place, '2')).toBe(0);
  const without = secretBox(async () => ({ current: '2', 'key-2': keys['key-2']! }));
  expect([await valuesOf(without, 1), await valuesOf(without, 2)]).toEqual([['of-1'], ['of-2']]);
  expect((await variables.current('shop'))?.version).toBe(2);
});
