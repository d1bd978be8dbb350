import { type DockerfileFacts, MAX_DOCKERFILE_BYTES, readDockerfile } from '../../../../contract/dockerfile.ts';
import { VerenError } from '../../../../contract/errors.ts';
import { DEFAULT_NODE_MAJOR } from '../../../../contract/node-lines.ts';
import type { TargetPlan } from '../../../../contract/plan.ts';
import { depth, join, type RepoFs } from '../../../../contract/repo-fs.ts';
import type { DetectRequest } from './detectRequest.ts';
import type { Findings } from './findings.ts';
import type { Forced, Proposal } from './language.ts';
import { isWithin, normalisePath } from './repoPath.ts';
import { pathScore } from './score.ts';
import { readSettings } from './settings/readSettings.ts';
import type { Snapshot } from './snapshot.ts';

const NAME = 'Dockerfile';
/** Above every other folder: somebody has asked for it. */
const ASKED = 1_000;
const FOUND = 5;
const MAX_FOLDERS = 20;

interface Place {
  readonly dir: string;
  /** Relative to the folder. */
  readonly dockerfile: string;
  readonly score: number;
  readonly isAsked: boolean;
}

/**
 * The proposals of the languages together with those for the repository's own Dockerfiles. One that the request or a settings
 * file names takes the place of everything else that its folder could be as a backend; one that is only there is proposed
 * where nothing better is known. Throws DOCKERFILE_INVALID.
 */
export async function addDockerfiles(
  repo: Snapshot,
  proposals: readonly Proposal[],
  scope: string,
  request: DetectRequest,
): Promise<readonly Proposal[]> {
  const asked = placesAsked(repo, proposals, scope, request);
  const places = asked.length > 0 ? asked : placesFound(repo, proposals, scope, request);
  if (places.length === 0) return proposals;
  const texts = await readTexts(repo.fs, places);
  const made = places.flatMap((place) => {
    const facts = texts.get(pathOf(place))!;
    return place.isAsked || isService(repo, place, facts) ? [propose(place, facts)] : [];
  });
  const isReplaced = (p: Proposal) =>
    p.target === 'backend' && asked.some(({ dir, score }) => score === ASKED || p.path === dir);
  return [...proposals.filter((p) => !isReplaced(p)), ...made];
}

const pathOf = ({ dir, dockerfile }: Pick<Place, 'dir' | 'dockerfile'>) => normalisePath(join(dir, dockerfile));

function placesAsked(
  repo: Snapshot,
  proposals: readonly Proposal[],
  scope: string,
  { backend }: DetectRequest,
): Place[] {
  if (backend === false) return [];
  if (backend?.dockerfile !== undefined) {
    const dir = backend.path === undefined ? scope : normalisePath(backend.path);
    if (backend.runtime)
      throw invalid(pathOf({ dir, dockerfile: backend.dockerfile }), '"backend.runtime" excludes "backend.dockerfile"');
    return [{ dir, dockerfile: backend.dockerfile, score: ASKED, isAsked: true }];
  }
  // Folders with a settings file of their own.
  const dirs = new Set([...proposals.filter((p) => p.target === 'backend').map((p) => p.path), scope]);
  return [...dirs].flatMap((dir) => {
    const stated = readSettings(repo, dir)?.settings.backend;
    if (!stated || stated.dockerfile === undefined) return [];
    const best = Math.max(...proposals.filter((p) => p.target === 'backend' && p.path === dir).map((p) => p.score));
    const score = Math.max(best, FOUND + pathScore('backend', dir));
    return [{ dir, dockerfile: stated.dockerfile, score, isAsked: true }];
  });
}

/** A Dockerfile in the folder that is looked at, or in one of it that is called as backends are. */
function placesFound(
  repo: Snapshot,
  proposals: readonly Proposal[],
  scope: string,
  { backend, frontend }: DetectRequest,
): Place[] {
  if (backend === false || backend?.runtime) return [];
  const known = proposals.filter((p) => isWithin(scope, p.path) && p.score > 0);
  const named = backend?.path === undefined ? undefined : normalisePath(backend.path);
  if (known.some((p) => p.target === 'backend' && (named === undefined || p.path === named))) return [];
  // What stands beside a site in the root is as likely that site's server as a backend.
  const top = named ?? (frontend === false || known.length === 0 ? scope : undefined);
  const below = named === undefined ? foldersNamedAsBackend(repo.fs, scope) : [];
  const dirs = [...(top === undefined ? [] : [top]), ...below.filter((dir) => !known.some((p) => p.path === dir))];
  return dirs
    .filter((dir) => repo.has(join(dir, NAME)))
    .map((dir) => ({ dir, dockerfile: NAME, score: FOUND + pathScore('backend', dir), isAsked: named !== undefined }));
}

