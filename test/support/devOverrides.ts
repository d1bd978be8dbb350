import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './veren.ts';

type Settings = { [key: string]: unknown };

/** The stages of cdk.json with what `.ci/aws/overrides.json` changes of `dev` for the emulator. */
export function overriddenStages(stages: Settings): Settings {
  const overrides = JSON.parse(readFileSync(join(ROOT, '.ci/aws/overrides.json'), 'utf8'));
  const dev = structuredClone(stages.dev) as Settings;
  for (const { key, value } of overrides as { key: string; value: unknown }[]) {
    const path = key.split('.');
    const last = path.pop()!;
    let at = dev;
    for (const part of path) {
      at[part] ??= {};
      at = at[part] as Settings;
    }
    at[last] = value;
  }
  return { ...stages, dev };
}
