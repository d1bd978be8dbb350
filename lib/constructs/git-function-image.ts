import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Repository, TagMutability } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import type { DockerImageCode } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { preparedBundle, ROOT, writeBundle } from './bundle.ts';
import { imageBuild } from './image-builds.ts';
import type { StageSettings } from './stage-settings.ts';

export interface GitFunctionImageProps {
  /** Folder under `lambdas/`. */
  readonly name: string;
  readonly settings: StageSettings;
}

/** Functions that run git, and are images where the stage says so. */
export const GIT_FUNCTIONS = ['clone-worker', 'repo-analyzer', 'git-worker'] as const;

/** The build context of a function's image: git.Dockerfile, and the function's prepared bundle in `code/`. */
export function writeImageContext(name: string, folder: string, { withCode = true } = {}): void {
  mkdirSync(join(folder, 'code'), { recursive: true });
  copyFileSync(join(ROOT, 'lambdas', 'git.Dockerfile'), join(folder, 'Dockerfile'));
  if (withCode) writeBundle(preparedBundle(name), join(folder, 'code'));
}

/**
 * The container image of a function that runs git: the function's bundle and a git binary on Lambda's base image. Synth
 * only makes the build context; the image is built in the account when it is deployed.
 */
export class GitFunctionImage extends Construct {
  readonly code: DockerImageCode;

  constructor(scope: Construct, id: string, { name, settings }: GitFunctionImageProps) {
    super(scope, id);
    const repository = new Repository(this, 'Repository', {
      repositoryName: `veren-${settings.stage}-${name}`,
      imageScanOnPush: true,
      // A tag is the hash of what the image is made of.
      imageTagMutability: TagMutability.IMMUTABLE,
      lifecycleRules: [{ description: 'The running image and a few to go back to', maxImageCount: 5 }],
      removalPolicy: RemovalPolicy.DESTROY,
      emptyOnDelete: true,
    });
    const context = mkdtempSync(join(tmpdir(), `veren-${name}-`));
    try {
      writeImageContext(name, context, { withCode: Stack.of(this).bundlingRequired });
      const build = imageBuild(this, 'Build', settings, {
        directory: context,
        repository,
        platform: settings.functionArchitecture === 'arm64' ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
      });
      this.code = build.toLambdaDockerImageCode();
    } finally {
      // The asset was copied into the assembly when it was made.
      rmSync(context, { recursive: true, force: true });
    }
  }
}
