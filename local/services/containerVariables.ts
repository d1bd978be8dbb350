import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { ServiceFault } from '../../lambdas/shared/services/serviceFault.ts';

/** Longer lines are refused. Source: docker/cli, `opts/file.go`, which reads them by Go's bufio.Scanner. */
const MAX_LINE = 60_000;
/** Would change what the engine's program does, rather than what is in the container. */
const OF_PROGRAMS = /^(?:LD_|GO|DOCKER_|BUILDX_|CONTAINER|STORAGE_|REGISTRY_|XDG_|NOTIFY_|LISTEN_|TMPDIR$|PATH$|HOME$)/;

interface GivenVariables {
  /** Arguments of `create`. */
  readonly args: readonly string[];
  /** For the environment of the program, which passes them on. */
  readonly passed: Readonly<Record<string, string>>;
  /** Removes what was written. */
  remove(): Promise<void>;
}

/**
 * How a container gets its variables: never by arguments, which every user of the machine sees. A file has one variable a
 * line, so values with several lines go through the environment of the engine's program.
 * @param own Names that the program needs for itself
 */
export async function giveVariables(
  environment: Readonly<Record<string, string>>,
  own: ReadonlySet<string>,
): Promise<GivenVariables> {
  const fitsLine = ([name, value]: [string, string]) =>
    !/[\r\n]/.test(value) && Buffer.byteLength(name + value) < MAX_LINE;
  const entries = Object.entries(environment);
  const passed = entries.filter((entry) => !fitsLine(entry));
  const refused = passed.map(([name]) => name).filter((name) => own.has(name) || OF_PROGRAMS.test(name));
  if (refused.length > 0) {
    const names = `${refused.join(', ')} (with several lines)`;
    throw new ServiceFault(
      new VerenError('SERVICE_VARIABLE_REFUSED', { runner: 'The container engine of this machine', names }),
      [],
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'veren-variables-'));
  await chmod(folder, 0o700);
  const file = join(folder, 'variables');
  const lines = entries.filter(fitsLine).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 });
  return {
    args: ['--env-file', file, ...passed.flatMap(([name]) => ['--env', name])],
    passed: Object.fromEntries(passed),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
