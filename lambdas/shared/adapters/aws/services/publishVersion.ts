import { createHash } from 'node:crypto';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { VerenError } from '../../../../../contract/errors.ts';
import { serviceVersionText } from '../../../../../contract/services.ts';
import type { ServiceVersion } from '../../../services/servicePort.ts';
import { awaitFunction, findFunction, isConflict, type LambdaAccess, nameOf } from './awaitFunction.ts';
import { VERSION_VARIABLE } from './serviceEnvironment.ts';

/** Writers of one function at the same moment: other deployments of the project. */
const MAX_TRIES = 30;
/** A role that was just made is not known everywhere. */
const ROLE_PAUSE_MS = 2_000;
const RACE_PAUSE_MS = 1_000;
/** Of an image, uncompressed. Source: Lambda developer guide, "Lambda quotas". */
const MAX_IMAGE_BYTES = 10 * 1_024 ** 3;

export interface FunctionPlan {
  readonly functionName: string;
  readonly roleArn: string;
  readonly logGroup: string;
  readonly version: ServiceVersion;
  readonly environment: Readonly<Record<string, string>>;
  readonly network: ServiceNetwork;
}

/** Subnets and groups that a function has interfaces in. */
export interface ServiceNetwork {
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
}
/** Outside of every VPC. */
export const NO_NETWORK: ServiceNetwork = { subnetIds: [], groupIds: [] };

/**
 * Publishes a version of a project's function and gives its number. The function's own configuration, `$LATEST`, is where
 * every version is prepared, so two deployments may change it at once: a version is published only of the very revision
 * that was seen to be this version's, and everything is begun again where another was faster. May be repeated.
 */
export async function publishVersion(access: LambdaAccess, plan: FunctionPlan): Promise<string> {
  const { version } = plan;
  if (version.artifact.kind !== 'image')
    throw new VerenError('SERVICE_START_FAILED', { reason: 'only images run on AWS' });
  // The registry knows the compressed size, which is never the larger one.
  if (version.artifact.bytes > MAX_IMAGE_BYTES)
    throw new VerenError('SERVICE_TOO_LARGE', { reason: 'Lambda runs images of up to 10 GB.' });
  for (let tries = 1; ; tries++)
    try {
      const prepared = await prepareLatest(access, plan);
      if (prepared) return await publishRevision(access, plan, prepared);
      if (tries >= MAX_TRIES) throw busy();
      await access.sleep(RACE_PAUSE_MS);
    } catch (error) {
      const pause = pauseAfter(error);
      if (pause === null) throw asFault(error);
      if (tries >= MAX_TRIES) throw busy(error);
      await access.sleep(pause);
    }
}

const busy = (cause?: unknown) =>
  new VerenError(
    'SERVICE_START_FAILED',
    { reason: 'other deployments of the project keep its function busy' },
    { cause },
  );

function pauseAfter(error: unknown): number | null {
  if (isConflict(error) || nameOf(error) === 'PreconditionFailedException') return RACE_PAUSE_MS;
  const { message } = error as Error;
  return nameOf(error) === 'InvalidParameterValueException' &&
    /role.*cannot be assumed|role does not have permissions to call CreateNetworkInterface/i.test(message)
    ? ROLE_PAUSE_MS
    : null;
}

/** What Lambda says of an image that it does not take is about the user's image; the rest is ours. */
function asFault(error: unknown): unknown {
  const { name, message } = error as Error;
  if (error instanceof VerenError) return error;
  if (/image/i.test(message) && /size|too large|exceed/i.test(message))
    return new VerenError('SERVICE_TOO_LARGE', { reason: message }, { cause: error });
  return new VerenError('SERVICE_START_FAILED', { reason: `${name}: ${message}` }, { cause: error });
}

