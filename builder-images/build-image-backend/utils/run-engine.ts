import { runCommand } from '../../shared/command.ts';
import { LineSplitter } from '../../shared/lines.ts';
import type { Masker } from '../../shared/masker.ts';
import type { Reporter } from '../../shared/reporter.ts';
import { diagnose } from './diagnose.ts';
import type { Parse, Step } from './output.ts';
import type { Phases } from './phases.ts';

export interface EngineRun {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly parse: Parse;
  /** The commands as the user knows them, for the log. */
  readonly commands: Readonly<Partial<Record<Step, string>>>;
  readonly reporter: Reporter;
  readonly phases: Phases;
  readonly mask: Masker;
  readonly signal: AbortSignal;
  /** Ends what the steps have left behind. */
  readonly sweep?: () => Promise<void>;
}

const ORDER: readonly Step[] = ['base', 'tools', 'install', 'build', 'prune', 'image'];
const KEPT_ERRORS = 20;

/**
 * Runs a container builder through its template: the phase `install` lasts until the whole source is copied, `build` until
 * the image is made. Gives the steps whose layers were an earlier build's. Throws `PhaseFault`, or the signal's reason.
 */
export async function runEngine(run: EngineRun): Promise<ReadonlySet<Step>> {
  const { reporter } = run;
  const at = { step: 'base' as Step, cached: new Set<Step>() };
  const errors: string[] = [];
  const hear = (stream: 'stdout' | 'stderr') =>
    new LineSplitter(run.mask, (line) => {
      const said = run.parse(line, stream);
      if (said.kind === 'output') reporter.presented(stream, said.line);
      else if (said.kind === 'step') enter(run, at, said.step);
      else if (said.kind === 'cached') cached(run, at);
      else if (said.kind === 'error' && errors.push(said.message) > KEPT_ERRORS) errors.shift();
    });
  const splitters = { stdout: hear('stdout'), stderr: hear('stderr') };
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
  if (exitCode !== 0) throw diagnose({ exitCode, step: at.step, errors, lastLines: reporter.lastLines });
  return at.cached;
}

/** A step is entered once: container builders name an instruction more than once, some before it is its turn. */
function enter({ phases, reporter, commands }: EngineRun, at: { step: Step }, step: Step): void {
  if (ORDER.indexOf(step) <= ORDER.indexOf(at.step)) return;
  at.step = step;
  if (step === 'build') phases.enter('build');
  const command = commands[step];
  if (command) reporter.say(`$ ${command}`);
}

function cached(run: EngineRun, at: { step: Step; cached: Set<Step> }): void {
  const { reporter, commands } = run;
  // One layer holds both.
  if (at.step === 'tools') enter(run, at, 'install');
  if (!commands[at.step] || at.cached.has(at.step)) return;
  at.cached.add(at.step);
  reporter.say('Nothing that it depends on has changed: the layer of an earlier build is used.');
}
