import { BUILDERS, type Builder } from '../../contract/builders.ts';
import type { Config } from '../config.ts';

/**
 * The table of builders with this stage's names for everything whose name must be unique in an account and region:
 * clusters, task families, repositories. Names of containers stay, since they belong to their task definition.
 */
export function namedBuilders({
  frontendCluster,
  backendCluster,
  namePrefix,
}: Pick<Config['builders'], 'frontendCluster' | 'backendCluster' | 'namePrefix'>): readonly Builder[] {
  return BUILDERS.map((builder: Builder) => ({
    ...builder,
    cluster: builder.target === 'frontend' ? frontendCluster : backendCluster,
    family: `${namePrefix}${builder.family}`,
    repository: `${namePrefix}${builder.repository}`,
  }));
}
