import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decodeXml, rootAuthorization } from './cloudformation/emulatorStacks.ts';

const run = promisify(execFile);

/** Label of the container in which the emulator runs Redis, and its command line inside. */
const CONTAINER_LABEL = 'veren-redis=yes';

export interface RedisUser {
  readonly name: string;
  readonly rules: string;
  readonly password: string;
}

/**
 * The users that the stack has made, with their passwords: an emulator that knows ElastiCache's users may give Redis neither
 * their names nor their passwords.
 */
export async function deployedUsers(options: {
  readonly emulator: string;
  readonly region: string;
  readonly lambda: LambdaClient;
  readonly secrets: SecretsManagerClient;
}): Promise<RedisUser[]> {
  const { emulator, region, lambda, secrets } = options;
  const answer = await fetch(emulator, {
    method: 'POST',
    headers: { Authorization: rootAuthorization('elasticache', region) },
    body: new URLSearchParams({ Action: 'DescribeUsers', Version: '2015-02-02' }),
  });
  const rulesOf = readUserRules(await answer.text());
  const users: RedisUser[] = [];
  for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {}))
    for (const { Environment } of Functions) {
      const { REDIS_USERNAME: name, REDIS_SECRET_ARN: SecretId } = Environment?.Variables ?? {};
      const rules = name && rulesOf.get(name);
      if (!name || !rules || !SecretId || users.some((user) => user.name === name)) continue;
      const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
      users.push({ name, rules, password: SecretString });
    }
  return users;
}

/** Names and ACL rules in the answer of DescribeUsers. */
export function readUserRules(xml: string): Map<string, string> {
  const members = xml.matchAll(/<UserName>([^<]*)<\/UserName>[\s\S]*?<AccessString>([^<]*)<\/AccessString>/g);
  return new Map([...members].map(([, name, rules]) => [name!, decodeXml(rules!)]));
}

/** @returns the container's id, or null where Redis does not run */
export async function redisContainer(): Promise<string | null> {
  const { stdout } = await run('docker', ['ps', '--quiet', '--no-trunc', '--filter', `label=${CONTAINER_LABEL}`]);
  return stdout.split('\n')[0] || null;
}

export async function setRedisUsers(container: string, users: readonly RedisUser[]): Promise<void> {
  for (const { name, rules, password } of users) {
    const words = ['ACL', 'SETUSER', name, 'reset', `>${password}`, ...rules.split(' ')];
    const { stdout } = await run('docker', ['exec', container, 'redis-cli', ...words]);
    if (stdout.trim() !== 'OK') throw new Error(`Redis does not take the rules of ${name}: ${stdout}`);
  }
}
