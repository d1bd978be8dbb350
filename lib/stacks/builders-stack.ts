import type { Construct } from 'constructs';
import type { Builder } from '../../contract/builders.ts';
import type { BuilderVariable } from '../../contract/function-env.ts';
import { BuilderCluster } from '../constructs/builder-cluster.ts';
import { BuilderImage } from '../constructs/builder-image.ts';
import { namedBuilders } from '../constructs/builder-names.ts';
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
    const builders = namedBuilders(this.config.builders);
    for (const name of new Set(builders.map((b) => b.cluster)))
      this.clusterByName.set(
        name,
        new BuilderCluster(this, name, {
          clusterName: name,
          containerInsights: this.config.builders.containerInsights,
        }),
      );
    this.clusters = [...this.clusterByName.values()];
    this.tasks = builders.map((builder) => this.task(builder, repositories));
  }

  /**
   * Variables of build-worker: cluster, task family and container of every builder. The family alone: the ARN of a revision
   * changes with every image, and RunTask takes the newest revision of a family.
   */
  builderVariables(): Record<BuilderVariable, string> {
    return Object.fromEntries(
      this.tasks.flatMap(({ builder }) => [
        [builder.env.cluster, this.cluster(builder).clusterName],
        [builder.env.task, builder.family],
        [builder.env.container, builder.container],
      ]),
    ) as Record<BuilderVariable, string>;
  }

  private task(builder: Builder, repositories: Repositories): BuilderTask {
    const repository = repositories.builder(this, builder.repository);
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
