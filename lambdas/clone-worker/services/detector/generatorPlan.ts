import { GENERATORS_NODE_MAJOR } from '../../../../contract/node-lines.ts';
import type { TargetPlan } from '../../../../contract/plan.ts';
import { join } from '../../../../contract/repo-fs.ts';
import type { SiteGenerator } from '../../../../contract/runtimes.ts';
import { optionOf, type ParsedCommand, scriptCommands } from './commandLine.ts';
import { Findings } from './findings.ts';
import type { Forced, LanguageContext, Proposal } from './language.ts';
import { liftedOutput, normalisePath } from './outputDirectory.ts';
import { packagePlan } from './packagePlan.ts';
import type { Project } from './project.ts';
import { resolvePath } from './repoPath.ts';
import { pathScore } from './score.ts';
import type { StatedVersion } from './statedVersion.ts';
import { pathBetween } from './workspaces.ts';

/** A site of a generator that is no JavaScript, as its own file in `languages/` reads it. */
export interface GeneratorSite {
  readonly runtime: SiteGenerator;
  readonly name: string;
  readonly dir: string;
  /** Its configuration. */
  readonly file: string;
  readonly version: StatedVersion | undefined;
  /** What the generator needs installed besides itself; null: nothing. */
  readonly install: { readonly command: string; readonly rule: string; readonly file?: string | undefined } | null;
  /** Builds the site. */
  readonly command: string;
  readonly output: { readonly path: string; readonly rule: string; readonly file?: string | undefined };
  /** Variables before a script of package.json that runs the generator. */
  readonly variables: string;
  /** Whether a command of package.json's build script runs the generator. */
  readonly runs: (command: ParsedCommand) => boolean;
  /** Options of the generator's own that name the output. */
  readonly outputOptions: readonly string[];
  /** What a package.json beside it is for: tools that the generator calls, a step before it, or the program that it documents. */
  readonly usesPackage: 'tools' | 'script' | 'never';
}

interface GeneratorCandidate {
  readonly dir: string;
  readonly runtime: GeneratorSite['runtime'];
  readonly strength: number;
  readonly reason: string;
  readonly unsure?: boolean;
  /** Only asked for the folder that is chosen. */
  readonly site: (findings: Findings, forced: Forced) => GeneratorSite;
}

export function proposeGenerator(candidate: GeneratorCandidate, context: LanguageContext): Proposal {
  const { dir, runtime, strength, reason, unsure } = candidate;
  return {
    target: 'frontend',
    path: dir,
    framework: runtime,
    runtime,
    score: strength + pathScore('frontend', dir),
    reason,
    ...(unsure && { unsure }),
    plan: (findings, forced) => generatorPlan(candidate.site(findings, forced), context, findings, forced),
  };
}

function generatorPlan(site: GeneratorSite, context: LanguageContext, findings: Findings, forced: Forced): TargetPlan {
  const { dir, file, runtime, name } = site;
  findings.because('framework', runtime, `configuration of ${name}`, file);
  findings.because('rendering', 'static', `${name} builds static files`);
  const version = forced.runtime?.version ?? site.version?.version ?? null;
  findings.because(
    'runtime',
    [runtime, version].filter(Boolean).join(' '),
    site.version?.rule ?? 'no version is stated: the builder’s own',
    site.version?.file,
  );
  const pkg = packagePart(site, context, findings, forced);
  const above = pkg && site.install && pkg.installPath !== dir ? pathBetween(dir, pkg.installPath) : undefined;
  const packages =
    pkg?.installCommand && above !== undefined ? `(cd '${above}' && ${pkg.installCommand})` : pkg?.installCommand;
  const steps = [packages, site.install?.command].filter((step) => typeof step === 'string');
  // `a && b || c` would run `c` where `a` has failed.
  const grouped = steps.length < 2 ? steps : steps.map((step) => (step.includes('||') ? `(${step})` : step));
  const installCommand = grouped.length === 0 ? null : grouped.join(' && ');
  if (site.install) findings.replace('installCommand', installCommand, site.install.rule, site.install.file);
  const buildCommand = pkg?.runsGenerator
    ? `${site.variables}${pkg.buildCommand}`
    : [pkg?.buildCommand, site.command].filter((step) => typeof step === 'string').join(' && ');
  findings.replace(
    'buildCommand',
    buildCommand,
    pkg?.runsGenerator ? 'scripts.build' : `builds a site of ${name}`,
    file,
  );
  warnOfNode(site, pkg?.nodeVersion ?? forced.nodeVersion, findings);
  const plan: TargetPlan = {
    path: dir,
    framework: runtime,
    language: 'markdown',
    runtime: { name: runtime, version },
    packageManager: pkg?.packageManager ?? null,
    nodeVersion: GENERATORS_NODE_MAJOR,
    // A second installation has to find the files of its own folder.
    installPath: site.install ? dir : (pkg?.installPath ?? dir),
    installCommand,
    buildCommand,
    evidence: findings.evidence,
  };
  if (forced.outputDirectory !== undefined) return plan;
  const output = pkg?.output ?? site.output;
  const outputDirectory = findings.because('outputDirectory', normalisePath(output.path), output.rule, output.file);
  return liftedOutput({ ...plan, outputDirectory }, findings);
}

