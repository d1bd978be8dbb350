import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Repository, TagMutability, TagStatus } from 'aws-cdk-lib/aws-ecr';
import { Construct } from 'constructs';
import { BUILDERS } from '../../contract/builders.ts';
import type { StageSettings } from './stage-settings.ts';

export interface RepositoriesProps {
  readonly settings: StageSettings;
  /** Name of the repository of users' images. */
  readonly userImages: string;
}

/** The named ECR repositories: one per builder of the table, and the one that users' images are pushed to. */
export class Repositories extends Construct {
  /** By repository name. */
  readonly builders: ReadonlyMap<string, Repository>;
  readonly userImages: Repository;

  constructor(scope: Construct, id: string, { settings, userImages }: RepositoriesProps) {
    super(scope, id);
    const names = [...new Set(BUILDERS.map((b) => b.repository))];
    this.builders = new Map(
      names.map((repositoryName) => [
        repositoryName,
        new Repository(this, repositoryName, {
          repositoryName,
          imageScanOnPush: true,
          lifecycleRules: [{ description: 'The running image and a few to go back to', maxImageCount: 10 }],
          // The deployment makes these images anew.
          removalPolicy: RemovalPolicy.DESTROY,
          emptyOnDelete: true,
        }),
      ]),
    );
    this.userImages = new Repository(this, 'UserImages', {
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
  }
}
