import { readFile } from 'node:fs/promises';
import { DeleteObjectCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

/** A call that the emulator's IAM has denied, or would deny where it only says so. */
export interface DeniedCall {
  readonly action: string;
  readonly resource: string;
  readonly principal: string;
  readonly reason: string;
}

const COLORS = /\x1b\[[0-9;]*m/g;

/** Of the emulator's log. */
export async function readDenials(file: string): Promise<DeniedCall[]> {
  const lines = (await readFile(file, 'utf8')).replaceAll(COLORS, '').split('\n');
  return lines.flatMap((line) => {
    const [, text, fields = ''] = / fakecloud::iam::audit: (.*?)(?= service=)( .*)/.exec(line) ?? [];
    if (text === undefined) return [];
    const field = (name: string) => new RegExp(` ${name}=(\\S+)`).exec(fields)?.[1] ?? '';
    return [{ action: field('action'), resource: field('resource'), principal: field('principal'), reason: text }];
  });
}

/** For people, as the list of calls. */
export const listDenials = (denials: readonly DeniedCall[]): string =>
  denials
    .map(({ action, resource, principal, reason }) => `${action} ${resource} → ${principal} → DENIED: ${reason}\n`)
    .join('');

/**
 * Deletes nothing from a bucket of the stage, as CDK's role that may only look things up: what shows that denials are seen.
 * @returns the principal, and the error's name where the call did not pass
 */
export async function callWithoutRight(): Promise<{ principal: string; error: string | undefined }> {
  const credentials = await assumeLookupRole();
  const { Arn } = await new STSClient({ credentials }).send(new GetCallerIdentityCommand({}));
  const { Buckets = [] } = await new S3Client({}).send(new ListBucketsCommand({}));
  const Bucket = Buckets.map(({ Name }) => Name!).find((name) => name.startsWith('veren-v2-'));
  const error = await new S3Client({ credentials })
    .send(new DeleteObjectCommand({ Bucket, Key: 'no-such-key' }))
    .then(() => undefined, nameOf);
  return { principal: Arn!, error };
}

/** The name of the error for a call that is signed with another key than the principal's; undefined where it passes. */
export async function callWithWrongSignature(): Promise<string | undefined> {
  const credentials = { ...(await assumeLookupRole()), secretAccessKey: 'of somebody else' };
  return new STSClient({ credentials }).send(new GetCallerIdentityCommand({})).then(() => undefined, nameOf);
}

async function assumeLookupRole() {
  const sts = new STSClient({});
  const { Account } = await sts.send(new GetCallerIdentityCommand({}));
  const RoleArn = `arn:aws:iam::${Account}:role/cdk-hnb659fds-lookup-role-${Account}-${await sts.config.region()}`;
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'without-right' }));
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials!;
  return { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! };
}

const nameOf = (error: Error) => error.name;
