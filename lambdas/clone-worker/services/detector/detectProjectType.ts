import type { Target } from '../../../../contract/builders.ts';
import { VerenError } from '../../../../contract/errors.ts';
import type { NodeMajor } from '../../../../contract/node-lines.ts';
import { type Candidate, type Plan, runtimeOf, type TargetPlan } from '../../../../contract/plan.ts';
import type { RepoFs } from '../../../../contract/repo-fs.ts';
import type { DetectRequest } from './detectRequest.ts';
import { Findings } from './findings.ts';
import type { Forced, LanguageContext, Proposal } from './language.ts';
import { manifestPaths, packageFolders } from './manifests.ts';
import { nothingToDeploy } from './nothing.ts';
import { withOverrides } from './overrides.ts';
import { addDockerfiles } from './ownDockerfile.ts';
import { LANGUAGES } from './registry.ts';
import { isWithin, normalisePath } from './repoPath.ts';
import { isNamedAsFrontend } from './score.ts';
import { namedFolders, type SettledRequest, settleRequest } from './settings/applySettings.ts';
import { makeSnapshot, type Snapshot } from './snapshot.ts';
import { listUnhonoured } from './unhonoured.ts';

const MAX_CANDIDATES = 40;

/**
 * What is in a repository and how to build it: pure over the port, apart from the batch of contents that it asks for, and
 * a second one where a settings file names a folder without manifests. What the request says wins over the settings
 * files of the repository, and both win over what is found. Throws PATH_NOT_FOUND, NOTHING_TO_DEPLOY, MANIFEST_INVALID,
 * SETTINGS_FILE_INVALID, DOCKERFILE_INVALID, NODE_VERSION_UNSUPPORTED or NEEDS_SERVER.
 */
export async function detectProjectType(fs: RepoFs, given: DetectRequest): Promise<Omit<Plan, 'commit'>> {
  const asked = [
    given.path,
    given.frontend ? given.frontend.path : undefined,
    given.backend ? given.backend.path : undefined,
  ];
  const requested = asked.flatMap((path) => (path === undefined ? [] : [requireFolder(fs, path)]));
  const { repo, named } = await readManifests(fs, requested, given.maxFileBytes);
  const settled = settleRequest(repo, given);
  const { request } = settled;
  const folders = [...new Set([...named, ...packageFolders(fs)])];
  const scope = request.path === undefined ? '.' : normalisePath(request.path);
  const proposeFor = (wanted: LanguageContext['wanted']) => {
    const context: LanguageContext = { repo, folders, wanted, today: request.today };
    return [...new Set([...folders, ...Object.values(wanted)])].flatMap((dir) =>
      LANGUAGES.flatMap((language) => language.propose(dir, context)).filter((p) => !settled.isExcluded(p)),
    );
  };
  const strict = proposeFor({});
  const wanted = findUnmet(strict, scope, request);
  const known = Object.keys(wanted).length === 0 ? strict : proposeFor(wanted);
  const proposals = await addDockerfiles(repo, known, scope, request);

  const choice = chooseProposals(proposals, scope, request);
  const warnings: string[] = [...fs.notes];
  const frontend = choice.frontend && makePlan(choice.frontend, settled, warnings);
  const backend = choice.backend && makePlan(choice.backend, settled, warnings);
  if (!frontend && !backend) throw nothingToDeploy(repo, scope, proposals, request);
  for (const [file, reason] of repo.faults) warnings.push(`${file} was left out: ${reason}.`);
  warnings.push(
    ...choice.warnings,
    ...listEquals(proposals, choice, scope, request),
    ...listUnhonoured(repo, { frontend, backend }, request.git),
    ...settled.warningsFor({ frontend, backend }),
  );
  return {
    ...(frontend ? { frontend } : {}),
    ...(backend ? { backend } : {}),
    ...settled.shared,
    candidates: listCandidates(proposals, choice),
    warnings: [...new Set(warnings)],
  };
}

/** Targets that the request describes and that no folder offers by itself: there, weaker signs are enough. */
function findUnmet(proposals: readonly Proposal[], scope: string, request: DetectRequest): LanguageContext['wanted'] {
  const isMissing = (target: Target) => {
    const asked = request[target];
    if (!asked || bestProposal(proposals, target, scope, asked)) return {};
    return { [target]: asked.path === undefined ? scope : normalisePath(asked.path) };
  };
  return { ...isMissing('frontend'), ...isMissing('backend') };
}

