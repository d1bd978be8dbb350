import semver from 'semver';
import { NODE_LINES, type NodeMajor } from '../../../../contract/node-lines.ts';
import { join, upward } from '../../../../contract/repo-fs.ts';
import type { Findings } from './findings.ts';
import type { Snapshot } from './snapshot.ts';

/** Lines of npm that may be asked for. 6 is the oldest that Node 18 runs. */
const OLDEST = 6;
const NEWEST = 20;
/** npm 11 needs Node 20. Source: `engines` of the npm package. */
const NEEDS_NODE_20 = 11;
const MAX_RANGE = 128;

/**
 * The npm that a package asks for beside `packageManager`, where the one that comes with its Node is another: `volta.npm`,
 * else `engines.npm` of the nearest package.json that has one. Undefined where the bundled one will do.
 */
export function chooseNpmVersion(
  repo: Snapshot,
  dir: string,
  nodeMajor: NodeMajor,
  findings: Findings,
): string | undefined {
  for (const at of upward(dir)) {
    const file = join(at, 'package.json');
    const pkg = repo.packageJson(at);
    const pinned = semver.valid(pkg?.volta.get('npm'));
    if (pinned) return findings.because('packageManager.version', pinned, 'volta.npm', file);
    const range = pkg?.engines.get('npm');
    if (range === undefined) continue;
    const version = fitting(range, nodeMajor);
    if (version === 'bundled') return undefined;
    if (version !== null) return findings.because('packageManager.version', version, 'engines.npm', file);
    findings.warn(
      `${file}: no npm that runs on Node ${nodeMajor} is known for engines.npm "${range.slice(0, 60).replace(/[^\x20-\x7e]/g, '?')}"; the one of Node is used.`,
    );
    return undefined;
  }
  return undefined;
}

/** An exact version, the major of the nearest line that fits, or that the bundled one fits; null where none does. */
function fitting(text: string, nodeMajor: NodeMajor): string | 'bundled' | null {
  const bundled = NODE_LINES[nodeMajor].npm;
  const range = text.length > MAX_RANGE ? null : semver.validRange(text);
  if (range === null) return null;
  const exact = semver.valid(text.trim());
  if (exact) return runsOn(semver.major(exact), nodeMajor) ? exact : null;
  if (semver.intersects(range, `${bundled}.x`)) return 'bundled';
  const older = lines(OLDEST, bundled - 1).reverse();
  const newer = lines(bundled + 1, NEWEST);
  const major = [...older, ...newer].find((m) => runsOn(m, nodeMajor) && semver.intersects(range, `${m}.x`));
  return major === undefined ? null : versionWithin(range, major);
}

/** The major where the range holds all of it, else the lowest version of it that the range holds. */
export function versionWithin(range: string, major: number): string | null {
  if (semver.subset(`${major}.x`, range)) return String(major);
  const within = `${range
    .split('||')
    .map((part) => `${part} >=${major}.0.0 <${major + 1}.0.0-0`)
    .join(' || ')}`;
  return semver.validRange(within) === null ? null : (semver.minVersion(within)?.version ?? null);
}

const runsOn = (npmMajor: number, nodeMajor: NodeMajor) => npmMajor < NEEDS_NODE_20 || nodeMajor >= 20;
const lines = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