/** `$LATEST` as this version is to be, or null where it is not yet. */
async function prepareLatest(access: LambdaAccess, plan: FunctionPlan): Promise<FunctionConfiguration | null> {
  const { functionName, version, environment, roleArn, logGroup, network } = plan;
  const sdk = await import('@aws-sdk/client-lambda');
  const found = await findFunction(access, functionName);
  const settings = {
    FunctionName: functionName,
    Role: roleArn,
    Environment: { Variables: { ...environment } },
    MemorySize: version.settings.memoryMb,
    Timeout: version.settings.timeoutSeconds,
    LoggingConfig: { LogGroup: logGroup, LogFormat: 'Text' as const },
    // Lists without entries take a function out of the VPC.
    VpcConfig: { SubnetIds: [...network.subnetIds], SecurityGroupIds: [...network.groupIds] },
  };
  if (!found) {
    await access.lambda.send(
      new sdk.CreateFunctionCommand({
        ...settings,
        PackageType: 'Image',
        Code: { ImageUri: imageUri(version) },
        Architectures: ['x86_64'],
        Description: `Backend of project ${version.projectId}`,
      }),
    );
  } else {
    const settled = await awaitFunction(access, functionName).catch((error) => {
      // What an earlier image has left is cured by the next one.
      if (error instanceof VerenError) return found;
      throw error;
    });
    if (!hasSettings(settled, settings)) {
      await access.lambda.send(new sdk.UpdateFunctionConfigurationCommand(settings));
      await awaitFunction(access, functionName);
    }
    if (!hasImage(settled, version))
      await access.lambda.send(
        new sdk.UpdateFunctionCodeCommand({ FunctionName: functionName, ImageUri: imageUri(version) }),
      );
  }
  const latest = await awaitFunction(access, functionName);
  return hasSettings(latest, settings) && hasImage(latest, version) ? latest : null;
}

async function publishRevision(
  access: LambdaAccess,
  { functionName, version }: FunctionPlan,
  latest: FunctionConfiguration,
): Promise<string> {
  const { PublishVersionCommand } = await import('@aws-sdk/client-lambda');
  const published = await access.lambda.send(
    new PublishVersionCommand({
      FunctionName: functionName,
      RevisionId: latest.RevisionId,
      CodeSha256: latest.CodeSha256,
      Description: serviceVersionText(version),
    }),
  );
  await awaitFunction(access, functionName, published.Version);
  return `${published.Version}`;
}

const digestOf = ({ artifact }: ServiceVersion) => (artifact.kind === 'image' ? artifact.digest : '');

/** By digest: a tag could stand for another image one day. */
export function imageUri({ artifact }: ServiceVersion): string {
  const uri = artifact.kind === 'image' ? artifact.uri : '';
  return `${uri.replace(/:[^:/]*$/, '')}@${artifact.kind === 'image' ? artifact.digest : ''}`;
}

const hasImage = ({ CodeSha256 }: FunctionConfiguration, version: ServiceVersion): boolean =>
  CodeSha256 === digestOf(version).replace(/^sha256:/, '');

interface WantedSettings {
  readonly Role: string;
  readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
  readonly MemorySize: number;
  readonly Timeout: number;
  readonly VpcConfig: { readonly SubnetIds: readonly string[]; readonly SecurityGroupIds: readonly string[] };
}

const listOf = (ids: readonly string[] = []): string => [...ids].sort().join();

/** The text of the version is one of the variables, so another version's settings are never taken for these. */
const hasSettings = (found: FunctionConfiguration, wanted: WantedSettings): boolean =>
  found.Environment?.Variables?.[VERSION_VARIABLE] === wanted.Environment.Variables[VERSION_VARIABLE] &&
  fingerprint(found.Environment?.Variables) === fingerprint(wanted.Environment.Variables) &&
  found.MemorySize === wanted.MemorySize &&
  found.Timeout === wanted.Timeout &&
  found.Role === wanted.Role &&
  listOf(found.VpcConfig?.SubnetIds) === listOf(wanted.VpcConfig.SubnetIds) &&
  listOf(found.VpcConfig?.SecurityGroupIds) === listOf(wanted.VpcConfig.SecurityGroupIds);

const fingerprint = (variables: Readonly<Record<string, string>> = {}): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex');
