import { VerenError } from '../../../../../contract/errors.ts';
import { DEFAULT_NODE_MAJOR } from '../../../../../contract/node-lines.ts';
import type { TargetPlan } from '../../../../../contract/plan.ts';
import { join } from '../../../../../contract/repo-fs.ts';
import type { Findings } from '../findings.ts';
import type { Forced, LanguageContext, Proposal, ServiceLanguage } from '../language.ts';
import { filesNamed, foldersIn, holdsEntry } from '../listedNames.ts';
import { choosePort } from '../port.ts';
import { PYTHON_FRAMEWORKS, type PythonFramework } from '../python/frameworks.ts';
import { pipInstall, type Requirements, requirementsOf } from '../python/requirements.ts';
import { type PythonStart, pythonStart } from '../python/start.ts';
import { choosePythonVersion } from '../python/version.ts';
import { pathScore } from '../score.ts';

const STRENGTH = { framework: 45, program: 15, start: 5 };

/** Services in Python: a folder with requirements, a framework among them, and an application that a server can take. */
export const python: ServiceLanguage = {
  name: 'python',
  title: 'Python',
  project: 'a Python project',
  projectFiles: ['requirements.txt', 'pyproject.toml', 'Pipfile', 'manage.py'],
  signs: ['setup.py', 'setup.cfg', 'uv.lock', 'poetry.lock', 'app.py', 'wsgi.py', 'asgi.py', 'main.py', 'server.py'],
  settingsIn: (fs, dir) => [
    ...filesNamed(fs, dir, /^(?:\.python-version|runtime\.txt|requirements[\w.-]{0,40}\.txt)$/),
    ...filesNamed(fs, join(dir, 'requirements'), /\.(?:txt|in)$/),
  ],
  sourcesIn: (fs, dir) => [
    ...filesNamed(fs, dir, /^(?:main|app|api|server|application|asgi|wsgi|run|__init__|settings|manage)\.py$/),
    ...[dir, join(dir, 'src'), join(dir, 'cmd')]
      .flatMap((at) => foldersIn(fs, at))
      .flatMap((at) => filesNamed(fs, at, /^(?:main|app|api|server|application|asgi|wsgi|settings|__init__)\.py$/)),
    ...filesNamed(fs, dir, /^(?!.*_test\.)[\w-]{1,60}\.py$/),
  ],
  propose(dir, context) {
    const { repo } = context;
    const isWanted = context.wanted.backend === dir;
    const requirements = requirementsOf(repo, dir);
    if (!requirements && !isWanted) return [];
    // Functions of a cloud, which starts them itself.
    if (!isWanted && ['serverless.yml', 'serverless.yaml', 'host.json'].some((name) => repo.has(join(dir, name))))
      return [];
    if (!requirements && !holdsEntry(repo.fs, dir, (name) => name.endsWith('.py'))) return [];
    const framework = frameworkOf(requirements);
    const start = pythonStart(repo, dir, framework, requirements);
    if (!start && !isWanted) return [];
    const isDjango = start?.rule === 'Django' || requirements?.names.has('django') === true;
    const slug = isDjango ? 'django' : (framework?.slug ?? null);
    return [propose(dir, context, { requirements, slug, start })];
  },
};

const frameworkOf = (requirements: Requirements | undefined): PythonFramework | undefined =>
  PYTHON_FRAMEWORKS.find(({ dependency }) => requirements?.names.has(dependency));

interface Found {
  readonly requirements: Requirements | undefined;
  readonly slug: string | null;
  readonly start: PythonStart | undefined;
}

function propose(dir: string, context: LanguageContext, found: Found): Proposal {
  const { slug, start } = found;
  const isKnown = slug !== null && start !== undefined && !start.guess;
  return {
    target: 'backend',
    runtime: 'python',
    path: dir,
    framework: slug,
    score: (isKnown ? STRENGTH.framework : STRENGTH.program) + (start ? STRENGTH.start : 0) + pathScore('backend', dir),
    reason: slug ? `requires ${slug}` : start ? `${start.rule} runs a program` : 'named in the request',
    weak: !isKnown,
    plan: (findings, forced) => planOf(dir, context, found, findings, forced),
  };
}

function planOf(dir: string, context: LanguageContext, found: Found, findings: Findings, forced: Forced): TargetPlan {
  const { requirements, slug, start } = found;
  if (slug) findings.because('framework', slug, 'among the requirements', requirements?.file);
  const version = forced.runtime?.version ?? choosePythonVersion(context.repo, dir, context.today, findings);
  const startCommand = start?.command ?? forced.startCommand;
  if (startCommand === undefined)
    throw new VerenError('NOTHING_TO_DEPLOY', {
      reason: `nothing in "${dir}" says how the Python service is started (an application in main.py or app.py, manage.py, a Procfile); "backend.startCommand" can.`,
    });
  // A command of the request's own may need something else.
  const missing = forced.startCommand === undefined ? (start?.missing ?? []) : [];
  const installCommand = requirements
    ? pipInstall(requirements, missing)
    : missing.length > 0
      ? `pip install ${missing.join(' ')}`
      : null;
  if (missing.length > 0)
    findings.warn(
      `"${missing.join(', ')}" serves the application and is not among the requirements${requirements?.file ? ` (${requirements.file})` : ''}; its newest version is installed beside them.`,
    );
  if (start?.guess && forced.startCommand === undefined)
    findings.warn(
      `"${start.command}" has to listen on 0.0.0.0 and on the port that the variable PORT names; "backend.startCommand" can say it otherwise.`,
    );
  if (start) findings.because('startCommand', start.command, start.rule, start.file);
  findings.because('installPath', dir, 'the project itself');
  findings.because(
    'installCommand',
    installCommand,
    requirements?.isLocked ? 'lockfile' : 'requirements',
    requirements?.file,
  );
  if (start?.buildCommand) findings.because('buildCommand', start.buildCommand, 'STATIC_ROOT is set');
  return {
    path: dir,
    framework: slug,
    language: 'python',
    packageManager: null,
    runtime: { name: 'python', version },
    nodeVersion: DEFAULT_NODE_MAJOR,
    installPath: dir,
    installCommand,
    buildCommand: start?.buildCommand ?? null,
    startCommand,
    port: choosePort(forced.startCommand ?? startCommand, findings),
    evidence: findings.evidence,
  };
}
