import semver from 'semver';
import { VerenError } from '../../../../contract/errors.ts';
import { DEFAULT_NODE_MAJOR, NODE_LINES, NODE_MAJORS, type NodeMajor } from '../../../../contract/node-lines.ts';
import { upward } from '../../../../contract/repo-fs.ts';
import type { Findings } from './findings.ts';
import { nodeStatements, type Statement } from './nodeSources.ts';
import type { Snapshot } from './snapshot.ts';

/** Code names of the LTS lines; those before the first that has a builder are named here. Source: https://github.com/nodejs/release#release-schedule */
const LTS_NAMES: Readonly<Record<string, number>> = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  ...Object.fromEntries(NODE_MAJORS.map((major) => [NODE_LINES[major].codeName, major])),
};
/** Lines in which a version is long-term supported: all builders' are. Newest first, for `lts/-1`. */
const LTS_MAJORS = [...NODE_MAJORS].sort((a, b) => b - a);
/** Names of the newest line, LTS or not: the newest builder stands for both. Sources: nvm, fnm, n, nodenv, asdf, mise. */
const NEWEST = [
  'lts',
  'lts/*',
  'lts/latest',
  'lts-latest',
  'lts_latest',
  'node',
  'latest',
  'current',
  'stable',
  'active',
];
const MAX_STATEMENT = 256;

/** What may stand before a version: `v22`, `node-v22`, `node/22`, asdf's `latest:22`, `latest-v22.x` of Node's own folders. */
const VERSION_PREFIX = /^(?:node[-/@]?|latest[:-])?v?(?=\d)/;

type Meaning =
  | { readonly kind: 'major'; readonly major: number }
  | { readonly kind: 'range'; readonly range: string }
  /** Not a version: the statement says nothing. */
  | { readonly kind: 'none' };

/**
 * The Node major for a folder. The folder nearest to it that states anything decides, and within a folder the order is
 * `.nvmrc`, `.node-version`, `.tool-versions`, mise, `volta`, `devEngines`, `engines`. `today` is an ISO date: lines
 * past their end of life are taken only where nothing else fits. Throws NODE_VERSION_UNSUPPORTED.
 */
export function chooseNodeVersion(repo: Snapshot, dir: string, today: string, findings: Findings): NodeMajor {
  for (const at of upward(dir)) {
    const statements = nodeStatements(repo, at, findings);
    const first = statements.find((statement) => {
      const useful = meaningOf(statement.text).kind !== 'none';
      if (!useful)
        findings.warn(
          `${statement.file}: "${shortenText(statement.text)}" (${statement.rule}) is not a Node version; it was ignored.`,
        );
      return useful;
    });
    if (!first) continue;
    const major = resolveStatement(first, today, findings);
    warnOfContradiction(major, first, statements, findings);
    if (isNarrower(first.text, major))
      findings.warn(
        `${first.file} (${first.rule}) asks for Node ${shortenText(first.text)}; the builders' version of Node ${major} is used.`,
      );
    return findings.because('nodeVersion', major, `${first.rule}: ${shortenText(first.text)}`, first.file);
  }
  return findings.because('nodeVersion', DEFAULT_NODE_MAJOR, 'default: the newest LTS line');
}

function resolveStatement(statement: Statement, today: string, findings: Findings): NodeMajor {
  const meaning = meaningOf(statement.text);
  const fitting =
    meaning.kind === 'major'
      ? NODE_MAJORS.filter((m) => m === meaning.major)
      : meaning.kind === 'range'
        ? NODE_MAJORS.filter((m) => semver.intersects(meaning.range, `${m}.x`))
        : [];
  const newest = fitting.filter((m) => NODE_LINES[m].endOfLife > today).at(-1) ?? fitting.at(-1);
  if (newest === undefined)
    throw new VerenError('NODE_VERSION_UNSUPPORTED', {
      file: statement.file,
      wanted: shortenText(statement.text),
      offered: NODE_MAJORS.join(', '),
    });
  if (NODE_LINES[newest].endOfLife <= today)
    findings.warn(
      `${statement.file} asks for Node ${shortenText(statement.text)}: Node ${newest} has had no security fixes since ${NODE_LINES[newest].endOfLife}.`,
    );
  return newest;
}

/** What a statement means: aliases of nvm, n and asdf, code names, versions, ranges. */
export function meaningOf(statement: string): Meaning {
  const text = statement.trim().toLowerCase();
  if (text === '' || text.length > MAX_STATEMENT) return { kind: 'none' };
  if (NEWEST.includes(text)) return { kind: 'major', major: DEFAULT_NODE_MAJOR };
  const older = /^lts\/?-(\d{1,2})$/.exec(text);
  if (older) return { kind: 'major', major: LTS_MAJORS[Number(older[1])] ?? 0 };
  const codeName = /^(?:lts\/|lts-)?([a-z]+)$/.exec(text)?.[1];
  if (codeName !== undefined) {
    const major = Object.hasOwn(LTS_NAMES, codeName) ? LTS_NAMES[codeName] : undefined;
    return major === undefined ? { kind: 'none' } : { kind: 'major', major };
  }
  const plain = text.replace(VERSION_PREFIX, '');
  const exact = /^(\d{1,3})(?:\.(?:\d{1,4}|x|\*)){0,2}$/.exec(plain);
  if (exact) return { kind: 'major', major: Number(exact[1]) };
  if (semver.valid(plain)) return { kind: 'major', major: semver.major(plain) };
  return semver.validRange(text) === null ? { kind: 'none' } : { kind: 'range', range: text };
}

/** Asks for a version that the newest one of the major need not be: `22.4.1`, `~22.4.0`. */
function isNarrower(statement: string, major: NodeMajor): boolean {
  const text = statement.trim().toLowerCase().replace(VERSION_PREFIX, '');
  const range = text.length > MAX_STATEMENT ? null : semver.validRange(text);
  return range !== null && semver.intersects(range, `${major}.x`) && !semver.satisfies(`${major}.9999.9999`, range);
}

/**
 * Whether Yarn 1 could refuse the builder's version of a major: it compares `engines.node` of every package that it installs
 * with the exact version that runs, the newest of the major.
 */
export function isRefusedByEngines(range: string | undefined, major: NodeMajor): boolean {
  if (range === undefined || range.length > MAX_STATEMENT || semver.validRange(range) === null) return false;
  return !semver.satisfies(`${major}.9999.9999`, range);
}

function warnOfContradiction(major: NodeMajor, first: Statement, all: readonly Statement[], findings: Findings): void {
  for (const other of all) {
    if (other === first) continue;
    const meaning = meaningOf(other.text);
    const agrees =
      meaning.kind === 'none' ||
      (meaning.kind === 'major' ? meaning.major === major : semver.intersects(meaning.range, `${major}.x`));
    if (!agrees)
      findings.warn(
        `${first.file} (${first.rule}) decides for Node ${major}, but ${other.file} (${other.rule}) asks for ${shortenText(other.text)}.`,
      );
  }
}

const shortenText = (text: string) =>
  (text.length > 60 ? `${text.slice(0, 60)}…` : text).replace(/[\u0000-\u001f\u007f]/g, '?').trim();
