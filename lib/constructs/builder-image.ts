import { join } from 'node:path';
import { IgnoreMode } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { Construct } from 'constructs';
import { ROOT } from './bundle.ts';
import { imageBuild } from './image-builds.ts';
import type { StageSettings } from './stage-settings.ts';

export interface BuilderImageProps {
  readonly settings: StageSettings;
  /** Relative to `builder-images/`. */
  readonly dockerfile: string;
  readonly repository: IRepository;
}

/**
 * A builder's image, built by CodeBuild in the account when the stack is deployed and pushed to its named repository: no
 * Docker and no manual step where `cdk deploy` runs. The tag is the hash of the build context.
 */
export class BuilderImage extends Construct {
  readonly tag: string;

  constructor(scope: Construct, id: string, { settings, dockerfile, repository }: BuilderImageProps) {
    super(scope, id);
    const build = imageBuild(this, 'Build', settings, {
      directory: join(ROOT, 'builder-images'),
      file: dockerfile,
      repository,
      platform: Platform.LINUX_AMD64,
      ignoreMode: IgnoreMode.DOCKER,
    });
    this.tag = build.imageTag;
  }
}
