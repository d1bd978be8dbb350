import { randomBytes } from 'node:crypto';
import { VerenError } from '../../../../../contract/errors.ts';
import { SERVICE_SECRET_VARIABLE } from '../../../../../contract/serviceAdapter.ts';
import { parseServiceVersion, type ServiceVersionId, serviceVersionText } from '../../../../../contract/services.ts';
import { ServiceFault } from '../../../services/serviceFault.ts';
import type { Services, ServiceVersion, StartedService } from '../../../services/servicePort.ts';
import type { IamCalls, LogCalls, MetricCalls, SchedulerCalls } from '../clients.ts';
import { asServiceFault } from './asServiceFault.ts';
import { awaitFunction, findFunction, isMissing, type LambdaAccess } from './awaitFunction.ts';
import { checkHealth, type HealthAccess, healthFault } from './checkHealth.ts';
import { writeSchedules } from './cronSchedules.ts';
import { NO_NETWORK, publishVersion, type ServiceNetwork } from './publishVersion.ts';
import { aliasOf, PRODUCTION_ALIAS, serviceNames } from './resourceNames.ts';
import { serviceEnvironment, VERSION_VARIABLE } from './serviceEnvironment.ts';
import { ensureLogGroup, readServiceLog, removeLogGroup } from './serviceLog.ts';
import { countRequests } from './serviceNumbers.ts';
import { ensureRole, ownLog, removeRole, VPC_ACCESS } from './serviceRole.ts';
import {
  findAlias,
  listAliases,
  makeAlias,
  openAddress,
  pointAlias,
  removeAlias,
  removeVersion,
} from './versionAddress.ts';

export interface LambdaServicesDeps extends LambdaAccess, HealthAccess {
  readonly iam: IamCalls;
  readonly logs: LogCalls;
  readonly scheduler: SchedulerCalls;
  readonly metrics: MetricCalls;
}

export interface LambdaServicesSettings {
  readonly stage: string;
  readonly region: string;
  readonly account: string;
  readonly partition: string;
  /** The most that a service's role may do. */
  readonly boundaryArn: string;
  /** What calls by schedule are made with. */
  readonly schedulerRoleArn: string;
  readonly logRetentionDays: number;
  /** What versions with `vpc` are attached to. */
  readonly network: ServiceNetwork;
}

/** Names of a role's policies. The one for the VPC stays as long as the project, since older versions may need it. */
const OWN_LOG = 'own-log';
const IN_VPC = 'in-vpc';

export interface LambdaServices extends Services {
  /** True where a version was published and has its alias. */
  knows(projectId: string, id: ServiceVersionId): Promise<boolean>;
}

/** Descriptions of aliases, which are the state that a repeated start continues from. */
const UNCHECKED = 'being checked';
const HEALTHY = 'healthy';
const LAST_LINES = 20;
/** A log line is readable some seconds after it was written. */
const LOG_DELAY_MS = 5_000;
const WAKE_PAUSE_MS = 2_000;
const WAKE_TRIES = 60;

/**
 * Backends on Lambda: a function per project, a version of it with alias and URL per deployment and version of its variables.
 * Which version a host shows is in the host's route, with its site; only calls by schedule go to the alias `production`.
 */
