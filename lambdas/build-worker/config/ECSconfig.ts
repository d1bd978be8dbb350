import { z } from 'zod';
import { BUILDERS, type Builder, DOCKERFILE_BUILDER, type Target } from '../../../contract/builders.ts';
import type { NodeMajor } from '../../../contract/node-lines.ts';

/** Where a builder runs: the cluster, the task definition's family and the container whose environment is overridden. */
export interface ECSConfig {
  readonly CLUSTER: string;
  readonly TASK: string;
  readonly CONTAINERNAME: string;
}

export interface ECSConfigs {
  readonly frontendConfig18: ECSConfig;
  readonly frontendConfig20: ECSConfig;
  readonly frontendConfig22: ECSConfig;
  readonly frontendConfig24: ECSConfig;
  readonly backendECSConfig: ECSConfig;
  /** For repositories with a Dockerfile of their own. */
  readonly dockerfileECSConfig: ECSConfig;
}

const names = [...new Set(BUILDERS.flatMap((b) => Object.values(b.env)))];

const text = z.string().min(1);
/**
 * The variables that name clusters, tasks and containers; taken from the table of builders. What an earlier version has set lacks
 * the task of Dockerfiles.
 */
export const ECSEnvSchema = z.object(
  Object.fromEntries(
    names.map((name) => [name, name === DOCKERFILE_BUILDER.env.task ? text.default(DOCKERFILE_BUILDER.family) : text]),
  ),
);

/** Reads every config from the environment; throws a ZodError that names every variable that is missing. */
export function readECSConfig(env: Readonly<Record<string, string | undefined>>): ECSConfigs {
  const values = ECSEnvSchema.parse(env);
  const configOf = (target: Target, nodeMajor?: NodeMajor): ECSConfig => {
    const row = BUILDERS.find(
      (b) =>
        b.target === target && (nodeMajor === undefined || (b.nodeMajors as readonly NodeMajor[]).includes(nodeMajor)),
    );
    if (!row) throw new Error(`no builder for ${target} ${nodeMajor ?? ''}`);
    return namesOf(row);
  };
  const namesOf = (row: Builder): ECSConfig => ({
    CLUSTER: values[row.env.cluster] as string,
    TASK: values[row.env.task] as string,
    CONTAINERNAME: values[row.env.container] as string,
  });
  return {
    frontendConfig18: configOf('frontend', 18),
    frontendConfig20: configOf('frontend', 20),
    frontendConfig22: configOf('frontend', 22),
    frontendConfig24: configOf('frontend', 24),
    backendECSConfig: configOf('backend'),
    dockerfileECSConfig: namesOf(DOCKERFILE_BUILDER),
  };
}

/** The configs with the names from the table of builders, for use where no stack has set others. */
export const readTableOfBuilders = (): ECSConfigs =>
  readECSConfig(
    Object.fromEntries(
      BUILDERS.flatMap(({ env, cluster, family, container }) => [
        [env.cluster, cluster],
        [env.task, family],
        [env.container, container],
      ]),
    ),
  );

/** The config for a build. `dockerfile`: the repository's own, of its plan. */
export function configFor(
  configs: ECSConfigs,
  target: Target,
  nodeMajor: NodeMajor,
  dockerfile?: string | undefined,
): ECSConfig {
  if (target === 'frontend') return configs[`frontendConfig${nodeMajor}`];
  return dockerfile === undefined ? configs.backendECSConfig : configs.dockerfileECSConfig;
}
