import { tmpdir } from 'node:os';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { readEnv } from '../shared/env.ts';
import { jsonLog } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { gitPolicy } from '../shared/repo/policyOfHosts.ts';
import { sweepGitFolders } from '../shared/repo/sweepGitFolders.ts';

const env = readEnv('repo-analyzer');
/** API Gateway waits 30 seconds; git's time limits must be shorter, or the client gets no reason. */
const TIMEOUT_MS = 25_000;

// An execution environment outlives a function that ran out of memory or time, and so does its /tmp.
const ready = sweepGitFolders(tmpdir());

const analyzer = lazyAsync(async () => {
  const [{ composeAnalyzer }, { openAuthentication }] = await Promise.all([
    import('./compose.ts'),
    import('../shared/people/openAuthentication.ts'),
  ]);
  const authenticate = openAuthentication(env);
  const policy = { ...gitPolicy(env.GIT_HOSTS), timeoutMs: TIMEOUT_MS };
  return handle(composeAnalyzer({ authenticate, ready, log: jsonLog('repo-analyzer') }, { policy }));
});

export const handler = async (event: LambdaEvent, context?: LambdaContext) => (await analyzer())(event, context);
