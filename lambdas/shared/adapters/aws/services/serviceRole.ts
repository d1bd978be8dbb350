import { VerenError } from '../../../../../contract/errors.ts';
import type { IamCalls } from '../clients.ts';
import type { ServiceNames } from './resourceNames.ts';

const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

/**
 * The role that a project's service runs with: it writes to the project's own log and may do nothing else. The boundary,
 * without which the releaser may make no role, is the most that any of these roles can ever do.
 * @returns its ARN
 */
export async function ensureRole(
  iam: IamCalls,
  names: ServiceNames,
  { projectId, boundaryArn, logGroupArn }: { projectId: string; boundaryArn: string; logGroupArn: string },
): Promise<string> {
  const { CreateRoleCommand, GetRoleCommand, PutRolePolicyCommand } = await import('@aws-sdk/client-iam');
  const RoleName = names.roleName(projectId);
  let arn: string | undefined;
  try {
    const made = await iam.send(
      new CreateRoleCommand({
        RoleName,
        Path: names.rolePath,
        AssumeRolePolicyDocument: TRUST,
        PermissionsBoundary: boundaryArn,
        Description: `Backend of project ${projectId}`,
      }),
    );
    arn = made.Role?.Arn;
  } catch (error) {
    if ((error as Error).name !== 'EntityAlreadyExistsException') throw error;
    const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
    // A role of this name that somebody else has made may have other rights.
    if (!Role || Role.Path !== names.rolePath || Role.PermissionsBoundary?.PermissionsBoundaryArn !== boundaryArn)
      throw new VerenError('SERVICE_START_FAILED', { reason: `the role ${RoleName} is not one of this platform` });
    arn = Role.Arn;
  }
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `${logGroupArn}:*` },
    ],
  });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'own-log', PolicyDocument }));
  return `${arn}`;
}

export async function removeRole(iam: IamCalls, names: ServiceNames, projectId: string): Promise<void> {
  const { DeleteRoleCommand, DeleteRolePolicyCommand } = await import('@aws-sdk/client-iam');
  const RoleName = names.roleName(projectId);
  for (const remove of [
    () => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'own-log' })),
    () => iam.send(new DeleteRoleCommand({ RoleName })),
  ])
    try {
      await remove();
    } catch (error) {
      if ((error as Error).name !== 'NoSuchEntityException') throw error;
    }
}
