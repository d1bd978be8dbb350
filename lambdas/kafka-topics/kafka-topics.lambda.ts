import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { readEnv } from '../shared/env.ts';
import { jsonLog } from '../shared/logger.ts';
import { kafkaEnv, openKafka } from '../shared/openKafka.ts';
import { alignTopics, TopicsSchema } from './topics.ts';

const env = readEnv('kafka-topics');
const log = jsonLog('kafka-topics');
/** One per stack; a change of it would make CloudFormation delete "the old" topics. */
const PHYSICAL_ID = 'kafka-topics';

/** Behind CDK's provider framework, which answers CloudFormation and tells it what was thrown. */
export async function handler(event: CloudFormationCustomResourceEvent): Promise<{ PhysicalResourceId: string }> {
  // Topics are the log of everything that happened: they outlive the stack.
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
