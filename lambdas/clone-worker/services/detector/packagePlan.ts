import type { PackageManager, TargetPlan } from '../../../../contract/plan.ts';
import { join } from '../../../../contract/repo-fs.ts';
import { buildOf } from './buildCommand.ts';
import type { Findings } from './findings.ts';
import type { FoundFramework } from './frameworkTable.ts';
import type { Forced, LanguageContext } from './language.ts';
import { chooseNodeVersion, isRefusedByEngines } from './nodeVersion.ts';
import { chooseNpmVersion } from './npmVersion.ts';
import { choosePackageManager, hasLockfile, installCommand } from './packageManager.ts';
import type { Project } from './project.ts';
import { type Workspace, workspaceOf, workspacePackages } from './workspaces.ts';

/** The part of the plan that sites and servers have in common: how a package is installed and built. */
export function packagePlan(
  project: Project,
  framework: FoundFramework | undefined,
  context: LanguageContext,
  findings: Findings,
  forced: Forced,
): TargetPlan {
  const { repo, dir } = project;
  const workspace = usableWorkspace(project);
  const installPath = workspace?.root ?? dir;
  const choice = choosePackageManager(repo, dir, installPath, workspace, findings);
  const nodeVersion = forced.nodeVersion ?? chooseNodeVersion(repo, dir, context.today, findings);
  const manager = withNpmVersion(choice.manager, () => chooseNpmVersion(repo, dir, nodeVersion, findings));
  findings.because('installPath', installPath, workspace ? 'workspace root' : 'the package itself', workspace?.file);
  const packages = workspace ? workspacePackages(repo, workspace, context.folders) : new Map<string, string>();
  const installed = new Set([dir, installPath, ...packages.values()]);
  const refusing = [...installed].some((at) =>
    isRefusedByEngines(repo.packageJson(at)?.engines.get('node'), nodeVersion),
  );
  const install = installCommand(choice, !refusing);
  findings.because('installCommand', install, choice.lockfile ? 'lockfile' : 'no lockfile', choice.lockfile);
  const build = buildOf(project, framework, { manager: choice.manager.name, workspace, packages });
  if (build) findings.because('buildCommand', build.command, build.rule, build.file);
  return {
    path: dir,
    framework: framework?.slug ?? null,
    language: 'javascript',
    packageManager: manager,
    nodeVersion,
    installPath,
    installCommand: install,
    buildCommand: build?.command ?? null,
    evidence: findings.evidence,
  };
}

/** npm comes with Node, so a version is stated where another one is asked for. */
function withNpmVersion(manager: PackageManager, choose: () => string | undefined): PackageManager {
  if (manager.name !== 'npm' || manager.version !== undefined) return manager;
  const version = choose();
  return version === undefined ? manager : { ...manager, version };
}

export const packageFile = (project: Project): string => join(project.dir, 'package.json');

/** The workspace that installs this package; a member with a lockfile of its own under a root without one stands alone. */
function usableWorkspace({ repo, dir }: Project): Workspace | undefined {
  const workspace = workspaceOf(repo, dir);
  if (!workspace || workspace.root === dir) return workspace;
  return !hasLockfile(repo, workspace.root) && hasLockfile(repo, dir) ? undefined : workspace;
}
