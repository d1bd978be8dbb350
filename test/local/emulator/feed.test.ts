import { LambdaClient } from '@aws-sdk/client-lambda';
import type { MSKEvent } from 'aws-lambda';
import { TOPICS } from '../../../contract/names.ts';
import { openBus } from '../../../lambdas/shared/openKafka.ts';
import { feedFunction } from '../../../local/emulator/eventSource.ts';
import { describeWith } from '../../support/engines.ts';
import { httpDouble } from '../../support/httpDouble.ts';
import { ownKafka, ownKafkaMissing } from '../../support/kafka.ts';

const FUNCTION = 'arn:aws:lambda:ap-south-1:000000000000:function:veren-local-event-projector';

/** The bridge's feed from a real broker to a function that is told when to fail. */
describeWith(ownKafkaMissing, 'event-projector is fed from Kafka', () => {
  it('again where it failed, from where it was after a restart, and never twice what was done', async () => {
    const handled: string[] = [];
    let failures = 3;
    const emulator = await httpDouble(({ body }) => {
      if (failures-- > 0)
        return { status: 200, headers: { 'x-amz-function-error': 'Unhandled' }, body: '{"errorMessage":"no Redis"}' };
      const { records } = JSON.parse(body) as MSKEvent;
      for (const { value } of Object.values(records).flat()) handled.push(Buffer.from(value, 'base64').toString());
      return { status: 200, body: '{"batchItemFailures":[]}' };
    });
    const kafka = await ownKafka();
    const bus = openBus(kafka.env, 'test', 'ap-south-1');
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const errors: unknown[] = [];
    const feed = () =>
      feedFunction({
        lambda: new LambdaClient({ endpoint: emulator.url, region: 'ap-south-1', credentials, maxAttempts: 1 }),
        source: { functionArn: FUNCTION, topics: [TOPICS.events] },
        kafka: kafka.env,
        region: 'ap-south-1',
        onError: (e) => errors.push(e),
      });
    const until = async (count: number) => {
      while (handled.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const publish = (...values: string[]) =>
      bus.publish(
        TOPICS.events,
        values.map((value) => ({ key: 'one', value })),
      );
    try {
      let end = await feed();
      await publish('a', 'b', 'c');
      await until(3);
      // A broker that has just started may ask for patience besides.
      const failed = errors.map((e) => (e as Error).message).filter((message) => message.startsWith(FUNCTION));
      expect(failed).toEqual(Array(3).fill(expect.stringContaining('no Redis')));
      await end();

      await publish('d');
      end = await feed();
      await until(4);
      await end();
      expect(handled).toEqual(['a', 'b', 'c', 'd']);
    } finally {
      await bus.close();
      await kafka.stop();
      await emulator.close();
    }
  }, 60_000);
});
