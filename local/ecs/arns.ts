import { DEFAULT_REGION } from '../../contract/names.ts';
import { LOCAL_ACCOUNT } from '../awsProtocol/credentials.ts';

const PREFIX = `arn:aws:ecs:${DEFAULT_REGION}:${LOCAL_ACCOUNT}`;

export const clusterArn = (cluster: string) => `${PREFIX}:cluster/${cluster}`;
export const taskArn = (cluster: string, id: string) => `${PREFIX}:task/${cluster}/${id}`;
export const containerArn = (cluster: string, id: string) =>
  `${PREFIX}:container/${cluster}/${id}/${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
/** Every definition here has one revision. */
export const taskDefinitionArn = (family: string) => `${PREFIX}:task-definition/${family}:1`;

const lastPart = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1);

/** Calls may name a cluster or a task by its name or by its ARN. */
export const nameOf = (nameOrArn: string) => (nameOrArn.startsWith('arn:') ? lastPart(nameOrArn) : nameOrArn);

/** `family`, `family:revision` or the ARN; undefined where the revision is not the only one. */
export function familyName(text: string): string | undefined {
  const [family, revision] = nameOf(text).split(':');
  return revision === undefined || revision === '1' ? family : undefined;
}
