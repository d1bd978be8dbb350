import type { Engine } from '../engine.ts';
import { parserOf } from '../output.ts';

/** What a line of a container builder's output says of a Dockerfile that is not a template's. */
export type OwnSaid =
  | { readonly kind: 'instruction'; readonly text: string }
  | { readonly kind: 'output'; readonly line: string }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'silence' };

const INSTRUCTION =
  /^(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\s/i;

/** Where a builder names an instruction. A step can print such a line: it changes the view of its own build by that. */
const NAMED_IN: Readonly<Record<Engine['kind'], (line: string) => string | undefined>> = {
  kaniko: (line) => {
    if (!/^\{"(?:level|msg|time)":/.test(line)) return undefined;
    try {
      const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
      return level === 'info' && typeof msg === 'string' ? msg : undefined;
    } catch {
      return undefined; // cut for its length
    }
  },
  docker: (line) => /^#\d+ \[[^\]]*\d+\/\d+\] (.*)$/.exec(line)?.[1],
  podman: (line) => /^(?:\[\d+\/\d+\] )?STEP \d+\/\d+: (.*)$/.exec(line)?.[1],
  buildah: (line) => /^(?:\[\d+\/\d+\] )?STEP \d+\/\d+: (.*)$/.exec(line)?.[1],
};

/** Reads a line that a container builder has written. */
export function parseOwnLine(engine: Engine['kind'], line: string, stream: 'stdout' | 'stderr'): OwnSaid {
  const named = NAMED_IN[engine](line);
  if (named !== undefined && INSTRUCTION.test(named)) return { kind: 'instruction', text: named };
  const said = parserOf[engine](line, stream);
  if (said.kind === 'output' || said.kind === 'error') return said;
  return { kind: 'silence' };
}