interface Choice {
  readonly frontend?: Proposal | undefined;
  readonly backend?: Proposal | undefined;
  readonly warnings: readonly string[];
}

/**
 * The best of each target. A site that is rendered on a server is built as the backend where nothing else is one, and
 * then no weaker static site (its documentation, say) takes the place of the frontend unasked.
 */
function chooseProposals(proposals: readonly Proposal[], scope: string, request: DetectRequest): Choice {
  const programs = proposals.filter((p) => !p.needsServer);
  const sites = proposals.filter((p) => p.needsServer);
  const known = proposals.filter((p) => !p.unsure);
  const sure = bestProposal(known, 'frontend', scope, request.frontend);
  const frontend = sure ?? unsureFrontend(proposals, scope, request);
  const program = bestProposal(programs, 'backend', scope, request.backend);
  const anySite = frontend !== undefined || bestProposal(sites, 'backend', scope, undefined) !== undefined;
  // `npm start` in the root of a repository with a site somewhere below starts the developers' tools, as a rule.
  const tool = program?.guess && program.path === '.' && anySite && !request.backend;
  const found = tool ? undefined : program;
  const rendered = request.frontend
    ? bestProposal(sites, 'backend', scope, request.backend)
    : bestProposal(sites, 'backend', scope, request.backend || undefined);
  const weaker = found && rendered && !request.backend && rendered.score > found.score + (found.weak ? 0 : CLEARLY);
  const server = weaker ? undefined : found;
  if (!rendered?.needsServer || rendered.path === frontend?.path) return { frontend, backend: server, warnings: [] };
  if (frontend && (request.frontend || frontend.score >= rendered.score))
    return { frontend, backend: server ?? (request.backend ? rendered : undefined), warnings: [] };
  if (request.backend === false && request.frontend === false) return { warnings: [] };
  if (request.backend === false) throw rendered.needsServer;
  const warnings: string[] = [];
  if (frontend)
    warnings.push(
      `"${frontend.path}" could be published as a static site. It is not, since the site of this repository seems to be "${rendered.path}"; "frontend.path" can name it.`,
    );
  if (server)
    warnings.push(
      `"${rendered.path}" (${rendered.framework}) renders on a server, and the backend of this deployment is "${server.path}". Deploy it as a project of its own with "backend": {"path": "${rendered.path}"}.`,
    );
  if (weaker)
    warnings.push(
      `"${found.path}" could be deployed as a backend (${found.reason}). It is not, since "${rendered.path}" (${rendered.framework}) renders on a server and fits better; "backend.path" can name it.`,
    );
  return { backend: server ?? rendered, warnings };
}

/**
 * A folder whose build may make a site, where no site is known. Beside a backend it has to be asked for or be called as
 * frontends are (`web`, `site`), since other packages with a build script are parts of the program.
 */
function unsureFrontend(proposals: readonly Proposal[], scope: string, request: DetectRequest): Proposal | undefined {
  const others = proposals.filter((p) => p.target === 'backend' && p.score > THRESHOLD && isWithin(scope, p.path));
  const hasBackend = request.backend !== false && others.length > 0;
  const isMeant = ({ path }: Proposal) =>
    request.frontend !== undefined || (isNamedAsFrontend(path) && !others.some((p) => p.path === path));
  return bestProposal(
    proposals.filter(
      (p) => p.unsure && (!hasBackend || isMeant(p)) && !others.some((o) => o.needsServer !== undefined),
    ),
    'frontend',
    scope,
    request.frontend,
  );
}

/** So much higher a score than a program's makes a rendered site the one that is meant. */
const CLEARLY = 40;

/** The highest score among the target's folders that are allowed. */
function bestProposal(
  proposals: readonly Proposal[],
  target: Target,
  scope: string,
  override: false | (Partial<Pick<Forced, 'runtime'>> & { readonly path?: string | undefined }) | undefined,
): Proposal | undefined {
  if (override === false) return undefined;
  const path = override?.path === undefined ? undefined : normalisePath(override.path);
  return proposals
    .filter(
      (p) =>
        p.target === target &&
        (!override?.runtime || override.runtime.name === (p.runtime ?? 'node')) &&
        (path === undefined ? isWithin(scope, p.path) && p.score > THRESHOLD : p.path === path),
    )
    .reduce<Proposal | undefined>((top, p) => (top === undefined || p.score > top.score ? p : top), undefined);
}

