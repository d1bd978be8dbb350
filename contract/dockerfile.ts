/** Longer Dockerfiles are refused; real ones have a few kilobytes. */
export const MAX_DOCKERFILE_BYTES = 256 * 1024;

/** What a Dockerfile says that matters before it is built. */
export interface DockerfileFacts {
  /** Stages; 0 where no FROM was found. */
  readonly stages: number;
  /** Names of all ARGs: variables of the build reach it under these names only. */
  readonly args: ReadonlySet<string>;
  /** Ports of the last stage's EXPOSE, those of earlier stages that it is made from included. */
  readonly ports: readonly number[];
  /** The last stage says itself what is started. Without it the base image decides. */
  readonly hasCommand: boolean;
  /** Types of `RUN --mount`. */
  readonly mounts: ReadonlySet<string>;
  /** Of `# syntax=`: the frontend that BuildKit would fetch. */
  readonly syntax: string | null;
}

interface Stage {
  readonly name: string;
  readonly ports: Set<number>;
  readonly variables: Map<string, string>;
  hasCommand: boolean;
}

const HEREDOC = /<<-?(["']?)([A-Za-z_]\w{0,99})\1/g;
const VARIABLE = /\$(?:(\w{1,100})|\{(\w{1,100})(?::-([^{}]{0,100}))?\})/g;
const PORT = /^(\d{1,5})(?:\/(?:tcp|udp))?$/i;
const MAX_STAGES = 1_000;

/**
 * Reads a Dockerfile in linear time, whatever it holds; what is not understood is left to the program that builds it.
 * Source: https://docs.docker.com/reference/dockerfile/
 */
export function readDockerfile(text: string): DockerfileFacts {
  const stages: Stage[] = [];
  const args = new Set<string>();
  const mounts = new Set<string>();
  const globals = new Map<string, string>();
  const { instructions, syntax } = splitInstructions(text);
  for (const { word, rest } of instructions) {
    const stage = stages.at(-1);
    if (word === 'FROM' && stages.length < MAX_STAGES) stages.push(openStage(rest, stages, globals));
    else if (word === 'ARG')
      for (const pair of assignments(rest)) define(pair, stage?.variables ?? globals, args, globals);
    else if (word === 'ENV' && stage)
      for (const [name, value] of assignments(rest)) stage.variables.set(name, value ?? '');
    else if (word === 'EXPOSE' && stage) for (const port of portsOf(rest, stage.variables)) stage.ports.add(port);
    else if ((word === 'CMD' || word === 'ENTRYPOINT') && stage) stage.hasCommand = true;
    else if (word === 'RUN') for (const type of mountTypes(rest)) mounts.add(type);
  }
  const last = stages.at(-1);
  return {
    stages: stages.length,
    args,
    ports: [...(last?.ports ?? [])],
    hasCommand: last?.hasCommand ?? false,
    mounts,
    syntax,
  };
}

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** Joins continued lines and leaves out comments and the bodies of here-documents. */
function splitInstructions(text: string): { instructions: Instruction[]; syntax: string | null } {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const { continues, syntax } = readDirectives(lines);
  const instructions: Instruction[] = [];
  let parts: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.endsWith(continues)) {
      parts.push(line.slice(0, -1).trim());
      continue;
    }
    const whole = [...parts, line].join(' ');
    parts = [];
    const space = whole.search(/\s/);
    const word = (space === -1 ? whole : whole.slice(0, space)).toUpperCase();
    const rest = space === -1 ? '' : whole.slice(space + 1).trim();
    instructions.push({ word, rest });
    if (word === 'RUN' || word === 'COPY' || word === 'ADD')
      for (const [, , end] of rest.matchAll(HEREDOC)) i = endOfHeredoc(lines, i, end!);
  }
  return { instructions, syntax };
}

/** The line that ends a here-document; the last one where none does. */
function endOfHeredoc(lines: readonly string[], from: number, end: string): number {
  for (let i = from + 1; i < lines.length; i++) if (lines[i]!.trim() === end) return i;
  return lines.length;
}

/** Directives stand before everything else, each at most once. */
function readDirectives(lines: readonly string[]): { continues: string; syntax: string | null } {
  let continues = '\\';
  let syntax: string | null = null;
  for (const line of lines) {
    const found = /^#\s{0,20}(\w{1,20})\s{0,20}=\s{0,20}(\S{1,300})\s*$/.exec(line);
    if (!found) break;
    if (found[1]!.toLowerCase() === 'escape' && found[2] === '`') continues = '`';
    if (found[1]!.toLowerCase() === 'syntax') syntax ??= found[2]!;
  }
  return { continues, syntax };
}

/** `FROM [--platform=…] image [AS name]`; a stage that is made from an earlier one has what that has. */
function openStage(rest: string, stages: readonly Stage[], globals: ReadonlyMap<string, string>): Stage {
  const words = rest.split(/\s+/).filter((word) => !word.startsWith('--'));
  const name = words[1]?.toUpperCase() === 'AS' ? (words[2] ?? '').toLowerCase() : '';
  const base = expandVariables(words[0] ?? '', globals).toLowerCase();
  const earlier = stages.findLast((stage) => stage.name !== '' && stage.name === base);
  return {
    name,
    ports: new Set(earlier?.ports),
    variables: new Map(earlier?.variables),
    hasCommand: earlier?.hasCommand ?? false,
  };
}

/** `A=1 B="2 3" C`, and `ENV`'s older form `A 1`. */
function* assignments(rest: string): Generator<readonly [name: string, value: string | undefined]> {
  const older = /^([A-Za-z_]\w{0,127})\s+([^=]*)$/.exec(rest);
  if (older) {
    yield [older[1]!, older[2]!.trim()];
    return;
  }
  for (const [, name, quoted, apostrophed, plain] of rest.matchAll(
    /(?<![^\s])([A-Za-z_]\w{0,127})(?:=(?:"([^"]*)"|'([^']*)'|(\S*)))?(?![^\s])/g,
  ))
    yield [name!, quoted ?? apostrophed ?? plain];
}

function define(
  [name, value]: readonly [string, string | undefined],
  scope: Map<string, string>,
  args: Set<string>,
  globals: ReadonlyMap<string, string>,
): void {
  args.add(name);
  const known = value ?? globals.get(name);
  if (known !== undefined) scope.set(name, known);
}

const expandVariables = (text: string, variables: ReadonlyMap<string, string>): string =>
  text.replace(
    VARIABLE,
    (_, plain: string | undefined, braced: string | undefined, fallback: string | undefined) =>
      variables.get(plain ?? braced ?? '') || (fallback ?? ''),
  );

function portsOf(rest: string, variables: ReadonlyMap<string, string>): number[] {
  return rest.split(/\s+/).flatMap((word) => {
    const port = Number(PORT.exec(expandVariables(word, variables))?.[1]);
    return port >= 1 && port <= 65_535 ? [port] : [];
  });
}

/** Flags stand before the command. Without a type a mount is a bind. */
function mountTypes(rest: string): string[] {
  const types: string[] = [];
  for (const word of rest.split(/\s+/)) {
    if (!word.startsWith('--')) break;
    if (word.startsWith('--mount=')) types.push(/(?:=|,)type=(\w{1,20})/.exec(word)?.[1] ?? 'bind');
  }
  return types;
}
