import { readFile } from 'node:fs/promises';
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { z } from 'zod';

const CallSchema = z.object({
  host: z.string(),
  container: z.string().optional(),
  session: z.string().optional(),
  isRoot: z.boolean(),
  service: z.string(),
  action: z.string().optional(),
  method: z.string(),
  path: z.string(),
  query: z.array(z.string()).default([]),
  names: z.record(z.string(), z.unknown()),
  status: z.number(),
});
export type RecordedCall = z.infer<typeof CallSchema>;

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action?: string | string[];
  readonly Resource?: string | string[];
}
export interface ExplainedCall {
  readonly action: string;
  /** Undefined where the call's line does not name it: then the action alone is compared. */
  readonly resource: string | undefined;
  readonly principal: string;
  /** Of the deployed policies of the role: what allows the call; null where nothing does. */
  readonly statement: string | null;
  readonly statuses: readonly number[];
  readonly count: number;
}

/** The calls of the stage's own roles, each kind once. Calls of the operator, `cdk` and its roles are left out. */
export async function explainCalls(file: string): Promise<ExplainedCall[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  const calls = lines.map((line) => CallSchema.parse(JSON.parse(line)));
  const roles = await rolesOfFunctions();
  const groups = new Map<string, { action: string; resource: string | undefined; role: string; statuses: number[] }>();
  for (const call of calls) {
    const role = roleOf(call, roles);
    if (!role || call.isRoot || role.startsWith('cdk-')) continue;
    const action = actionOf(call);
    for (const resource of resourcesOf(call)) {
      const key = JSON.stringify([action, resource, role]);
      const group = groups.get(key) ?? { action, resource, role, statuses: [] };
      group.statuses.push(call.status);
      groups.set(key, group);
    }
  }
  const statementsOf = rememberStatements(new IAMClient({}));
  const explained = [...groups.values()].map(async ({ action, resource, role, statuses }) => ({
    action,
    resource,
    principal: role,
    statement: findStatement(await statementsOf(role), action, resource),
    statuses: [...new Set(statuses)].sort(),
    count: statuses.length,
  }));
  return (await Promise.all(explained)).sort((a, b) => (a.principal + a.action).localeCompare(b.principal + b.action));
}

/** For people: `call → principal → statement`. */
export const listCalls = (calls: readonly ExplainedCall[]): string =>
  calls
    .map(
      ({ action, resource, principal, statement, statuses, count }) =>
        `${action} ${resource ?? ''} → ${principal} → ${statement ?? 'NOT ALLOWED'} (${count}×, ${statuses.join(', ')})\n`,
    )
    .join('');

async function rolesOfFunctions(): Promise<Map<string, string>> {
  const roles = new Map<string, string>();
  for await (const { Functions = [] } of paginateListFunctions({ client: new LambdaClient({}) }, {}))
    for (const { FunctionName, Role } of Functions) roles.set(FunctionName!, Role!.split('/').at(-1)!);
  return roles;
}

function roleOf({ session, container }: RecordedCall, roles: ReadonlyMap<string, string>): string | undefined {
  if (session) return session.split('/').at(-2);
  const [kind, name] = container?.split(':') ?? [];
  return kind === 'lambda' ? roles.get(name!) : undefined;
}