/** Below this a folder is listed, but only deployed when it is named. */
const THRESHOLD = 0;

function makePlan(proposal: Proposal, settled: SettledRequest, warnings: string[]): TargetPlan {
  const findings = new Findings();
  const target = proposal.target;
  const { overrides, sourceOf } = settled.overridesFor(target, proposal.path);
  const { path, runtime, ...rest } = overrides;
  const detected = proposal.runtime ?? 'node';
  if (runtime && runtime.name !== detected)
    throw new VerenError('SETTINGS_FILE_INVALID', {
      file: sourceOf('runtime').file ?? 'the request',
      faults: `"${target}.runtime" is ${runtime.name}, and the folder holds a target of ${detected}`,
    });
  const forced = { ...nodeMajorOf(runtime), ...rest, ...(runtime && { runtime }) };
  const place = path === undefined ? { rule: proposal.reason, file: undefined } : sourceOf('path');
  findings.because('path', proposal.path, place.rule, place.file);
  // A Dockerfile says itself what is installed and started.
  const honoured = detected === 'docker' ? { dockerfile: forced.dockerfile } : forced;
  const plan = withOverrides(proposal.plan(findings, forced), honoured, findings, sourceOf);
  warnings.push(...findings.warnings);
  return { ...plan, runtime: runtimeOf(plan) };
}

/** Node's version by its earlier name. */
const nodeMajorOf = (runtime: Forced['runtime']): Pick<Forced, 'nodeVersion'> =>
  runtime?.name === 'node' && runtime.version !== undefined
    ? { nodeVersion: Number(runtime.version) as NodeMajor }
    : {};

/** Scores that differ by less say nothing about which one is meant. */
const EQUAL = 10;
const MAX_EQUALS = 8;

/** Folders that could be taken as well as the one that was, where the request names none. */
function listEquals(proposals: readonly Proposal[], choice: Choice, scope: string, request: DetectRequest): string[] {
  return (['frontend', 'backend'] as const).flatMap((target) => {
    const chosen = choice[target];
    const asked = request[target];
    if (!chosen || (asked && asked.path !== undefined)) return [];
    const others = proposals.filter(
      (p) =>
        p !== chosen &&
        p.target === target &&
        p.path !== chosen.path &&
        p.score > THRESHOLD &&
        isWithin(scope, p.path) &&
        chosen.score - p.score <= EQUAL &&
        (p.needsServer === undefined) === (chosen.needsServer === undefined) &&
        (p.unsure ?? false) === (chosen.unsure ?? false),
    );
    if (others.length === 0) return [];
    const named = others.slice(0, MAX_EQUALS).map((p) => `"${p.path}"`);
    const more = others.length > named.length ? ` and ${others.length - named.length} more` : '';
    return [
      `"${chosen.path}" is deployed as the ${target}, and ${named.join(', ')}${more} could be as well. "${target}.path" chooses another one; a project deploys one of them.`,
    ];
  });
}

function listCandidates(proposals: readonly Proposal[], choice: Choice): Candidate[] {
  const chosen = [choice.frontend, choice.backend].filter((p) => p !== undefined);
  const rest = proposals.filter((p) => !chosen.includes(p)).sort((a, b) => b.score - a.score);
  return [...chosen, ...rest]
    .slice(0, MAX_CANDIDATES)
    .map(({ target, path, framework, score, reason }) => ({ target, path, framework, score, reason }));
}

/** Contents of all manifests, those of the folders too that the settings file in the root names. */
async function readManifests(
  fs: RepoFs,
  requested: readonly string[],
  maxBytes: number,
): Promise<{ repo: Snapshot; named: readonly string[] }> {
  const contents = await fs.read(manifestPaths(fs, requested), maxBytes);
  const repo = makeSnapshot(fs, contents);
  const stated = namedFolders(repo).filter((dir) => fs.kind(dir) === 'directory');
  const named = [...new Set([...requested, ...stated])];
  const missing = stated.length === 0 ? [] : manifestPaths(fs, named).filter((path) => !contents.has(path));
  if (missing.length === 0) return { repo, named };
  return { repo: makeSnapshot(fs, new Map([...contents, ...(await fs.read(missing, maxBytes))])), named };
}

function requireFolder(fs: RepoFs, path: string): string {
  const dir = normalisePath(path);
  if (fs.kind(dir) !== 'directory') throw new VerenError('PATH_NOT_FOUND', { path });
  return dir;
}
