import type { Engine } from './engine.ts';

/** Steps of a template: of `/opt/veren/run`, whose `install` prepares the package manager (`tools`) first; `image`: the last stage. */
export type BuildStep = 'base' | 'tools' | 'install' | 'build' | 'prune' | 'image';

/** What a line of a container builder's output says. */
export type Said =
  /** One of the template's steps begins. */
  | { readonly kind: 'step'; readonly step: BuildStep }
  /** The current step's layer was taken from an earlier build. */
  | { readonly kind: 'cached' }
  /** From the user's own commands. */
  | { readonly kind: 'output'; readonly line: string }
  /** Why the container builder gave up. */
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'silence' };

export type Parse = (line: string, stream: 'stdout' | 'stderr') => Said;

const SILENCE: Said = { kind: 'silence' };

/** The step that an instruction of the template belongs to. Source: dockerbackend/. */
function stepOf(instruction: string): BuildStep | null {
  const run = /^RUN .*\/opt\/veren\/run (install|build|prune)$/.exec(instruction);
  if (run) return run[1] === 'install' ? 'tools' : (run[1] as BuildStep);
  if (/^COPY veren\/build\.command /.test(instruction)) return 'build';
  // Not the first of its stage: BuildKit begins both stages at once.
  if (/^COPY --from=build \/opt\/veren\/runtime /.test(instruction)) return 'image';
  return null;
}

/** A line of the commands. `run` tells where within its first step it is. */
function parseOutput(line: string): Said {
  const begins = /^veren: step (tools|install) begins$/.exec(line)?.[1];
  return begins === undefined ? { kind: 'output', line } : { kind: 'step', step: begins as BuildStep };
}

const parseStep = (instruction: string): Said => {
  const found = stepOf(instruction.trim());
  return found === null ? SILENCE : { kind: 'step', step: found };
};

/**
 * Kaniko with `--log-format=json` on stderr; everything else on its streams comes from the commands. A command could print
 * such a line, and would change the view of its own build by that. Its last words are not in that format: `error building …`.
 */
const parseKaniko: Parse = (line) => {
  if (/^error (?:building image|checking push|resolving|pushing|changing)/.test(line))
    return { kind: 'error', message: line };
  if (!/^\{"(?:level|msg|time)":/.test(line)) return parseOutput(line);
  let said: { level?: unknown; msg?: unknown };
  try {
    said = JSON.parse(line) as typeof said;
  } catch {
    return SILENCE; // cut for its length
  }
  const message = String(said.msg ?? '');
  if (said.level === 'fatal' || said.level === 'error') return { kind: 'error', message };
  if (message === 'Found cached layer, extracting to filesystem') return { kind: 'cached' };
  return parseStep(message);
};

/** BuildKit with `--progress=plain`: `#7 [build 3/9] RUN …`, `#7 1.234 text`, `#7 CACHED`. */
const parseDocker: Parse = (line) => {
  const vertex = /^#\d+ (.*)$/.exec(line)?.[1];
  if (vertex === undefined) {
    const error = /^ERROR: (.*)$/.exec(line)?.[1];
    return error === undefined ? SILENCE : { kind: 'error', message: error };
  }
  if (vertex === 'CACHED') return { kind: 'cached' };
  const instruction = /^\[[^\]]*\d+\/\d+\] (.*)$/.exec(vertex)?.[1];
  if (instruction !== undefined) return parseStep(instruction);
  const text = /^\d+\.\d+ ?(.*)$/.exec(vertex)?.[1];
  if (text !== undefined) return parseOutput(text);
  const error = /^ERROR: (.*)$/.exec(vertex)?.[1];
  return error === undefined ? SILENCE : { kind: 'error', message: error };
};

/** Buildah, alone or inside podman: `[1/2] STEP 3/9: RUN …`, `--> Using cache …`, `Error: …`. */
const parseBuildah: Parse = (line) => {
  const instruction = /^(?:\[\d+\/\d+\] )?STEP \d+\/\d+: (.*)$/.exec(line)?.[1];
  if (instruction !== undefined) return parseStep(instruction);
  if (/^--> Using cache /.test(line)) return { kind: 'cached' };
  if (/^-->|^COMMIT |^Successfully tagged |^[0-9a-f]{64}$/.test(line)) return SILENCE;
  const error = /^[Ee]rror: (.*)$/.exec(line)?.[1];
  if (error !== undefined && /build|STEP|pull|image|disk|space/.test(error)) return { kind: 'error', message: error };
  return parseOutput(line);
};

export const parserOf: Readonly<Record<Engine['kind'], Parse>> = {
  kaniko: parseKaniko,
  docker: parseDocker,
  podman: parseBuildah,
  buildah: parseBuildah,
};
