import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import { VerenError } from '../../../../../../contract/errors.ts';
import { parseServiceVersion, type ServiceVersionId, serviceVersionText } from '../../../../../../contract/services.ts';
import type { ServiceVersion } from '../../../../services/servicePort.ts';
import { imageUri } from '../publishVersion.ts';
import { ensureRole, ownLog } from '../serviceRole.ts';
import { type AlwaysOnAccess, type AlwaysOnSettings, isNamed, unless } from './access.ts';

export const CONTAINER = 'backend';
/** ECS's longest between SIGTERM and SIGKILL on Fargate is 120 s. */
const STOP_SECONDS = 30;
/** Source: ECS developer guide, "Service quotas": a task definition. */
const MAX_DEFINITION_BYTES = 64 * 1_024;
/** Of a parameter of SSM; more than `STANDARD_BYTES` makes it an advanced one. */
const MAX_SECRET_BYTES = 8 * 1_024;
const STANDARD_BYTES = 4 * 1_024;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** CPU units and MiB of the smallest task with this much memory. Source: ECS developer guide, "Task CPU and memory". */
export function taskSize(memoryMb: number): { readonly cpu: number; readonly memory: number } {
  if (memoryMb <= 2_048) return { cpu: 256, memory: memoryMb <= 512 ? 512 : memoryMb <= 1_024 ? 1_024 : 2_048 };
  const memory = Math.ceil(memoryMb / 1_024) * 1_024;
  return { cpu: memory <= 4_096 ? 512 : memory <= 8_192 ? 1_024 : 2_048, memory };
}

export const parameterName = (settings: AlwaysOnSettings, version: ServiceVersion, name: string): string =>
  `${settings.names.parameters(version.projectId)}${serviceVersionText(version)}/${name}`;

/** The role that ECS gets a project's image, log and secrets with. Code in a task has no role at all. */
export function ensureTaskRole(
  { iam }: AlwaysOnAccess,
  settings: AlwaysOnSettings,
  projectId: string,
): Promise<string> {
  const { names, boundaryArn, imagesArn } = settings;
  const arn = arnMaker(settings);
  const images = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];
  return ensureRole(iam, names, {
    ...{ projectId, RoleName: names.taskRoleName(projectId), boundaryArn },
    assumedBy: 'ecs-tasks.amazonaws.com',
    policies: {
      [START_TASKS]: [
        ownLog(arn('logs', `log-group:${names.logGroup(projectId)}`)),
        { Effect: 'Allow', Action: ['ecr:GetAuthorizationToken'], Resource: '*' },
        { Effect: 'Allow', Action: images, Resource: imagesArn },
        {
          Effect: 'Allow',
          Action: ['ssm:GetParameters'],
          Resource: arn('ssm', `parameter${names.parameters(projectId)}*`),
        },
      ],
    },
  });
}
export const START_TASKS = 'start-tasks';

