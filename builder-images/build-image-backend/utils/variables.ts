import { type BuildFacts, buildFacts } from '../../shared/build-facts.ts';
import { variablesAtInstall, variablesAtPreparation } from '../../shared/install-env.ts';
import { leftPatterns } from '../../shared/left-secrets.ts';
import { fingerprintOf, installSecrets, installVariables, type JobVariables } from '../../shared/step-variables.ts';

/** Of the operator's environment: how registries are reached. The user's own variables come after and win. */
const PASSED_ON = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'npm_config_registry',
  'TZ',
] as const;

const quoteValue = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;

/**
 * Shell scripts that export variables. They are mounted for the build's steps, never copied into an image. The last two
 * are root's, which hands each to its step: no other step can read them (`run`).
 */
export interface Variables {
  readonly script: string;
  /** Of the installation alone, and of the build command alone; empty where there are none. */
  readonly installScript: string;
  readonly buildScript: string;
  /** What the installation must not leave behind, as grep reads it. */
  readonly leftPatterns: string;
  /** Changes when one of those that an installation has does: what was installed with the old ones is then installed again. */
  readonly fingerprint: string;
}

/** Names that every step sees alike are exported at once; the rest as the step (VEREN_STEP, set by `run`) has them. */
export function buildVariables(raw: Readonly<Record<string, string>>, job: BuildFacts & JobVariables): Variables {
  const passed = PASSED_ON.flatMap((name) => (raw[name] === undefined ? [] : [[name, raw[name]] as const]));
  const own = Object.entries(job.BUILD_ENV).sort(([a], [b]) => (a < b ? -1 : 1));
  const install = variablesAtInstall(job.BUILD_ENV);
  const tools = variablesAtPreparation(job.BUILD_ENV);
  const differs = ([name, value]: readonly [string, string]) => install[name] !== value || tools[name] !== value;
  const differing = new Set(own.filter(differs).map(([name]) => name));
  const ofStep = (pairs: readonly (readonly [string, string])[]) =>
    exported(pairs.filter(([name]) => differing.has(name)));
  const { CI: _, ...facts } = buildFacts(job);
  const script = [
    exported([...passed, ...own.filter((pair) => !differs(pair))]),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell
    'case "${VEREN_STEP:-}" in\n',
    `tools) :\n${ofStep(Object.entries(tools))};;\n`,
    `install) :\n${ofStep(Object.entries(install))};;\n`,
    `*) :\n${ofStep(own)};;\n`,
    'esac\n',
    exported(Object.entries(facts)),
  ].join('');
  const installed = Object.entries(installVariables(job)).sort(([a], [b]) => (a < b ? -1 : 1));
  const { NODE_OPTIONS: options, ...others } = job.INSTALL_ONLY_ENV ?? {};
  // A module that it names is not there yet while the package manager is installed.
  const late =
    options === undefined ? '' : `[ "\${VEREN_STEP:-}" = tools ] || ${exported([['NODE_OPTIONS', options]])}`;
  return {
    script,
    installScript: exported(Object.entries(others)) + late,
    buildScript: exported(Object.entries(job.BUILD_ONLY_ENV ?? {})),
    leftPatterns: leftPatterns(installSecrets(job)),
    fingerprint: fingerprintOf(job.FINGERPRINT_KEY, [job.PROJECT_ID, installed]),
  };
}

const exported = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => `export ${name}=${quoteValue(value)}\n`).join('');
