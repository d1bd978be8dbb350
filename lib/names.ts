import type { Config } from './config.ts';
import { namedBuilders } from './constructs/builder-names.ts';

/** Names that an account has once per region and that do not hold the stage, by the key that changes them. */
export function sharedNames(config: Config): Readonly<Record<string, readonly string[]>> {
  const { builders, region, account = '{account}' } = config;
  const named = namedBuilders(builders);
  return {
    bucketName: [config.bucketName.replaceAll('{region}', region).replaceAll('{account}', account)],
    userImageRepository: [config.userImageRepository],
    'builders.frontendCluster': [builders.frontendCluster],
    'builders.backendCluster': [builders.backendCluster],
    'builders.namePrefix': named.flatMap((b) => [b.family, b.repository]),
  };
}

/** Keys by which two stages of one account and region would have the same names; empty where none collide. */
export function collidingKeys(a: Config, b: Config): string[] {
  if (a.region !== b.region || (a.account && b.account && a.account !== b.account)) return [];
  const [ofA, ofB] = [sharedNames(a), sharedNames(b)];
  return Object.keys(ofA).filter((key) => ofA[key]?.some((name) => ofB[key]?.includes(name)));
}

/**
 * The message about stages with colliding names: an error where both name the same account, and a warning where the
 * account of one comes from the credentials.
 */
export function findNameCollisions(
  config: Config,
  others: readonly Config[],
): { certain: string[]; possible: string[] } {
  const found = others
    .filter((other) => other.stage !== config.stage && other.stage !== 'local' && config.stage !== 'local')
    .map((other) => ({ other, keys: collidingKeys(config, other) }))
    .filter(({ keys }) => keys.length > 0)
    .map(({ other, keys }) => ({
      certain: config.account !== undefined && config.account === other.account,
      sentence: `Stages ${config.stage} and ${other.stage} have the same ${keys.join(', ')} in ${config.region}`,
    }));
  const advice = 'give one of them other values, or each an account of its own (docs/deploy.md).';
  const describeCollisions = (certain: boolean, when: string) =>
    found.filter((f) => f.certain === certain).map((f) => `${f.sentence}${when}: ${advice}`);
  return {
    certain: describeCollisions(true, ''),
    possible: describeCollisions(false, ', which fails where they are in one account'),
  };
}
