import { ECSClient } from '@aws-sdk/client-ecs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { deploymentIds } from '../domain/deploymentIds.ts';
import { lambdaDoorbell } from '../shared/adapters/aws/doorbell.ts';
import { s3Archive } from '../shared/archive.ts';
import { dropCaches } from '../shared/caches.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { authenticateByHash } from '../shared/http/auth.ts';
import { jsonLog } from '../shared/logger.ts';
import { once } from '../shared/once.ts';
import { kafkaEnv, openSignedBus } from '../shared/openKafka.ts';
import { openRedis } from '../shared/openRedis.ts';
import { parseGitUrl } from '../shared/repo/gitUrl.ts';
import { gitPolicy } from '../shared/repo/policyOfHosts.ts';
import { secretBox } from '../shared/secretBox.ts';
import { secretKeys, tokenHashes } from '../shared/secrets.ts';
import { stopBuilds } from '../shared/stopBuilds.ts';
import { forbidPublication } from '../shared/verdict.ts';
import { createApi } from './app.ts';
import { gatewayOrigin } from './linkOrigin.ts';

const env = readEnv('api');
const log = jsonLog('api');
const clock = systemClock;

const api = once(async () => {
  const [{ queue, store, logs, tickets }, kafka] = await Promise.all([openRedis(env, log), kafkaEnv(env)]);
  const s3 = new S3Client({});
  const app = createApi({
    queue,
    store,
    bus: openSignedBus(kafka, env, 'veren-api'),
    logs,
    tickets,
    secretBox: secretBox(secretKeys(new SecretsManagerClient({}), env.DATA_KEY_SECRET_ARN, clock)),
    clock,
    log,
    doorbell: lambdaDoorbell(new LambdaClient({}), {
      functions: { 'clone-worker': env.CLONE_WORKER_ARN, 'build-worker': env.BUILD_WORKER_ARN },
      onError: (e) => log('a doorbell was not heard; the sweep will ring again', e),
    }),
    archive: s3Archive(s3, env.BUCKET),
    dropCaches: dropCaches(s3, env.BUCKET),
    forbidPublication: forbidPublication({ s3, bucket: env.BUCKET, clock }),
    supersede: env.SUPERSEDE,
    authenticate: authenticateByHash(tokenHashes(new SecretsManagerClient({}), env.TOKENS_SECRET_ARN, clock)),
    newId: deploymentIds(clock),
    linkOrigin: gatewayOrigin,
    siteAddresses: async (projectId) => ({ url: env.SITE_URL_TEMPLATE.replaceAll('{projectId}', projectId) }),
    normaliseGitUrl: (url) => parseGitUrl(url, gitPolicy(env.GIT_HOSTS)).href,
    stopBuilds: stopBuilds({ queue, ecs: new ECSClient({}) }),
    // Function URLs end with a slash.
    ...(env.LOG_STREAM_URL && { logStreamUrl: env.LOG_STREAM_URL.replace(/\/$/, '') }),
  });
  return handle(app);
});

export const handler = async (event: LambdaEvent, context?: LambdaContext) => (await api())(event, context);
