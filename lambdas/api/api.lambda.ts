import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { openEcs, openLambda, openMails, openS3, openSecrets } from '../shared/adapters/aws/clients.ts';
import { createLambdaWaker } from '../shared/adapters/aws/functionWaker.ts';
import { openAwsServices } from '../shared/adapters/aws/services/openAwsServices.ts';
import { snsMails } from '../shared/adapters/aws/snsMails.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { kafkaEnv, openSignedBus } from '../shared/openKafka.ts';
import { openRedis } from '../shared/openRedis.ts';
import { gitPolicy } from '../shared/repo/policyOfHosts.ts';
import { secretBox } from '../shared/secretBox.ts';
import { secretKeys } from '../shared/secrets.ts';
import { gatewayOrigin } from './linkOrigin.ts';

const env = readEnv('api');
const log = jsonLog('api');
const clock = systemClock;

const api = lazyAsync(async () => {
  const [
    { queue, store, logs, tickets, rateLimit },
    kafka,
    { composeApi },
    { openOwners },
    { domainPortsOf },
    addresses,
    { urlSigner },
  ] = await Promise.all([
    openRedis(env, log),
    kafkaEnv(env),
    import('./compose.ts'),
    import('../shared/people/openAuthentication.ts'),
    import('../shared/domains/domainPorts.ts'),
    import('../shared/sites/siteAddresses.ts'),
    import('../shared/adapters/aws/urlSigner.ts'),
  ]);
  const s3 = openS3();
  const { authenticate, owners } = openOwners(env, s3, log);
  const app = composeApi(
    {
      queue,
      store,
      logs,
      tickets,
      rateLimit,
      bus: openSignedBus(kafka, env, 'veren-api'),
      waker: createLambdaWaker(openLambda(), {
        functions: {
          'clone-worker': env.CLONE_WORKER_ARN,
          'build-worker': env.BUILD_WORKER_ARN,
          releaser: env.RELEASER_ARN,
          'git-worker': env.GIT_WORKER_ARN,
        },
        onError: (error) => log.warn('A worker could not be woken, and the next sweep wakes it', { error }),
      }),
      secretBox: secretBox(secretKeys(openSecrets(), env.DATA_KEY_SECRET_ARN, clock)),
      authenticate,
      owners,
      domainPorts: domainPortsOf(env),
      services: openAwsServices(env),
      mails: snsMails(openMails(), env.MAIL_TOPICS_ARN),
      s3,
      ecs: openEcs(),
      urlSigner: urlSigner({}),
      clock,
      log,
    },
    {
      bucket: env.BUCKET,
      gitPolicy: gitPolicy(env.GIT_HOSTS),
      apiHosts: env.GIT_API_HOSTS,
      supersede: env.SUPERSEDE,
      limits: env.OWNER_LIMITS,
      linkOrigin: gatewayOrigin,
      siteAddresses: addresses.templateAddresses(env.SITE_URL_TEMPLATE),
      // Function URLs end with a slash.
      ...(env.LOG_STREAM_URL && { logStreamUrl: env.LOG_STREAM_URL.replace(/\/$/, '') }),
    },
  );
  return handle(app);
});

export const handler = async (event: LambdaEvent, context?: LambdaContext) => (await api())(event, context);