export function lambdaServices(deps: LambdaServicesDeps, settings: LambdaServicesSettings): LambdaServices {
  const names = serviceNames(settings.stage, settings.region);
  const { partition, region, account } = settings;
  const arn = (service: string, resource: string) => `arn:${partition}:${service}:${region}:${account}:${resource}`;

  /**
   * The secret that a version has, or one for it.
   * @param published Its alias. @default - what was prepared last
   */
  async function secretOf(functionName: string, text: string, published?: string): Promise<string> {
    const known = (await findFunction(deps, functionName, published))?.Environment?.Variables;
    const secret = known?.[SERVICE_SECRET_VARIABLE];
    return secret && known[VERSION_VARIABLE] === text ? secret : randomBytes(32).toString('base64url');
  }

  /** The number of a version that was published; who dies before its alias is made leaves one without. */
  async function findPublished(functionName: string, text: string): Promise<string | undefined> {
    return (await listVersions(functionName)).find(({ Description }) => Description === text)?.Version;
  }

  /** A version that Lambda has put to sleep is woken by a call, which fails; it works when Lambda has its image again. */
  async function wakeVersion(functionName: string, alias: string, host: string, secret: string): Promise<void> {
    for (let tries = 0; tries < WAKE_TRIES; tries++) {
      if ((await awaitFunction(deps, functionName, alias)).State !== 'Inactive') return;
      await checkHealth(deps, { host, secret }, ASK_ONCE);
      await deps.sleep(WAKE_PAUSE_MS);
    }
    throw new VerenError('SERVICE_START_FAILED', { reason: 'Lambda has not woken the version' });
  }

  async function removeVersionsOf(projectId: string, isWanted: (id: ServiceVersionId) => boolean): Promise<void> {
    const functionName = names.functionName(projectId);
    for (const alias of await listAliases(deps, functionName)) {
      const id = parseServiceVersion(`${alias.Name}`);
      if (id && isWanted(id)) await removeAlias(deps, functionName, alias);
    }
    // Who dies between publishing a version and pointing its alias at it leaves a version without one.
    for (const { Version = '', Description = '' } of await listVersions(functionName)) {
      const id = parseServiceVersion(Description);
      if (id && isWanted(id)) await removeVersion(deps, functionName, Version);
    }
  }

  async function listVersions(FunctionName: string) {
    const { ListVersionsByFunctionCommand } = await import('@aws-sdk/client-lambda');
    const found = [];
    let Marker: string | undefined;
    try {
      do {
        const page = await deps.lambda.send(
          new ListVersionsByFunctionCommand({ FunctionName, MaxItems: 50, ...(Marker && { Marker }) }),
        );
        found.push(...(page.Versions ?? []));
        Marker = page.NextMarker;
      } while (Marker);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return found.filter(({ Version }) => Version !== '$LATEST');
  }

  /** Deployments by number of the function's version. */
  async function deploymentsOf(projectId: string): Promise<Map<string, string>> {
    const versions = await listVersions(names.functionName(projectId));
    return new Map(
      versions.flatMap(({ Version = '', Description = '' }) => {
        const id = parseServiceVersion(Description);
        return id ? [[Version, id.deploymentId] as const] : [];
      }),
    );
  }

  async function lastLines(version: ServiceVersion): Promise<string[]> {
    await deps.sleep(LOG_DELAY_MS);
    const reading = {
      logGroupName: names.logGroup(version.projectId),
      deployments: await deploymentsOf(version.projectId),
      now: deps.now(),
    };
    const query = { deployment: version.deploymentId, limit: LAST_LINES };
    return (await readServiceLog(deps.logs, reading, query)).map(({ line }) => line);
  }

  async function publish(version: ServiceVersion, functionName: string): Promise<string> {
    const { projectId } = version;
    const secret = await secretOf(functionName, aliasOf(version));
    const environment = serviceEnvironment(version, secret);
    const logGroup = names.logGroup(projectId);
    await ensureLogGroup(deps.logs, logGroup, settings.logRetentionDays);
    const roleArn = await ensureRole(deps.iam, names, {
      ...{ projectId, RoleName: names.roleName(projectId), boundaryArn: settings.boundaryArn },
      assumedBy: 'lambda.amazonaws.com',
      policies: {
        [OWN_LOG]: [ownLog(arn('logs', `log-group:${logGroup}`))],
        ...(version.settings.vpc && { [IN_VPC]: [VPC_ACCESS] }),
      },
    });
    const network = version.settings.vpc ? settings.network : NO_NETWORK;
    return publishVersion(deps, { functionName, roleArn, logGroup, version, environment, network });
  }

  async function start(version: ServiceVersion): Promise<StartedService> {
    const notRun = reasonNotToRun(version);
    if (notRun !== null) return { state: 'not-run', reason: notRun };
    const functionName = names.functionName(version.projectId);
    const name = aliasOf(version);
    const known = await findAlias(deps, functionName, name);
    if (!known) {
      const published = await findPublished(functionName, name);
      const FunctionVersion = published ?? (await publish(version, functionName));
      await makeAlias(deps, { FunctionName: functionName, Name: name, FunctionVersion, Description: UNCHECKED });
    }
    // Of the version that the alias points at: another releaser may have been faster.
    const secret = await secretOf(functionName, name, name);
    const host = await openAddress(deps, functionName, name);
    await wakeVersion(functionName, name, host, secret);
    if (known?.Description !== HEALTHY) {
      const last = await checkHealth(deps, { host, secret }, version.settings);
      if (last !== null) {
        const lines = await lastLines(version);
        await removeVersionsOf(version.projectId, (id) => serviceVersionText(id) === name);
        throw new ServiceFault(healthFault(version, last, lines), lines);
      }
      const alias = await findAlias(deps, functionName, name);
      await pointAlias(deps, {
        FunctionName: functionName,
        Name: name,
        FunctionVersion: `${alias?.FunctionVersion}`,
        Description: HEALTHY,
      });
    }
    return { state: 'idle', address: `${secret}@${host}` };
  }

  return {
    async start(version) {
      try {
        return await start(version);
      } catch (error) {
        throw asServiceFault(error);
      }
    },
    async switchProduction(projectId, version) {
      const functionName = names.functionName(projectId);
      if (version === null) {
        const { DeleteAliasCommand } = await import('@aws-sdk/client-lambda');
        await deps.lambda
          .send(new DeleteAliasCommand({ FunctionName: functionName, Name: PRODUCTION_ALIAS }))
          .catch((error) => {
            if (!isMissing(error)) throw error;
          });
        return;
      }
      const alias = await findAlias(deps, functionName, aliasOf(version));
      // A version that this platform does not run has no alias, and no calls by schedule either.
      if (!alias) return;
      await pointAlias(deps, {
        FunctionName: functionName,
        Name: PRODUCTION_ALIAS,
        FunctionVersion: `${alias.FunctionVersion}`,
      });
    },
    schedule: (projectId, crons) =>
      writeSchedules(deps.scheduler, names, projectId, crons, {
        aliasArn: arn('lambda', `function:${names.functionName(projectId)}:${PRODUCTION_ALIAS}`),
        roleArn: settings.schedulerRoleArn,
      }),
    async remove(projectId, deploymentId, variables) {
      if (deploymentId !== undefined) {
        const isAny = variables === undefined;
        const isWanted = (id: ServiceVersionId) =>
          id.deploymentId === deploymentId && (isAny || id.variables === variables);
        await removeVersionsOf(projectId, isWanted);
        return;
      }
      const { DeleteFunctionCommand } = await import('@aws-sdk/client-lambda');
      await writeSchedules(deps.scheduler, names, projectId, [], { aliasArn: '', roleArn: '' });
      await deps.lambda
        .send(new DeleteFunctionCommand({ FunctionName: names.functionName(projectId) }))
        .catch((error) => {
          if (!isMissing(error)) throw error;
        });
      await removeRole(deps.iam, names.roleName(projectId), [OWN_LOG, IN_VPC]);
      await removeLogGroup(deps.logs, names.logGroup(projectId));
    },
    async list(projectId) {
      const aliases = await listAliases(deps, names.functionName(projectId));
      const production = aliases.find(({ Name }) => Name === PRODUCTION_ALIAS)?.FunctionVersion;
      return aliases
        .flatMap(({ Name = '', Description, FunctionVersion }) => {
          const id = parseServiceVersion(Name);
          if (!id) return [];
          const state = Description === HEALTHY ? ('idle' as const) : ('starting' as const);
          return [{ ...id, state, isProduction: FunctionVersion === production }];
        })
        .sort((a, b) => b.deploymentId.localeCompare(a.deploymentId, 'en') || b.variables - a.variables);
    },
    async readLog(projectId, query) {
      const logGroupName = names.logGroup(projectId);
      try {
        const deployments = await deploymentsOf(projectId);
        return await readServiceLog(deps.logs, { logGroupName, deployments, now: deps.now() }, query);
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
    knows: async (projectId, id) => (await findAlias(deps, names.functionName(projectId), aliasOf(id))) !== null,
    counts: (projectId) =>
      countRequests(deps.metrics, deps.logs, {
        functionName: names.functionName(projectId),
        logGroupName: names.logGroup(projectId),
        now: deps.now(),
      }),
  };
}

const ASK_ONCE = { healthPath: '/', healthSeconds: 1 };

/** Settings that only another kind of service has. Nothing is half done: such a version is not started at all. */
function reasonNotToRun({ artifact, settings }: ServiceVersion): string | null {
  if (artifact.kind !== 'image') return 'only images run on AWS';
  if (settings.kind === 'always-on')
    return 'this stage runs no services that are always on: its operator may set services.alwaysOn.enabled';
  return null;
}
