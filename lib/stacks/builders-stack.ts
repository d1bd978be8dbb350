import { createHash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
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
  private readonly imageByRepository = new Map<string, { readonly repository: IRepository; readonly tag: string }>();

  constructor(scope: Construct, id: string, { repositories, ...props }: BuildersStackProps) {
    super(scope, id, { description: 'Veren: builder clusters, images and tasks', ...props });
    // Images are pushed to repositories that are referred to by name, which does not set the order of deployment.
    this.addStackDependency(Stack.of(repositories));
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

  /** Changes with the images of the builders. */
  imagesVersion(): string {
    const tags = this.tasks.map(({ imageTag }) => imageTag);
    return createHash('sha256').update(tags.join()).digest('hex').slice(0, 32);
  }

  private task(builder: Builder, repositories: Repositories): BuilderTask {
    const { builders } = this.config;
    const { repository, tag: imageTag } = this.image(builder, repositories);
    return new BuilderTask(this, builder.family, {
      settings: this.settings,
      builder,
      cluster: this.cluster(builder),
      size: builders[builder.target],
      repository,
      imageTag,
    });
  }

  /** Builders with the same repository have the same image, which is built once. */
  private image(builder: Builder, repositories: Repositories) {
    const known = this.imageByRepository.get(builder.repository);
    if (known) return known;
    const repository = repositories.builder(this, builder.repository);
    const tag =
      this.config.builders.images === 'codebuild'
        ? new BuilderImage(this, `${builder.family}-image`, {
            settings: this.settings,
            dockerfile: builder.dockerfile,
            repository,
          }).tag
        : 'latest';
    const image = { repository, tag };
    this.imageByRepository.set(builder.repository, image);
    return image;
  }

  private cluster(builder: Builder): BuilderCluster {
    return this.clusterByName.get(builder.cluster) as BuilderCluster;
  }
}
