import {
  type EventSourceMappingConfiguration,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import type { MSKEvent } from 'aws-lambda';
import type { KafkaEnv } from '../../contract/kafka-env.ts';
import { KafkaEnvSchema } from '../../contract/kafka-env.ts';
import { TOPICS, type Topic } from '../../contract/names.ts';
import { openKafka } from '../../lambdas/shared/openKafka.ts';
import { consumeAsLambda } from '../adapters/kafka/consumeAsLambda.ts';
import type { KafkaBatchResponse } from '../adapters/kafka/lambdaEvent.ts';
import { ensureTopics } from '../adapters/kafka/topics.ts';

export interface EventSource {
  readonly functionArn: string;
  readonly topics: readonly Topic[];
}

/**
 * The function that deployed mappings feed, and its topics. Null before the deployment. An emulator that does not know
 * Kafka keeps no topics with a mapping: then they are the contract's.
 */
export async function deployedSource(lambda: LambdaClient, functionName: string): Promise<EventSource | null> {
  const { EventSourceMappings = [] } = await lambda
    .send(new ListEventSourceMappingsCommand({ FunctionName: functionName }))
    .catch(whereAbsent({ EventSourceMappings: [] as EventSourceMappingConfiguration[] }));
  const enabled = EventSourceMappings.filter(({ State }) => State === 'Enabled');
  const functionArn = enabled[0]?.FunctionArn;
  if (!functionArn) return null;
  const named = enabled.flatMap(({ Topics = [] }) => Topics as Topic[]);
  return { functionArn, topics: named.length > 0 ? [...new Set(named)] : Object.values(TOPICS) };
}

/** How a deployed function reaches Kafka. Null before the deployment. */
export async function deployedKafka(lambda: LambdaClient, functionName: string): Promise<KafkaEnv | null> {
  const found = await lambda
    .send(new GetFunctionConfigurationCommand({ FunctionName: functionName }))
    .catch(whereAbsent(null));
  return found && KafkaEnvSchema.parse(found.Environment?.Variables ?? {});
}

const whereAbsent =
  <T>(instead: T) =>
  (e: Error): T => {
    if (e.name === 'ResourceNotFoundException') return instead;
    throw e;
  };

/** Feeds the function from Kafka, at least once. Gives the function that ends it. */
export async function feedFunction(options: {
  readonly lambda: LambdaClient;
  readonly source: EventSource;
  readonly kafka: KafkaEnv;
  readonly region: string;
  readonly onError: (error: unknown) => void;
}): Promise<() => Promise<void>> {
  const { lambda, source, onError } = options;
  const kafka = await openKafka(options.kafka, 'veren-emulator-bridge', options.region);
  await ensureTopics(kafka, { partitions: 3, replicas: 1 });
  return consumeAsLambda({
    kafka,
    groupId: 'veren-emulator-bridge',
    topics: source.topics,
    handler: (event) => invokeFunction(lambda, source.functionArn, event),
    onError,
  });
}

/** @throws where the function failed: its batch is given again */
export async function invokeFunction(
  lambda: LambdaClient,
  functionArn: string,
  event: MSKEvent,
): Promise<KafkaBatchResponse> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(event) }),
  );
  const answer = Payload?.transformToString() ?? '';
  if (FunctionError) throw new Error(`${functionArn} failed: ${answer.slice(0, 1_000)}`);
  return JSON.parse(answer || 'null') as KafkaBatchResponse;
}