interface PackagePart
  extends Pick<TargetPlan, 'packageManager' | 'nodeVersion' | 'installPath' | 'installCommand' | 'buildCommand'> {
  readonly runsGenerator: boolean;
  readonly output?: GeneratorSite['output'] | undefined;
}

/** What a package.json beside the site adds: its tools, and its build script before the generator or instead of it. */
function packagePart(
  site: GeneratorSite,
  context: LanguageContext,
  findings: Findings,
  forced: Forced,
): PackagePart | undefined {
  const pkg = context.repo.packageJson(site.dir);
  if (!pkg) return undefined;
  const project: Project = { repo: context.repo, dir: site.dir, pkg };
  const commands = scriptCommands(project, 'build');
  const own = commands.filter(site.runs);
  const hasTools = pkg.dependencies.size + pkg.devDependencies.size > 0;
  const isUsed =
    own.length > 0 ||
    (site.usesPackage !== 'never' &&
      !pkg.isLibrary &&
      (commands.length > 0 || (site.usesPackage === 'tools' && hasTools)));
  if (!isUsed) return undefined;
  const said = new Findings();
  const plan = packagePlan(project, undefined, context, said, forced);
  for (const { field, value, rule, file } of said.evidence) findings.because(field, value, rule, file);
  for (const warning of said.warnings) findings.warn(warning);
  const manifest = join(site.dir, 'package.json');
  if (own.length === 0 && plan.buildCommand !== null)
    findings.warn(`The build script of ${manifest} does not run ${site.name}: it is run before it.`);
  const named = own
    .map((command) => optionOf(command, site.outputOptions))
    .find((value) => value !== undefined && isUsable(value, site.dir));
  return {
    ...plan,
    runsGenerator: own.length > 0,
    output:
      named === undefined
        ? undefined
        : { path: named, rule: `option of ${site.name} in the build script`, file: manifest },
  };
}

/** The generators are in the image of one Node line. */
function warnOfNode({ name }: GeneratorSite, wanted: number | undefined, findings: Findings): void {
  if (wanted === undefined) return;
  findings.replace('nodeVersion', GENERATORS_NODE_MAJOR, `the builder that has ${name}`);
  if (wanted !== GENERATORS_NODE_MAJOR)
    findings.warn(
      `Node ${wanted} is asked for; a site of ${name} is built with Node ${GENERATORS_NODE_MAJOR}, which is in the builder that has it.`,
    );
}

/** A folder that a plan can name: within the repository and not the one that holds the sources. */
export function isUsable(path: string, dir: string): boolean {
  if (!/^[\w@ ./+-]{1,200}$/.test(path) || path.startsWith('-')) return false;
  const target = resolvePath(dir, path);
  return target !== undefined && target !== '.' && target !== dir;
}
