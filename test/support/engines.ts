import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The file of that name on PATH, or null. */
export function onPath(name: string): string | null {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/**
 * `describe` for a suite that needs an engine. Where `missing` says what is not there, the suite is skipped with that
 * reason in its title, or fails under VEREN_REQUIRE_ENGINES=1: then a green run means that everything ran.
 */
export function describeWith(missing: string | null, title: string, suite: () => void): void {
  if (missing === null) return void describe(title, suite);
  if (process.env.VEREN_REQUIRE_ENGINES === '1') {
    describe(title, () => {
      test('its engine is there', () => {
        throw new Error(missing);
      });
    });
    return;
  }
  describe.skip(`${title} (skipped: ${missing})`, suite);
}

/** For suites of minutes: they run where everything must (VEREN_REQUIRE_ENGINES=1), or where somebody asks for them. */
export const tooSlow =
  process.env.VEREN_REQUIRE_ENGINES === '1' || process.env.VEREN_SLOW === '1'
    ? null
    : 'takes minutes; VEREN_SLOW=1 runs it';