const arnMaker =
  ({ partition, region, account }: AlwaysOnSettings) =>
  (service: string, resource: string) =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`;

/** The task definition of a version, which is made first and removed last: by it a version is found. */
export async function ensureDefinition(
  { ecs }: AlwaysOnAccess,
  settings: AlwaysOnSettings,
  version: ServiceVersion,
  executionRoleArn: string,
): Promise<string> {
  const { RegisterTaskDefinitionCommand } = await import('@aws-sdk/client-ecs');
  const family = settings.names.family(version.projectId, version);
  const [known] = await listRevisions({ ecs }, family);
  if (known) return known;
  const { cpu, memory } = taskSize(version.settings.memoryMb);
  const made = await ecs.send(
    new RegisterTaskDefinitionCommand({
      ...{ family, executionRoleArn, cpu: String(cpu), memory: String(memory) },
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
      containerDefinitions: [containerOf(settings, version)],
    }),
  );
  return `${made.taskDefinition?.taskDefinitionArn}`;
}

function containerOf(settings: AlwaysOnSettings, version: ServiceVersion): ContainerDefinition {
  const { environment, secrets, port } = version;
  const open = Object.entries(environment).filter(([name]) => !secrets.includes(name));
  const arn = arnMaker(settings);
  const container: ContainerDefinition = {
    name: CONTAINER,
    image: imageUri(version),
    essential: true,
    stopTimeout: STOP_SECONDS,
    portMappings: [{ containerPort: port, protocol: 'tcp' }],
    environment: [...open, ['PORT', String(port)] as const].map(([name, value]) => ({ name, value })),
    secrets: secretsOf(version).map(([name]) => ({
      name,
      valueFrom: arn('ssm', `parameter${parameterName(settings, version, name)}`),
    })),
    // As on a laptop: no capability and no way to one.
    linuxParameters: { initProcessEnabled: true, capabilities: { drop: ['ALL'] } },
    logConfiguration: {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': settings.names.logGroup(version.projectId),
        'awslogs-region': settings.region,
        'awslogs-stream-prefix': serviceVersionText(version),
        // A log that cannot be written does not stop the service.
        mode: 'non-blocking',
      },
    },
  };
  refuse(version, Buffer.byteLength(JSON.stringify(container)));
  return container;
}

/** Secret variables that have a value: SSM keeps no empty ones, and they tell nobody anything. */
const secretsOf = ({ environment, secrets }: ServiceVersion): [string, string][] =>
  Object.entries(environment).filter(([name, value]) => secrets.includes(name) && value !== '');

/** @throws VerenError where ECS or SSM would refuse the variables */
function refuse(version: ServiceVersion, bytes: number): void {
  const refused = Object.keys(version.environment).filter((name) => !NAME.test(name));
  if (refused.length > 0)
    throw new VerenError('SERVICE_VARIABLE_REFUSED', { runner: 'ECS', names: refused.sort().join(', ') });
  // The rest of a definition is far below a kilobyte.
  const limit = MAX_DEFINITION_BYTES - 1_024;
  if (bytes > limit) throw new VerenError('SERVICE_VARIABLES_TOO_LARGE', { bytes, limit });
  for (const [, value] of secretsOf(version))
    if (Buffer.byteLength(value) > MAX_SECRET_BYTES)
      throw new VerenError('SERVICE_VARIABLES_TOO_LARGE', { bytes: Buffer.byteLength(value), limit: MAX_SECRET_BYTES });
}

/** Writes the secret variables that the definition names. */
export async function writeSecrets(
  { parameters }: AlwaysOnAccess,
  settings: AlwaysOnSettings,
  version: ServiceVersion,
): Promise<void> {
  const { PutParameterCommand } = await import('@aws-sdk/client-ssm');
  for (const [name, Value] of secretsOf(version))
    await parameters.send(
      new PutParameterCommand({
        ...{ Name: parameterName(settings, version, name), Value },
        Type: 'SecureString',
        Overwrite: true,
        Tier: Buffer.byteLength(Value) > STANDARD_BYTES ? 'Advanced' : 'Standard',
      }),
    );
}

async function listRevisions({ ecs }: Pick<AlwaysOnAccess, 'ecs'>, familyPrefix: string): Promise<string[]> {
  const { ListTaskDefinitionsCommand } = await import('@aws-sdk/client-ecs');
  const { taskDefinitionArns = [] } = await ecs.send(
    new ListTaskDefinitionsCommand({ familyPrefix, status: 'ACTIVE', sort: 'DESC' }),
  );
  return taskDefinitionArns;
}

/** Versions of a project that something is left of. */
export async function listVersions(
  { ecs }: Pick<AlwaysOnAccess, 'ecs'>,
  { names }: Pick<AlwaysOnSettings, 'names'>,
  projectId: string,
): Promise<ServiceVersionId[]> {
  const { ListTaskDefinitionFamiliesCommand } = await import('@aws-sdk/client-ecs');
  const familyPrefix = names.families(projectId);
  const found: ServiceVersionId[] = [];
  let nextToken: string | undefined;
  do {
    const page = await ecs.send(
      new ListTaskDefinitionFamiliesCommand({ familyPrefix, status: 'ACTIVE', ...(nextToken && { nextToken }) }),
    );
    for (const family of page.families ?? []) {
      const id = parseServiceVersion(family.slice(familyPrefix.length));
      if (id) found.push(id);
    }
    nextToken = page.nextToken;
  } while (nextToken);
  return found;
}

/** At most this many parameters are removed by a call. */
const MAX_REMOVED = 10;

/** Removes the secrets of a version, and then its definition. */
export async function removeDefinition(access: AlwaysOnAccess, family: string): Promise<void> {
  const sdk = await import('@aws-sdk/client-ecs');
  const { DeleteParametersCommand } = await import('@aws-sdk/client-ssm');
  for (const taskDefinition of await listRevisions(access, family)) {
    const found = await access.ecs.send(new sdk.DescribeTaskDefinitionCommand({ taskDefinition }));
    const secrets = found.taskDefinition?.containerDefinitions?.flatMap((container) => container.secrets ?? []) ?? [];
    const names = secrets.map(({ valueFrom = '' }) =>
      valueFrom.slice(valueFrom.indexOf(':parameter/') + ':parameter'.length),
    );
    for (let at = 0; at < names.length; at += MAX_REMOVED)
      await access.parameters.send(new DeleteParametersCommand({ Names: names.slice(at, at + MAX_REMOVED) }));
    await unless(
      isNamed('ClientException'),
      access.ecs.send(new sdk.DeregisterTaskDefinitionCommand({ taskDefinition })),
    );
    // What is only deregistered can still be read, with the variables in it.
    await access.ecs.send(new sdk.DeleteTaskDefinitionsCommand({ taskDefinitions: [taskDefinition] }));
  }
}
