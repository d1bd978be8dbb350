import type { FunctionEnv } from '../../contract/function-env.ts';
import { openSecrets, type S3Calls } from '../shared/adapters/aws/clients.ts';
import { openAwsServices } from '../shared/adapters/aws/services/openAwsServices.ts';
import { systemClock } from '../shared/clock.ts';
import type { RuntimeEnv } from '../shared/env.ts';
import { kafkaEnv, openSignedBus } from '../shared/openKafka.ts';
import { openVariableStore } from '../shared/projects/variableStore.ts';
import { secretBox } from '../shared/secretBox.ts';
import { secretKeys } from '../shared/secrets.ts';
import type { ServiceRunner } from './services.ts';

/** What starts backends; undefined in a stage that runs none. */
export async function openRunner(
  env: FunctionEnv<'releaser'> & RuntimeEnv,
  s3: S3Calls,
): Promise<ServiceRunner | undefined> {
  const services = openAwsServices(env);
  const { KAFKA_BROKERS, KAFKA_SECURITY, DATA_KEY_SECRET_ARN, EVENT_SIGNING_SECRET_ARN } = env;
  if (!services || !KAFKA_BROKERS || !KAFKA_SECURITY || !DATA_KEY_SECRET_ARN || !EVENT_SIGNING_SECRET_ARN)
    return undefined;
  const kafka = await kafkaEnv({ ...env, KAFKA_BROKERS, KAFKA_SECURITY });
  return {
    services,
    secretBox: secretBox(secretKeys(openSecrets(), DATA_KEY_SECRET_ARN, systemClock)),
    variables: openVariableStore({ s3, bucket: env.BUCKET, clock: systemClock }),
    bus: openSignedBus(kafka, { EVENT_SIGNING_SECRET_ARN, AWS_REGION: env.AWS_REGION }, 'veren-releaser'),
  };
}
