import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreatePolicyCommand, DeletePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { type FunctionConfiguration, InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { DeploymentView } from '../../contract/api.ts';
import { SERVICE_SECRET_HEADER } from '../../contract/serviceAdapter.ts';
import { DEFAULT_SERVICE } from '../../contract/services.ts';
import {
  openIam,
  openLambda,
  openLogs,
  openMetrics,
  openScheduler,
} from '../../lambdas/shared/adapters/aws/clients.ts';
import { lambdaServices } from '../../lambdas/shared/adapters/aws/services/lambdaServices.ts';
import { aliasOf, serviceNames } from '../../lambdas/shared/adapters/aws/services/resourceNames.ts';
import type { ServiceVersion } from '../../lambdas/shared/services/servicePort.ts';

const REGION = process.env.AWS_REGION ?? '';
const ACCOUNT = '123456789012';
/** Between the head of a streamed answer, in JSON, and its body. Source: Lambda developer guide, "Response streaming". */
const HEAD_END = Buffer.alloc(8);

/** A backend of a deployment on the emulator's Lambda, from its start to its removal. */
export interface LambdaService {
  /** What a visitor gets who comes by CloudFront, which adds the secret. */
  ask(path: string, headers?: Record<string, string>): Promise<Response>;
  /** What somebody gets who has guessed the address. */
  askWithoutSecret(path: string): Promise<Response>;
  remove(): Promise<void>;
}

/**
 * Starts the image of a deployment by what the releaser starts it with. The emulator has no data plane for function URLs and
 * gives an image no digest: calls of an address are invocations with a URL's event, and the digest is said here.
 */
export async function startOnLambda({ projectId, deploymentId, builds }: DeploymentView): Promise<LambdaService> {
  const artifact = builds.backend?.artifact;
  if (artifact?.kind !== 'image') throw new Error(`${projectId} has no image`);
  const version: ServiceVersion = {
    ...{ projectId, deploymentId, artifact, owner: 'alice', variables: 0, port: 3_000 },
    ...{ environment: { GREETING: 'from Lambda' }, secrets: [], settings: { ...DEFAULT_SERVICE, healthSeconds: 90 } },
  };
  const FunctionName = serviceNames('dev', REGION).functionName(projectId);
  const byUrl = (url: URL, headers: Record<string, string>) =>
    invoke({ FunctionName, Qualifier: aliasOf(version) }, url, headers);
  const iam = new IAMClient({});
  const PolicyName = `veren-test-boundary-${randomBytes(4).toString('hex')}`;
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName,
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*' }],
      }),
    }),
  );
  const services = lambdaServices(
    {
      ...{ iam: openIam(), logs: openLogs(), metrics: openMetrics(), scheduler: openScheduler() },
      lambda: sayingDigests(openLambda(), artifact.digest.replace('sha256:', '')),
      fetchUrl: (url, init) => byUrl(new URL(`${url}`), init?.headers as Record<string, string>),
      ...{ now: Date.now, sleep: (ms: number) => sleep(ms) },
    },
    {
      ...{ stage: 'dev', region: REGION, account: ACCOUNT, partition: 'aws', logRetentionDays: 1 },
      ...{ boundaryArn: Policy!.Arn!, schedulerRoleArn: '', network: { subnetIds: [], groupIds: [] } },
    },
  );
  const remove = async () => {
    await services.remove(projectId);
    await iam.send(new DeletePolicyCommand({ PolicyArn: Policy!.Arn! }));
  };
  const { address = '' } = await services.start(version).catch(async (error) => {
    await remove();
    throw error;
  });
  const [secret = '', host] = address.split('@');
  return {
    ask: (path, headers = {}) =>
      byUrl(new URL(path, `https://${host}`), { ...headers, [SERVICE_SECRET_HEADER]: secret }),
    askWithoutSecret: (path) => byUrl(new URL(path, `https://${host}`), {}),
    remove,
  };
}

type Lambda = ReturnType<typeof openLambda>;

/** Lambda's `CodeSha256` of an image is its digest; the emulator's is another hash. */
function sayingDigests(lambda: Lambda, digest: string): Lambda {
  return {
    async send(command: { input: { CodeSha256?: string } }) {
      delete command.input.CodeSha256;
      const answer = (await lambda.send(command as never)) as FunctionConfiguration;
      return answer.CodeSha256 === undefined ? answer : { ...answer, CodeSha256: digest };
    },
  } as Lambda;
}

/** An invocation as a function URL makes it. Source: Lambda developer guide, "Invoking Lambda function URLs". */
async function invoke(
  target: { FunctionName: string; Qualifier: string },
  url: URL,
  headers: Record<string, string>,
): Promise<Response> {
  const http = { method: 'GET', path: url.pathname, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
  const event = {
    ...{ version: '2.0', routeKey: '$default', rawPath: url.pathname, rawQueryString: url.search.slice(1) },
    headers: { ...headers, host: url.host },
    requestContext: {
      ...{ accountId: 'anonymous', apiId: url.host.split('.')[0], domainName: url.host, stage: '$default', http },
      ...{ domainPrefix: url.host.split('.')[0], requestId: randomUUID(), routeKey: '$default' },
      ...{ time: '28/Nov/2026:00:00:00 +0000', timeEpoch: Date.now() },
    },
    isBase64Encoded: false,
  };
  const { EventStream } = await new LambdaClient({}).send(
    new InvokeWithResponseStreamCommand({ ...target, Payload: Buffer.from(JSON.stringify(event)) }),
  );
  let bytes = Buffer.alloc(0);
  for await (const { PayloadChunk, InvokeComplete } of EventStream!) {
    if (PayloadChunk?.Payload) bytes = Buffer.concat([bytes, PayloadChunk.Payload]);
    if (InvokeComplete?.ErrorCode) throw new Error(`${InvokeComplete.ErrorCode}: ${InvokeComplete.ErrorDetails}`);
  }
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) throw new Error(`no streamed answer: ${bytes.toString('latin1').slice(0, 200)}`);
  const head = JSON.parse(bytes.toString('utf8', 0, end)) as { statusCode: number; headers?: Record<string, string> };
  return new Response(bytes.subarray(end + HEAD_END.length), { status: head.statusCode, headers: head.headers ?? {} });
}