/** Actions of services whose calls name theirs by path only. Source: the service authorization reference. */
const REST_ACTIONS: readonly (readonly [service: string, call: RegExp, action: string])[] = [
  ['lambda', /^POST .*\/invocations$/, 'InvokeFunction'],
  ['execute-api', /\/@connections\//, 'ManageConnections'],
  ['kafka', /\/bootstrap-brokers$/, 'GetBootstrapBrokers'],
  ['cloudfront-keyvaluestore', /^GET .*\/keys\//, 'GetKey'],
  ['cloudfront-keyvaluestore', /^GET /, 'DescribeKeyValueStore'],
  ['cloudfront-keyvaluestore', /^POST .*\/keys$/, 'UpdateKeys'],
  ['s3', /^(GET|HEAD) \/.* list-type/, 'ListBucket'],
  ['s3', /^POST .* delete/, 'DeleteObject'],
  ['s3', /^DELETE .* uploadId/, 'AbortMultipartUpload'],
  ['s3', /^DELETE /, 'DeleteObject'],
  ['s3', /^(GET|HEAD) \/.+/, 'GetObject'],
  ['s3', /^(PUT|POST) /, 'PutObject'],
];

export function actionOf({ service, action, method, path, query }: RecordedCall): string {
  if (action) return `${service}:${action}`;
  const call = `${method} ${path}${query.map((name) => ` ${name}`).join('')}`;
  const known = REST_ACTIONS.find(([of, pattern]) => of === service && pattern.test(call));
  return `${service}:${known?.[2] ?? `${method} ${path}`}`;
}

/** ARNs that a call is about, as far as its line names them. */
export function resourcesOf({ service, action, names, host, path }: RecordedCall): (string | undefined)[] {
  const bucket = service === 's3' && /^(.+)\.s3[.-]/.exec(host)?.[1];
  if (bucket) return [`arn:aws:s3:::${bucket}${path === '/' ? '' : decodeURIComponent(path)}`];
  const region = /\.([a-z]+-[a-z]+-\d)\./.exec(host)?.[1] ?? 'ap-south-1';
  const arnOf = (rest: string) =>
    rest.startsWith('arn:') ? rest : `arn:aws:${service}:${region}:123456789012:${rest}`;
  if (service === 'ecr' && typeof names.repositoryName === 'string')
    return [arnOf(`repository/${names.repositoryName}`)];
  if (service === 'logs' && typeof names.logGroupName === 'string') return [arnOf(`log-group:${names.logGroupName}:*`)];
  if (service !== 'ecs') return [undefined];
  if (action === 'RunTask') {
    const definition = String(names.taskDefinition).split('/').at(-1)!;
    return [arnOf(`task-definition/${definition.includes(':') ? definition : `${definition}:*`}`)];
  }
  const tasks = [names.task ?? names.tasks ?? []].flat().map(String);
  const cluster = String(names.cluster).split('/').at(-1);
  return tasks.length > 0 ? tasks.map((task) => arnOf(`task/${cluster}/${task.split('/').at(-1)}`)) : [undefined];
}

function rememberStatements(iam: IAMClient) {
  const known = new Map<string, Promise<Statement[]>>();
  return (role: string): Promise<Statement[]> => {
    if (!known.has(role)) known.set(role, readStatements(iam, role));
    return known.get(role)!;
  };
}

async function readStatements(iam: IAMClient, RoleName: string): Promise<Statement[]> {
  const documents: string[] = [];
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  for (const PolicyName of PolicyNames)
    documents.push((await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))).PolicyDocument!);
  const { AttachedPolicies = [] } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  for (const { PolicyArn } of AttachedPolicies) {
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
    const VersionId = Policy!.DefaultVersionId!;
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
    documents.push(PolicyVersion!.Document!);
  }
  return documents.flatMap((text) => [JSON.parse(decodeURIComponent(text)).Statement].flat());
}

/** The statement that allows it, said in short; null where none does. Conditions are for AWS to check. */
export function findStatement(
  statements: readonly Statement[],
  action: string,
  resource: string | undefined,
): string | null {
  const allowing = statements.find(
    ({ Effect, Action = [], Resource = [] }) =>
      Effect === 'Allow' &&
      [Action].flat().some((pattern) => matches(pattern, action)) &&
      (resource === undefined || [Resource].flat().some((pattern) => matches(pattern, resource))),
  );
  if (!allowing) return null;
  return `${allowing.Sid ?? 'Allow'} ${[allowing.Action].flat().join(' ')} on ${[allowing.Resource].flat().join(' ')}`;
}

/** @param pattern with `*` and `?`, as in a policy; a resource may be one itself */
function matches(pattern: string, value: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(value);
}