function foldersNamedAsBackend(fs: RepoFs, scope: string): string[] {
  const base = scope === '.' ? 0 : depth(scope);
  return [...fs.directories()]
    .filter((dir) => dir !== scope && isWithin(scope, dir) && depth(dir) - base <= 2 && pathScore('backend', dir) > 0)
    .slice(0, MAX_FOLDERS);
}

/** A package of JavaScript that is no service may have a Dockerfile for its tests or its command line. */
const isService = (repo: Snapshot, { dir }: Place, facts: DockerfileFacts): boolean =>
  facts.stages > 0 && (facts.ports.length > 0 || !repo.has(join(dir, 'package.json')));

async function readTexts(fs: RepoFs, places: readonly Place[]): Promise<ReadonlyMap<string, DockerfileFacts>> {
  for (const place of places) {
    const kind = fs.kind(pathOf(place));
    if (kind === 'symlink') throw invalid(pathOf(place), 'it is a symbolic link, and links are not followed');
    if (kind !== 'file') throw invalid(pathOf(place), 'there is no such file');
  }
  const contents = await fs.read(places.map(pathOf), MAX_DOCKERFILE_BYTES);
  return new Map(
    places.map((place) => {
      const path = pathOf(place);
      const content = contents.get(path);
      if (content?.kind !== 'text') throw invalid(path, 'it is too large or no text');
      const facts = readDockerfile(content.text);
      if (facts.stages === 0 && place.isAsked) throw invalid(path, 'it has no FROM');
      return [path, facts] as const;
    }),
  );
}

const invalid = (path: string, reason: string) => new VerenError('DOCKERFILE_INVALID', { path, reason });

function propose(place: Place, facts: DockerfileFacts): Proposal {
  return {
    target: 'backend',
    runtime: 'docker',
    path: place.dir,
    framework: null,
    score: place.score,
    reason: place.isAsked ? 'its Dockerfile was named' : 'a Dockerfile, and nothing else is known',
    plan: (findings, forced) => planOf(place, facts, findings, forced),
  };
}

function planOf(place: Place, facts: DockerfileFacts, findings: Findings, forced: Forced): TargetPlan {
  const { dir, dockerfile } = place;
  const file = pathOf(place);
  findings.because('dockerfile', dockerfile, NAME, file);
  const port = choosePort(facts, file, findings);
  for (const field of ['startCommand', 'nodeVersion'] as const)
    if (forced[field] !== undefined)
      findings.warn(`"backend.${field}" is not used: ${file} says what the image is made of and what it starts.`);
  for (const type of facts.mounts)
    if (type === 'secret' || type === 'ssh')
      findings.warn(`${file}: "RUN --mount=type=${type}" is given nothing; variables reach a build by ARG.`);
  if (facts.syntax !== null && !/^docker\/dockerfile(?::1(?:\.\d+)*)?$/.test(facts.syntax))
    findings.warn(`${file}: the frontend "${facts.syntax.slice(0, 100)}" of "# syntax=" is not fetched.`);
  return {
    path: dir,
    framework: null,
    language: 'dockerfile',
    packageManager: null,
    runtime: { name: 'docker', version: null },
    nodeVersion: DEFAULT_NODE_MAJOR,
    installPath: dir,
    installCommand: null,
    buildCommand: null,
    startCommand: null,
    port,
    dockerfile,
    evidence: findings.evidence,
  };
}

function choosePort({ ports }: DockerfileFacts, file: string, findings: Findings): number | null {
  if (ports.length === 1) return findings.because('port', ports[0]!, 'EXPOSE of the last stage', file);
  findings.warn(
    ports.length === 0
      ? `${file} has no EXPOSE: the service has to listen on the port that the variable PORT names.`
      : `${file} has EXPOSE for ${ports.slice(0, 5).join(', ')}: the service has to listen on the port that the variable PORT names.`,
  );
  return null;
}
