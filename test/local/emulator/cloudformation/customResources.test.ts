import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CustomResources } from '../../../../local/emulator/cloudformation/customResources.ts';
import { KeyValueStores } from '../../../../local/emulator/cloudfront/keyValueStores.ts';

const URL_OF_ANSWERS = 'https://answers.example.com';
const REQUEST = {
  type: 'Create',
  stackId: 'stack',
  logicalId: 'Brokers',
  resourceType: 'Custom::AWS',
  properties: { ServiceToken: 'arn:of-function' },
} as const;

/** A function that does with its event what the test says. */
function functionThat(act: (event: Record<string, string>, customs: CustomResources) => object) {
  const lambda = {
    send: async (command: InvokeCommand) => act(JSON.parse(String(command.input.Payload)), customs),
  } as unknown as LambdaClient;
  const customs = new CustomResources(lambda, URL_OF_ANSWERS, new KeyValueStores('123456789012'));
  return customs;
}
const answerTo = (event: Record<string, string>) => event.ResponseURL!.slice(URL_OF_ANSWERS.length + 1);

it('takes the answer that a function puts to its URL, also after it has returned', async () => {
  const customs = functionThat((event, it) => {
    expect(event).toMatchObject({ RequestType: 'Create', StackId: 'stack', LogicalResourceId: 'Brokers' });
    const body = JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'brokers', Data: { List: 'b-1' } });
    setTimeout(() => it.take(answerTo(event), body), 20);
    return {};
  });
  expect(await customs.call(REQUEST)).toEqual({ physicalId: 'brokers', data: { List: 'b-1' } });
});

it("fails with the function's reason", async () => {
  const customs = functionThat((event, it) => {
    it.take(answerTo(event), JSON.stringify({ Status: 'FAILED', Reason: 'no such cluster' }));
    return {};
  });
  await expect(customs.call(REQUEST)).rejects.toThrow('Brokers: no such cluster');
});

it('does not wait for a function that has failed', async () => {
  const Payload = { transformToString: () => '{"errorMessage":"out of memory"}' };
  const customs = functionThat(() => ({ FunctionError: 'Unhandled', Payload }));
  await expect(customs.call(REQUEST)).rejects.toThrow('Brokers: {"errorMessage":"out of memory"}');
});

it('knows no answer that nobody waits for', () => {
  expect(functionThat(() => ({})).take('other', '{}')).toBe(false);
});
