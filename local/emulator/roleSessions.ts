import { type IAMClient, paginateListRoles, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { type LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';

interface Statement {
  readonly Principal?: { readonly AWS?: string | readonly string[] };
}

/**
 * Lets functions assume the roles that trust their own role. AWS takes a role's ARN in a trust policy for its sessions too;
 * the emulator compares ARNs only, so the sessions are added by name.
 * @returns names of the roles that were changed
 */
export async function trustSessions(iam: IAMClient, lambda: LambdaClient): Promise<string[]> {
  const sessions = new Map<string, string[]>();
  for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {}))
    for (const { Role = '', FunctionName } of Functions)
      sessions.set(Role, [...(sessions.get(Role) ?? []), sessionArn(Role, FunctionName!)]);
  const changed: string[] = [];
  for await (const { Roles = [] } of paginateListRoles({ client: iam }, {}))
    for (const { RoleName, AssumeRolePolicyDocument = '' } of Roles) {
      const before = decodeURIComponent(AssumeRolePolicyDocument);
      const after = withSessions(before, sessions);
      if (after === null) continue;
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: after }));
      changed.push(RoleName!);
    }
  return changed;
}

const sessionArn = (role: string, session: string) =>
  `${role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${session}`;

/** The trust policy with the sessions of roles that it names, or null where they are in it already. */
export function withSessions(policy: string, sessions: ReadonlyMap<string, readonly string[]>): string | null {
  const document = JSON.parse(policy) as { Statement: Statement | Statement[] };
  let isNew = false;
  const Statement = [document.Statement].flat().map((statement) => {
    const named = [statement.Principal?.AWS ?? []].flat();
    const missing = named.flatMap((arn) => sessions.get(arn) ?? []).filter((arn) => !named.includes(arn));
    if (missing.length === 0) return statement;
    isNew = true;
    return { ...statement, Principal: { ...statement.Principal, AWS: [...named, ...missing] } };
  });
  return isNew ? JSON.stringify({ ...document, Statement }) : null;
}
