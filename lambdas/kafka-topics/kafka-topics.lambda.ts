import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { readEnv } from '../shared/env.ts';
import { jsonLog } from '../shared/logger.ts';
import { kafkaEnv, openKafka } from '../shared/openKafka.ts';
import { alignTopics, TopicsSchema } from './topics.ts';

const env = readEnv('kafka-topics');
const log = jsonLog('kafka-topics');
/** One id per stack: with another one CloudFormation would delete the resource of the old id. */
const PHYSICAL_ID = 'kafka-topics';

/** Called by CDK's provider framework, which answers CloudFormation, also with the error that was thrown. */
export async function handler(event: CloudFormationCustomResourceEvent): Promise<{ PhysicalResourceId: string }> {
  // Topics hold the events of all deployments, so they are kept when the stack is deleted.
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const topics = TopicsSchema.parse(event.ResourceProperties.topics);
  const kafka = await openKafka(await kafkaEnv(env), 'veren-kafka-topics', env.AWS_REGION);
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (const sentence of await alignTopics(admin, topics)) log.info('Topics were aligned', { change: sentence });
  } finally {
    await admin.disconnect();
  }
  return { PhysicalResourceId: PHYSICAL_ID };
}
