import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { lambdaEvent } from '../../../local/adapters/kafka/lambdaEvent.ts';
import type { TaskStateChange } from '../../../local/ecs/view.ts';
import { deployedKafka, deployedSource, invokeFunction } from '../../../local/emulator/eventSource.ts';
import { deliverStateChange } from '../../../local/emulator/stateChanges.ts';
import { httpDouble, type Request, type Response } from '../../support/httpDouble.ts';

const ARN = 'arn:aws:lambda:ap-south-1:000000000000:function:veren-local-task-watcher';
const json = (value: object, more: Partial<Response> = {}): Response => ({
  status: 200,
  body: JSON.stringify(value),
  ...more,
  headers: { 'Content-Type': 'application/x-amz-json-1.1', ...more.headers },
});
const absent = json(
  { Message: 'no such function' },
  { status: 404, headers: { 'x-amzn-errortype': 'ResourceNotFoundException' } },
);

let emulator: Awaited<ReturnType<typeof httpDouble>>;
let answer: (request: Request) => Response;
let events: EventBridgeClient;
let lambda: LambdaClient;

beforeEach(async () => {
  emulator = await httpDouble((request) => answer(request));
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const sdk = { endpoint: emulator.url, region: 'ap-south-1', credentials, maxAttempts: 1 };
  [events, lambda] = [new EventBridgeClient(sdk), new LambdaClient(sdk)];
});
afterEach(() => emulator.close());

describe('state changes', () => {
  const change = { source: 'aws.ecs', detail: { lastStatus: 'STOPPED' } } as unknown as TaskStateChange;
  const bus = (matches: (pattern: string) => boolean) => (request: Request) => {
    const input = JSON.parse(request.body || '{}');
    switch (String(request.headers['x-amz-target']).split('.')[1]) {
      case 'ListRules':
        return json({
          Rules: [
            { Name: 'Sweep', State: 'ENABLED', ScheduleExpression: 'rate(1 minute)' },
            { Name: 'TaskStopped', State: 'ENABLED', EventPattern: 'stopped' },
            { Name: 'Off', State: 'DISABLED', EventPattern: 'stopped' },
          ],
        });
      case 'TestEventPattern':
        expect(JSON.parse(input.Event)).toEqual(change);
        return json({ Result: matches(input.EventPattern) });
      case 'ListTargetsByRule':
        expect(input.Rule).toBe('TaskStopped');
        return json({
          Targets: [
            { Id: '1', Arn: ARN },
            { Id: '2', Arn: 'arn:aws:sqs:ap-south-1:000000000000:queue' },
          ],
        });
      default:
        return json({}, { status: 202 });
    }
  };
  const invocations = () => emulator.requests.filter(({ url }) => url.includes('/invocations'));

  it('go to the functions of the rules that match, as EventBridge invokes them', async () => {
    answer = bus((pattern) => pattern === 'stopped');
    await deliverStateChange({ events, lambda }, change);
    expect(invocations()).toHaveLength(1);
    expect(invocations()[0]).toMatchObject({ url: expect.stringContaining(encodeURIComponent(ARN)) });
    expect(invocations()[0]?.headers['x-amz-invocation-type']).toBe('Event');
    expect(JSON.parse(invocations()[0]!.body)).toEqual(change);
  });

  it('go nowhere where no rule matches', async () => {
    answer = bus(() => false);
    await deliverStateChange({ events, lambda }, change);
    expect(invocations()).toEqual([]);
  });
});

describe('the event source', () => {
  it('is not there before the deployment', async () => {
    answer = () => absent;
    expect(await deployedSource(lambda, 'veren-local-event-projector')).toBeNull();
    expect(await deployedKafka(lambda, 'veren-local-task-watcher')).toBeNull();
    answer = () => json({ EventSourceMappings: [{ FunctionArn: ARN, State: 'Disabled' }] });
    expect(await deployedSource(lambda, 'veren-local-event-projector')).toBeNull();
  });

  it("has the mappings' topics, or the contract's where the emulator keeps none", async () => {
    answer = () => json({ EventSourceMappings: [{ FunctionArn: ARN, State: 'Enabled', Topics: ['build-logs'] }] });
    expect(await deployedSource(lambda, 'x')).toEqual({ functionArn: ARN, topics: ['build-logs'] });
    answer = () => json({ EventSourceMappings: [{ FunctionArn: ARN, State: 'Enabled' }] });
    expect(await deployedSource(lambda, 'x')).toEqual({
      functionArn: ARN,
      topics: ['deployment-events', 'build-events', 'build-logs'],
    });
  });

  it('reaches Kafka as the functions do', async () => {
    answer = () => json({ Environment: { Variables: { KAFKA_BROKERS: 'here:9092', STAGE: 'local' } } });
    expect(await deployedKafka(lambda, 'x')).toEqual({ KAFKA_BROKERS: 'here:9092', KAFKA_SECURITY: 'plaintext' });
  });

  const event = lambdaEvent('build-logs', 2, [], { arn: '', brokers: '' });

  it('gives what the function answers', async () => {
    const failed = { batchItemFailures: [{ itemIdentifier: { partition: 'build-logs-2', offset: 4 } }] };
    answer = () => json(failed);
    expect(await invokeFunction(lambda, ARN, event)).toEqual(failed);
    expect(JSON.parse(emulator.requests[0]!.body)).toEqual(event);
    expect(emulator.requests[0]?.headers['x-amz-invocation-type']).not.toBe('Event');
  });

  it('takes a function that failed for a batch that is not done', async () => {
    answer = () => json({ errorMessage: 'no Redis' }, { headers: { 'x-amz-function-error': 'Unhandled' } });
    await expect(invokeFunction(lambda, ARN, event)).rejects.toThrow('no Redis');
    answer = () =>
      json({ message: 'throttled' }, { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException' } });
    await expect(invokeFunction(lambda, ARN, event)).rejects.toThrow();
  });
});
