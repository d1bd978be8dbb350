import type { Findings } from './findings.ts';

/** A port that the start line fixes. Otherwise the platform's PORT is what the server is told to use. */
function portOf(line: string): number | undefined {
  const found = /(?:^|\s)(?:PORT=|--port[ =]|-p[ =]?)(\d{2,5})(?=$|\s)/.exec(line)?.[1];
  const port = Number(found);
  return found !== undefined && port >= 1 && port <= 65_535 ? port : undefined;
}

const DEFAULT_PORT = 3_000;

/** The port that a service listens on. */
export function choosePort(line: string, findings: Findings): number {
  const fixed = portOf(line);
  if (fixed !== undefined) return findings.because('port', fixed, 'start command');
  return findings.because('port', DEFAULT_PORT, 'default; the server is told by the variable PORT');
}
