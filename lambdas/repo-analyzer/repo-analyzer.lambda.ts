import { tmpdir } from 'node:os';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { handle } from 'hono/aws-lambda';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { authenticateByHash } from '../shared/http/auth.ts';
import { jsonLog } from '../shared/logger.ts';
import { gitPolicy } from '../shared/repo/policyOfHosts.ts';
import { sweepGitFolders } from '../shared/repo/sweepGitFolders.ts';
import { tokenHashes } from '../shared/secrets.ts';
import { composeAnalyzer } from './compose.ts';

const env = readEnv('repo-analyzer');
/** API Gateway waits 30 seconds; git's time limits must be shorter, or the client gets no reason. */
const TIMEOUT_MS = 25_000;

const app = composeAnalyzer(
  {
    authenticate: authenticateByHash(tokenHashes(new SecretsManagerClient({}), env.TOKENS_SECRET_ARN, systemClock)),
    // An execution environment outlives a function that ran out of memory or time, and so does its /tmp.
    ready: sweepGitFolders(tmpdir()),
    log: jsonLog('repo-analyzer'),
  },
  { policy: { ...gitPolicy(env.GIT_HOSTS), timeoutMs: TIMEOUT_MS } },
);

export const handler = handle(app);
