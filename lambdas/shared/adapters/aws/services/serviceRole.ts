import { VerenError } from '../../../../../contract/errors.ts';
import type { IamCalls } from '../clients.ts';
import type { ServiceNames } from './resourceNames.ts';

const trusting = (service: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  });

export interface RoleStatement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string;
}

export interface RolePlan {
  readonly RoleName: string;
  readonly projectId: string;
  /** `lambda.amazonaws.com` */
  readonly assumedBy: string;
  readonly boundaryArn: string;
  /** By name of the inline policy. One that is not named stays as it is. */
  readonly policies: Readonly<Record<string, readonly RoleStatement[]>>;
}

/** To write to the project's own log. */
export const ownLog = (logGroupArn: string): RoleStatement => ({
  Effect: 'Allow',
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: `${logGroupArn}:*`,
});

/**
 * For Lambda, to put a function into the VPC; the boundary refuses it to the code in the function. Source: Lambda developer
 * guide, "Giving Lambda functions access to resources in an Amazon VPC".
 */
export const VPC_ACCESS: RoleStatement = {
  Effect: 'Allow',
  Action: [
    ...['AssignPrivateIpAddresses', 'CreateNetworkInterface', 'DeleteNetworkInterface', 'DescribeNetworkInterfaces'],
    ...['DescribeSubnets', 'UnassignPrivateIpAddresses'],
  ].map((action) => `ec2:${action}`),
  Resource: '*',
};

/**
 * A role that a project's service runs with: it does what its policies say, such as to write to the project's own log. The
 * boundary, without which the releaser may make no role, is the most that any of these roles can ever do.
 * @returns its ARN
 */
export async function ensureRole(
  iam: IamCalls,
  names: ServiceNames,
  { RoleName, projectId, assumedBy, boundaryArn, policies }: RolePlan,
): Promise<string> {
  const { CreateRoleCommand, GetRoleCommand, PutRolePolicyCommand } = await import('@aws-sdk/client-iam');
  let arn: string | undefined;
  try {
    const made = await iam.send(
      new CreateRoleCommand({
        RoleName,
        Path: names.rolePath,
        AssumeRolePolicyDocument: trusting(assumedBy),
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
  for (const [PolicyName, Statement] of Object.entries(policies))
    await iam.send(
      new PutRolePolicyCommand({
        ...{ RoleName, PolicyName },
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
      }),
    );
  return `${arn}`;
}

export async function removeRole(iam: IamCalls, RoleName: string, policies: readonly string[]): Promise<void> {
  const { DeleteRoleCommand, DeleteRolePolicyCommand } = await import('@aws-sdk/client-iam');
  for (const remove of [
    ...policies.map((PolicyName) => () => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }))),
    () => iam.send(new DeleteRoleCommand({ RoleName })),
  ])
    try {
      await remove();
    } catch (error) {
      if ((error as Error).name !== 'NoSuchEntityException') throw error;
    }
}
