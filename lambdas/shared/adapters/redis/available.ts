import { VerenError } from '../../../../contract/errors.ts';
import { type Outcome, repeatWork } from '../../async.ts';

const PAUSES_MS = [100, 300, 900];

/**
 * Runs the work, and repeats it where Redis refused it or was away for a passing reason.
 * @throws VerenError UNAVAILABLE when it stays so
 */
export async function withRedisRetry<T>(work: () => Promise<T>): Promise<T> {
  // Of another length each time, so that those who failed together do not come back together.
  const pauses = PAUSES_MS.map((pause) => pause * (0.5 + Math.random()));
  const passes = (outcome: Outcome<T>) => {
    const reason = 'error' in outcome ? asPassingFault(outcome.error as Error) : null;
    return reason !== null && !reason.final;
  };
  try {
    return await repeatWork(pauses, work, passes);
  } catch (e) {
    const reason = asPassingFault(e as Error);
    throw reason === null ? e : new VerenError('UNAVAILABLE', { reason: reason.text }, { cause: e });
  }
}

interface Passing {
  readonly text: string;
  /** Errors after which ioredis has already waited long enough. */
  readonly final?: boolean;
}

/** Error replies start with a code. Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const CODES: Readonly<Record<string, string>> = {
  READONLY: 'Redis is failing over',
  LOADING: 'Redis is starting',
  MASTERDOWN: 'Redis has lost its primary',
  CLUSTERDOWN: 'Redis is not ready',
  TRYAGAIN: 'Redis is not ready',
  NOREPLICAS: 'Redis has too few replicas',
  BUSY: 'Redis is busy',
  OOM: 'Redis is out of memory',
  MISCONF: 'Redis cannot write to its disk',
  UNBLOCKED: 'Redis is failing over',
};

function asPassingFault(error: Error): Passing | null {
  if (error.name === 'MaxRetriesPerRequestError') return { text: 'Redis cannot be reached', final: true };
  if (error.message === 'Command timed out') return { text: 'Redis does not answer', final: true };
  if (error.message === 'Connection is closed.') return { text: 'Redis cannot be reached' };
  if (/^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|EAI_|ENOTFOUND)/.test((error as NodeJS.ErrnoException).code ?? '')) {
    return { text: 'Redis cannot be reached' };
  }
  // An error inside a script may come wrapped: "ERR Error running script …: -OOM command not allowed …".
  const code = /(?:^|[:\s]-?@?)([A-Z]{3,})\b/.exec(error.message.replace(/^ERR /, ''))?.[1];
  const text = code === undefined ? undefined : CODES[code];
  return text === undefined ? null : { text };
}
