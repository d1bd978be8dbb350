import type { AliasConfiguration } from '@aws-sdk/client-lambda';
import { isConflict, isMissing, type LambdaAccess } from './awaitFunction.ts';

/** The alias of this name, null where there is none. */
export async function findAlias(
  { lambda }: LambdaAccess,
  FunctionName: string,
  Name: string,
): Promise<AliasConfiguration | null> {
  const { GetAliasCommand } = await import('@aws-sdk/client-lambda');
  try {
    return await lambda.send(new GetAliasCommand({ FunctionName, Name }));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

interface AliasPlan {
  readonly FunctionName: string;
  readonly Name: string;
  readonly FunctionVersion: string;
  readonly Description?: string;
}

/** Makes an alias; one that is there stays as it is, so that of two callers the first one counts. */
export async function makeAlias({ lambda }: LambdaAccess, alias: AliasPlan): Promise<'made' | 'there'> {
  const { CreateAliasCommand } = await import('@aws-sdk/client-lambda');
  try {
    await lambda.send(new CreateAliasCommand(alias));
    return 'made';
  } catch (error) {
    if (!isConflict(error)) throw error;
    return 'there';
  }
}

/** Points an alias at a version, and makes it where it is missing. The last caller wins. */
export async function pointAlias(access: LambdaAccess, alias: AliasPlan): Promise<void> {
  const { UpdateAliasCommand } = await import('@aws-sdk/client-lambda');
  if ((await makeAlias(access, alias)) === 'there') await access.lambda.send(new UpdateAliasCommand(alias));
}

/** All aliases of a function; none where there is no function. */
export async function listAliases({ lambda }: LambdaAccess, FunctionName: string): Promise<AliasConfiguration[]> {
  const { ListAliasesCommand } = await import('@aws-sdk/client-lambda');
  const found: AliasConfiguration[] = [];
  let Marker: string | undefined;
  try {
    do {
      const page = await lambda.send(new ListAliasesCommand({ FunctionName, MaxItems: 50, ...(Marker && { Marker }) }));
      found.push(...(page.Aliases ?? []));
      Marker = page.NextMarker;
    } while (Marker);
    return found;
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * Gives a version's alias a function URL and gives its host. The URL is open (`NONE`): CloudFront could sign only requests
 * whose body's hash the visitor sends, which browsers do not; the adapter in the image checks the version's secret.
 */
export async function openAddress(access: LambdaAccess, FunctionName: string, Qualifier: string): Promise<string> {
  const sdk = await import('@aws-sdk/client-lambda');
  const { lambda } = access;
  let url: string | undefined;
  try {
    const made = await lambda.send(
      new sdk.CreateFunctionUrlConfigCommand({
        FunctionName,
        Qualifier,
        AuthType: 'NONE',
        InvokeMode: 'RESPONSE_STREAM',
      }),
    );
    url = made.FunctionUrl;
  } catch (error) {
    if (!isConflict(error)) throw error;
    url = (await lambda.send(new sdk.GetFunctionUrlConfigCommand({ FunctionName, Qualifier }))).FunctionUrl;
  }
  // New function URLs need both rights since October 2025. Source: Lambda developer guide, "Control access to function URLs".
  await allowCallers(access, {
    FunctionName,
    Qualifier,
    StatementId: 'CallUrl',
    Action: 'lambda:InvokeFunctionUrl',
    FunctionUrlAuthType: 'NONE',
  });
  await allowCallers(access, {
    FunctionName,
    Qualifier,
    StatementId: 'InvokeByUrl',
    Action: 'lambda:InvokeFunction',
    InvokedViaFunctionUrl: true,
  });
  return new URL(url ?? '').host;
}

interface Allowed {
  readonly FunctionName: string;
  readonly Qualifier: string;
  readonly StatementId: string;
  readonly Action: string;
  readonly FunctionUrlAuthType?: 'NONE';
  readonly InvokedViaFunctionUrl?: boolean;
}

async function allowCallers({ lambda }: LambdaAccess, allowed: Allowed): Promise<void> {
  const { AddPermissionCommand } = await import('@aws-sdk/client-lambda');
  try {
    await lambda.send(new AddPermissionCommand({ ...allowed, Principal: '*' }));
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

/** Takes away an alias with its URL and the version behind it. May be repeated. */
export async function removeAlias(
  access: LambdaAccess,
  FunctionName: string,
  alias: AliasConfiguration,
): Promise<void> {
  const sdk = await import('@aws-sdk/client-lambda');
  const { lambda } = access;
  const Name = `${alias.Name}`;
  await unlessMissing(lambda.send(new sdk.DeleteFunctionUrlConfigCommand({ FunctionName, Qualifier: Name })));
  await unlessMissing(lambda.send(new sdk.DeleteAliasCommand({ FunctionName, Name })));
  await removeVersion(access, FunctionName, `${alias.FunctionVersion}`);
}

/** Takes away a version that no alias points at any more. */
export async function removeVersion({ lambda }: LambdaAccess, FunctionName: string, version: string): Promise<void> {
  const { DeleteFunctionCommand } = await import('@aws-sdk/client-lambda');
  try {
    await lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: version }));
  } catch (error) {
    // Another alias points at it: production's, until that is moved.
    if (!isMissing(error) && !isConflict(error)) throw error;
  }
}

async function unlessMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
