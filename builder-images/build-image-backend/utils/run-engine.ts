import { runCommand } from '../../shared/command.ts';
import { LineSplitter } from '../../shared/lines.ts';
import type { Masker } from '../../shared/masker.ts';
import type { Reporter } from '../../shared/reporter.ts';
import { diagnoseEnding } from './diagnose.ts';
import type { BuildStep, Parse } from './output.ts';
import type { Phases } from './phases.ts';

export interface EngineRun {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly parse: Parse;
  /** The commands as the user knows them, for the log. */
  readonly commands: Readonly<Partial<Record<BuildStep, string>>>;
  readonly reporter: Reporter;
  readonly phases: Phases;
  readonly mask: Masker;
  readonly signal: AbortSignal;
  /** Ends what the steps have left behind. */
  readonly sweep?: () => Promise<void>;
}

const ORDER: readonly BuildStep[] = ['base', 'tools', 'install', 'build', 'prune', 'image'];
const KEPT_ERRORS = 20;

/**
 * Runs a container builder through its template: the phase `install` lasts until the whole source is copied, `build` until
 * the image is made. Gives the steps whose layers were an earlier build's. Throws `PhaseFault`, or the signal's reason.
 */
export async function runEngine(run: EngineRun): Promise<ReadonlySet<BuildStep>> {
  const { reporter } = run;
  const at = { step: 'base' as BuildStep, cached: new Set<BuildStep>() };
  const errors: string[] = [];
  const hearLines = (stream: 'stdout' | 'stderr') =>
    new LineSplitter(run.mask, (line) => {
      const said = run.parse(line, stream);
      if (said.kind === 'output') reporter.presented(stream, said.line);
      else if (said.kind === 'step') enterStep(run, at, said.step);
      else if (said.kind === 'cached') reportCached(run, at);
      else if (said.kind === 'error' && errors.push(said.message) > KEPT_ERRORS) errors.shift();
    });
  const splitters = { stdout: hearLines('stdout'), stderr: hearLines('stderr') };
  const { exitCode, stopped } = await runCommand({
    argv: run.argv,
    cwd: '/',
    env: run.env,
    signal: run.signal,
    ...(run.sweep && { sweep: run.sweep }),
    onOutput: async (stream, chunk) => {
      splitters[stream].write(chunk);
      await reporter.room();
    },
  });
  splitters.stdout.end();
  splitters.stderr.end();
  if (stopped) run.signal.throwIfAborted();
  if (exitCode !== 0) throw diagnoseEnding({ exitCode, step: at.step, errors, lastLines: reporter.lastLines });
  return at.cached;
}

/** A step is entered once: container builders name an instruction more than once, some before it is its turn. */
function enterStep({ phases, reporter, commands }: EngineRun, at: { step: BuildStep }, step: BuildStep): void {
  if (ORDER.indexOf(step) <= ORDER.indexOf(at.step)) return;
  at.step = step;
  if (step === 'build') phases.enter('build');
  const command = commands[step];
  if (command) reporter.say(`$ ${command}`);
}

function reportCached(run: EngineRun, at: { step: BuildStep; cached: Set<BuildStep> }): void {
  const { reporter, commands } = run;
  // One layer holds both.
  if (at.step === 'tools') enterStep(run, at, 'install');
  if (!commands[at.step] || at.cached.has(at.step)) return;
  at.cached.add(at.step);
  reporter.say('Nothing that it depends on has changed: the layer of an earlier build is used.');
}
