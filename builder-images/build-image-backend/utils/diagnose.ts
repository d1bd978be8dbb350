import { VerenError } from '../../../contract/errors.ts';
import { DISK_FULL, PhaseFault } from '../../shared/fault.ts';
import { lockfileFault } from '../../shared/lockfile-fault.ts';
import type { BuildStep } from './output.ts';

export interface Ending {
  /** Of the container builder. */
  readonly exitCode: number;
  /** The step that it was at. */
  readonly step: BuildStep;
  /** What the container builder said of its end. */
  readonly errors: readonly string[];
  /** The last lines of the user's commands. */
  readonly lastLines: readonly string[];
}

/** Of `run` (dockerbackend/run), and of the container builders where that was killed. */
const STEP_ENDED = /^veren: step (\w+) ended with exit code (\d+)$/;
/** Of `run` too, before it ends a step with exit code 86. */
const LEFT_SECRET = /^veren: the installation has left a secret in (.*)$/;
const EXIT_STATUS = /exit(?: status|ed with|ed: | code:?)?[ :]*(?:status )?(\d{1,3})\b/;
const KILLED = /signal: killed|exit (?:status|code:?) 137\b/;
const HEAP = 'JavaScript heap out of memory';
const PULL =
  /(?:unable|failed) to (?:retrieve|pull|get|resolve|load)|(?:getting|pulling|initializing|reading|creating build container|retrieving).*(?:image|manifest|source)|MANIFEST_UNKNOWN|manifest unknown|TOOMANYREQUESTS|toomanyrequests|dial tcp|i\/o timeout|connection refused|no such host/i;

/**
 * What a native module misses, in the words of the tools that look for it: pkg-config, the compiler, the linker, the
 * loader, node-gyp.
 */
const LIBRARIES: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/Package '?([\w.+-]+)'?,? (?:was not found in the pkg-config search path|required by)/, (n) => `the library ${n}`],
  [/fatal error: ([\w./+-]+\.h(?:pp)?): No such file or directory/, (n) => `the header file ${n}`],
  [/(?:cannot find|unable to find library) -l([\w.+-]+)/, (n) => `the library ${n}`],
  [
    /(?:error while loading shared libraries: |Error: )(lib[\w.+-]+\.so[\w.]*): cannot open shared object/,
    (n) => `the library ${n}`,
  ],
  [/(?:^|\/|: )([\w.+-]+)(?:: \d+)?: (?:command )?not found$/, (n) => `the program ${n}`],
];
/** A program that is not there is the user's own typing error more often than a missing package, except these. */
const PROGRAMS =
  /^the program (?:python[\d.]*|make|g\+\+|gcc|cmake|ffmpeg|convert|chromium|psql|mysql_config|pg_config|protoc|go|cargo|rustc|java|php|ruby)$/;

function missingLibrary(lines: readonly string[]): string | null {
  for (const line of lines)
    for (const [pattern, name] of LIBRARIES) {
      const found = pattern.exec(line)?.[1];
      const told = found === undefined ? null : name(found);
      if (told !== null && (!told.startsWith('the program') || PROGRAMS.test(told))) return told;
    }
  return null;
}

const phaseOf = (step: BuildStep) => (step === 'build' || step === 'prune' || step === 'image' ? 'build' : 'install');

/** The container builder's end as the sentence that the user needs: whose fault, which command, which exit code. */
export function diagnoseEnding(ending: Ending): PhaseFault {
  const { step, errors, lastLines } = ending;
  const reason = errors.at(-1) ?? lastLines.at(-1) ?? `exit code ${ending.exitCode}`;
  const everything = [...errors, ...lastLines];
  const phaseFault = (error: VerenError, exitCode?: number) =>
    new PhaseFault(
      error,
      exitCode,
      lastLines.filter((l) => !STEP_ENDED.test(l) && !LEFT_SECRET.test(l)),
    );
  const phase = phaseOf(step);
  if (everything.some((line) => DISK_FULL.test(line))) return phaseFault(new VerenError('BUILD_DISK_FULL', { phase }));
  const ended = lastLines.map((line) => STEP_ENDED.exec(line)).findLast((found) => found?.[1] === step);
  const stepRan = step !== 'base' && step !== 'image';
  const code = Number(ended?.[2] ?? (stepRan ? EXIT_STATUS.exec(errors.join('\n'))?.[1] : undefined) ?? Number.NaN);
  const killed = code === 137 || (stepRan && errors.some((line) => KILLED.test(line)));
  if (killed || lastLines.some((line) => line.includes(HEAP)))
    return phaseFault(new VerenError('BUILD_OUT_OF_MEMORY'), 137);
  if (stepRan && !Number.isNaN(code)) return phaseFault(ofCommand(step, code, lastLines), code);
  if (step === 'base' && PULL.test(errors.join('\n')))
    return phaseFault(new VerenError('BASE_IMAGE_UNAVAILABLE', { reason }));
  return phaseFault(new VerenError('IMAGE_BUILD_FAILED', { reason }));
}

function ofCommand(
  step: 'tools' | 'install' | 'build' | 'prune',
  exitCode: number,
  lastLines: readonly string[],
): VerenError {
  if (step === 'tools') {
    const reason = lastLines.find((line) => /^npm (?:error|ERR!)/.test(line)) ?? `exit code ${exitCode}`;
    return new VerenError('TOOLCHAIN_UNAVAILABLE', { version: 'of the image', reason });
  }
  const left = lastLines.flatMap((line) => LEFT_SECRET.exec(line)?.[1]?.replace(/^\/app\//, '') ?? []);
  if (step === 'install' && exitCode === 86 && left.length > 0)
    return new VerenError('INSTALL_LEFT_SECRET', { files: left.slice(0, 10).join(', ') });
  const library = missingLibrary(lastLines);
  if (library !== null) return new VerenError('SYSTEM_LIBRARY_MISSING', { phase: phaseOf(step), library });
  const lockfile = step === 'install' ? lockfileFault(lastLines) : null;
  return lockfile ?? new VerenError(step === 'install' ? 'INSTALL_FAILED' : 'BUILD_FAILED', { exitCode });
}
