import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type IRepository, Repository, TagMutability, TagStatus } from 'aws-cdk-lib/aws-ecr';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { StageSettings } from './stage-settings.ts';

export interface RepositoriesProps {
  readonly settings: StageSettings;
  /** Names of the repositories of builders' images. */
  readonly builders: readonly string[];
  /** Name of the repository of users' images. */
  readonly userImages: string;
  /**
   * ARNs of the functions that run users' images, with a `*`.
   * @default - none: images are only stored
   */
  readonly runBy?: string | undefined;
}

/** The named ECR repositories: one per builder of the table, and the one that users' images are pushed to. */
export class Repositories extends Construct {
  private readonly names: RepositoriesProps;

  constructor(scope: Construct, id: string, props: RepositoriesProps) {
    super(scope, id);
    const { settings, userImages } = props;
    this.names = props;
    for (const repositoryName of new Set(props.builders))
      new Repository(this, repositoryName, {
        repositoryName,
        imageScanOnPush: true,
        // A tag is the hash of the image's inputs, so it never stands for another image.
        imageTagMutability: TagMutability.IMMUTABLE,
        lifecycleRules: [{ description: 'The running image and a few to go back to', maxImageCount: 10 }],
        // The deployment makes these images anew.
        removalPolicy: RemovalPolicy.DESTROY,
        emptyOnDelete: true,
      });
    const images = new Repository(this, 'UserImages', {
      repositoryName: userImages,
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE,
      lifecycleRules: [
        {
          description: 'What a failed push left behind',
          tagStatus: TagStatus.UNTAGGED,
          maxImageAge: Duration.days(7),
        },
      ],
      removalPolicy: settings.removalPolicy,
      emptyOnDelete: settings.removalPolicy === RemovalPolicy.DESTROY,
    });
    if (props.runBy !== undefined)
      images.addToResourcePolicy(
        new PolicyStatement({
          sid: 'RunByLambda',
          principals: [new ServicePrincipal('lambda.amazonaws.com')],
          actions: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
          conditions: { ArnLike: { 'aws:SourceArn': props.runBy } },
        }),
      );
  }

  /** A builder's repository as another stack uses it: by name, so that a renamed one is no export that changes. */
  builder(scope: Construct, name: string): IRepository {
    if (!this.names.builders.includes(name)) throw new Error(`no repository ${name}`);
    return Repository.fromRepositoryName(scope, `${name}-repository`, name);
  }

  /** The repository of users' images as another stack uses it. */
  userImages(scope: Construct): IRepository {
    return Repository.fromRepositoryName(scope, 'UserImagesRepository', this.names.userImages);
  }
}
