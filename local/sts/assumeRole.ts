import { type CredentialStore, LOCAL_ACCOUNT, type Principal } from '../awsProtocol/credentials.ts';
import { type Policy, PolicySchema } from '../awsProtocol/policy.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import type { XmlNode } from '../awsProtocol/xml.ts';

/** Limits of a session policy. Source: STS API reference, AssumeRole. */
const MAX_POLICY = 2_048;
const ROLE_ARN = /^arn:aws:iam::(\d{12}):role\/([\w+=,.@/-]{1,512})$/;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

const invalidInput = (message: string) => new ServiceError('ValidationError', 400, message);

/** The platform's own key may assume any well-formed role; the session policy limits the session. */
export function assumeRole(parameters: URLSearchParams, caller: Principal, credentials: CredentialStore): XmlNode {
  if (caller.session)
    throw new ServiceError('AccessDenied', 403, `User: ${caller.arn} is not authorized to perform: sts:AssumeRole`);
  const role = ROLE_ARN.exec(parameters.get('RoleArn') ?? '');
  if (!role) throw invalidInput('RoleArn is not the ARN of a role.');
  const name = parameters.get('RoleSessionName') ?? '';
  if (!SESSION_NAME.test(name)) throw invalidInput('RoleSessionName must have 2 to 64 characters of [\\w+=,.@-].');
  const duration = parameters.get('DurationSeconds') ?? '3600';
  // One hour is the most that a chained session gets, and what the platform's build role allows.
  if (!/^\d{1,5}$/.test(duration) || Number(duration) < 900 || Number(duration) > 3_600)
    throw invalidInput(
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role, or is less than 900.',
    );
  const policy = sessionPolicy(parameters.get('Policy'));
  const roleName = role[2]!.slice(role[2]!.lastIndexOf('/') + 1);
  const arn = `arn:aws:sts::${role[1] ?? LOCAL_ACCOUNT}:assumed-role/${roleName}/${name}`;
  const { accessKeyId, secretAccessKey, session } = credentials.mint({
    arn,
    durationSeconds: Number(duration),
    ...(policy && { policy }),
  });
  return {
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: session.token,
      Expiration: new Date(session.expiresAt).toISOString(),
    },
    AssumedRoleUser: { AssumedRoleId: `${accessKeyId}:${name}`, Arn: arn },
  };
}

function sessionPolicy(text: string | null): Policy | undefined {
  if (text === null) return undefined;
  if (text.length > MAX_POLICY)
    throw new ServiceError(
      'PackedPolicyTooLarge',
      400,
      `Packed policy consumes ${Math.ceil((text.length / MAX_POLICY) * 100)}% of allotted space, please use smaller policy.`,
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ServiceError('MalformedPolicyDocument', 400, 'The policy is not in the valid JSON format.');
  }
  const parsed = PolicySchema.safeParse(json);
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'the document').join(', ');
    throw new ServiceError('MalformedPolicyDocument', 400, `Syntax errors in policy: ${where}`);
  }
  return parsed.data;
}
