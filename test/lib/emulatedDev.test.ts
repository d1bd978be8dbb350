import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../lib/config.ts';
import { overriddenStages } from '../support/devOverrides.ts';
import { ROOT } from '../support/veren.ts';

const overrides = JSON.parse(readFileSync(join(ROOT, '.ci/aws/overrides.json'), 'utf8')) as {
  key: string;
  reason: string;
}[];
const { stages } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context;

it('deploys stage dev to the emulator with at most five overrides, each with its reason', () => {
  expect(overrides.length).toBeLessThanOrEqual(5);
  for (const { reason } of overrides) expect(reason.length).toBeGreaterThan(20);
});

it('changes nothing of stage dev but these', () => {
  const [usual, emulated] = [stages, overriddenStages(stages)].map((it) => flat(loadConfig('dev', it)));
  const changed = [...emulated!.keys()].filter((key) => emulated!.get(key) !== usual!.get(key));
  expect(changed.sort()).toEqual(overrides.map(({ key }) => key).sort());
});

it('are those that docs/decisions/local-stage-dev.md explains', () => {
  const text = readFileSync(join(ROOT, 'docs/decisions/local-stage-dev.md'), 'utf8');
  for (const { key } of overrides) expect(text).toContain(`\`${key}\``);
});

/** Keys with dots → values. */
function flat(value: unknown, path: string[] = []): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) return new Map([[path.join('.'), value]]);
  return new Map(Object.entries(value).flatMap(([key, item]) => [...flat(item, [...path, key])]));
}
