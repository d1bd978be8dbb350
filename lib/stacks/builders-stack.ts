import type { Construct } from 'constructs';
import { BUILDERS, type Builder } from '../../contract/builders.ts';
import type { BuilderVariable } from '../../contract/function-env.ts';
import { BuilderCluster } from '../constructs/builder-cluster.ts';
import { BuilderImage } from '../constructs/builder-image.ts';
import { BuilderTask } from '../constructs/builder-task.ts';
import type { Repositories } from '../constructs/repositories.ts';
import { VerenStack, type VerenStackProps } from './veren-stack.ts';

export interface BuildersStackProps extends VerenStackProps {
  readonly repositories: Repositories;
}

/** Clusters, builder images and task definitions: one of each per row of the table of builders. */
export class BuildersStack extends VerenStack {
  readonly clusters: readonly BuilderCluster[];
  readonly tasks: readonly BuilderTask[];
  private readonly clusterByName = new Map<string, BuilderCluster>();

  constructor(scope: Construct, id: string, { repositories, ...props }: BuildersStackProps) {
    super(scope, id, { description: 'Veren: builder clusters, images and tasks', ...props });
    for (const name of new Set(BUILDERS.map((b) => b.cluster)))
      this.clusterByName.set(
        name,
        new BuilderCluster(this, name, {
          clusterName: name,
          containerInsights: this.config.builders.containerInsights,
        }),
      );
    this.clusters = [...this.clusterByName.values()];
    this.tasks = BUILDERS.map((builder) => this.task(builder, repositories));
  }

  /** Variables of build-worker: cluster, task and container of every builder, by the names of the table. */
  builderVariables(): Record<BuilderVariable, string> {
    return Object.fromEntries(
      this.tasks.flatMap(({ builder, taskDefinitionArn }) => [
        [builder.env.cluster, this.cluster(builder).clusterName],
        [builder.env.task, taskDefinitionArn],
        [builder.env.container, builder.container],
      ]),
    ) as Record<BuilderVariable, string>;
  }

  private task(builder: Builder, repositories: Repositories): BuilderTask {
    const repository = repositories.builders.get(builder.repository);
    if (!repository) throw new Error(`no repository ${builder.repository}`);
    const { builders } = this.config;
    const imageTag =
      builders.images === 'codebuild'
        ? new BuilderImage(this, `${builder.family}-image`, {
            settings: this.settings,
            dockerfile: builder.dockerfile,
            repository,
          }).tag
        : 'latest';
    return new BuilderTask(this, builder.family, {
      settings: this.settings,
      builder,
      cluster: this.cluster(builder),
      size: builders[builder.target],
      repository,
      imageTag,
    });
  }

  private cluster(builder: Builder): BuilderCluster {
    return this.clusterByName.get(builder.cluster) as BuilderCluster;
  }
}
