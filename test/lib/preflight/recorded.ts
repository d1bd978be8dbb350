import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an account answers, by call; `Action` or the operation of `X-Amz-Target`, or method and path. */
export type Answers = Record<string, (input: string) => { status?: number; body: string }>;

const xml = (action: string, result: string) =>
  `<${action}Response xmlns="https://x"><${action}Result>${result}</${action}Result></${action}Response>`;
const json = (value: unknown) => JSON.stringify(value);
const error = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
const missing = (type: string) => ({ status: 400, body: json({ __type: type, message: 'no' }) });

/** A fresh account in ap-south-1, in the shapes of AWS's own answers. */
export function freshAccount(): Answers {
  const quotas: Record<string, number> = { 'L-3032A538': 6, 'L-36FBB829': 6, 'L-0263D0A3': 5, 'L-0EA8095F': 60 };
  return {
    GetCallerIdentity: () => ({ body: xml('GetCallerIdentity', '<Account>123456789012</Account>') }),
    GetParameter: () => ({ body: json({ Parameter: { Name: 'x', Value: '30' } }) }),
    DescribeAvailabilityZones: () => ({
      body: `<DescribeAvailabilityZonesResponse><availabilityZoneInfo>${['b', 'a', 'c']
        .map(
          (z, i) =>
            `<item><zoneName>ap-south-1${z}</zoneName><zoneId>aps1-az${i + 1}</zoneId><zoneState>available</zoneState></item>`,
        )
        .join('')}</availabilityZoneInfo></DescribeAvailabilityZonesResponse>`,
    }),
    DescribeAddresses: () => ({
      body: '<DescribeAddressesResponse><addressesSet><item><publicIp>1.2.3.4</publicIp></item></addressesSet></DescribeAddressesResponse>',
    }),
    DescribeVpcs: () => ({
      body: '<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>',
    }),
    GetServiceQuota: (input) => {
      const value = quotas[JSON.parse(input).QuotaCode];
      return value === undefined ? missing('NoSuchResourceException') : { body: json({ Quota: { Value: value } }) };
    },
    GetAWSDefaultServiceQuota: () => ({ body: json({ Quota: { Value: 5 } }) }),
    ListServiceQuotas: () => ({
      body: json({
        Quotas: [
          { QuotaName: 'Concurrently running builds for Linux/Small environment', Value: 1 },
          { QuotaName: 'Concurrently running builds for ARM/Small environment', Value: 1 },
          { QuotaName: 'Concurrently running builds for Linux/Large environment', Value: 0 },
        ],
      }),
    }),
    'GET /2016-08-19/account-settings': () => ({
      body: json({ AccountLimit: { ConcurrentExecutions: 10, UnreservedConcurrentExecutions: 10 } }),
    }),
    GetRole: () => ({ status: 404, body: error('NoSuchEntity') }),
    DescribeStacks: () => ({ status: 400, body: error('ValidationError') }),
    DescribeRepositories: () => missing('RepositoryNotFoundException'),
    DescribeClusters: () => ({ body: json({ clusters: [], failures: [{ reason: 'MISSING' }] }) }),
    DescribeSecret: () => missing('ResourceNotFoundException'),
    'HEAD /veren-v2-123456789012-ap-south-1': () => ({ status: 404, body: '' }),
    'GET /api/v2/clusters': () => ({ body: json({ clusterInfoList: [] }) }),
  };
}

/** Answers as the account does; what it was not told of is an error that says so. `calls` has what was asked. */
export async function serve(answers: Answers): Promise<{ server: Server; url: string; calls: string[] }> {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const target = request.headers['x-amz-target'];
    const path = request.url?.split('?')[0]?.replace(/\/$/, '');
    const call =
      (typeof target === 'string' && target.split('.').at(-1)) ||
      new URLSearchParams(body).get('Action') ||
      `${request.method} ${path}`;
    calls.push(call);
    const answer = answers[call]?.(body) ?? { status: 501, body: `nothing is recorded of ${call}` };
    response.writeHead(answer.status ?? 200, {
      'content-type': answer.body.startsWith('<') ? 'text/xml' : 'application/x-amz-json-1.1',
    });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

export const stackAnswer = (status: string) => ({
  body: xml(
    'DescribeStacks',
    `<Stacks><member><StackName>x</StackName><CreationTime>2026-11-27T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus></member></Stacks>`,
  ),
});
export const roleAnswer = (name: string) => ({
  body: xml(
    'GetRole',
    `<Role><Path>/</Path><RoleName>${name}</RoleName><RoleId>R</RoleId><Arn>arn:aws:iam::1:role/x</Arn><CreateDate>2026-11-27T00:00:00Z</CreateDate></Role>`,
  ),
});
