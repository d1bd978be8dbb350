import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IgnoreMode, Stack } from 'aws-cdk-lib';
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

const CONTEXT = join(ROOT, 'builder-images');

/**
 * A builder's image, built by CodeBuild in the account when the stack is deployed and pushed to its named repository: no
 * Docker and no manual step where `cdk deploy` runs. The tag is the hash of the build context and the build's arguments.
 */
export class BuilderImage extends Construct {
  readonly tag: string;

  constructor(scope: Construct, id: string, { settings, dockerfile, repository }: BuilderImageProps) {
    super(scope, id);
    const script = join(CONTEXT, dirname(dockerfile).split('/')[0] as string, 'dist', 'script.mjs');
    if (Stack.of(this).bundlingRequired && !existsSync(script))
      throw new Error(`${script} is missing: builder-images/bundle.ts writes it, and bin/veren.ts calls that first`);
    const build = imageBuild(this, 'Build', settings, {
      directory: CONTEXT,
      file: dockerfile,
      repository,
      platform: Platform.LINUX_AMD64,
      ignoreMode: IgnoreMode.DOCKER,
      exclude: ignored(),
      buildArgs: mirroredBases(readIfThere(join(CONTEXT, dockerfile))),
    });
    this.tag = build.imageTag;
  }
}

/** The lines of `builder-images/.dockerignore`: what is no part of an image changes no tag. */
const ignored = (): string[] =>
  readIfThere(join(CONTEXT, '.dockerignore'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

const readIfThere = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/**
 * Official images that a Dockerfile names in `ARG NAME=image:tag`, from their copies in Amazon's public registry: Docker
 * Hub limits anonymous pulls per address, and CodeBuild shares its addresses with everybody.
 */
export function mirroredBases(dockerfile: string): Record<string, string> {
  const args = dockerfile.matchAll(/^ARG (\w+)=((?:ubuntu|node|golang|debian|alpine):\S+)$/gm);
  return Object.fromEntries([...args].map(([, name, image]) => [name, `public.ecr.aws/docker/library/${image}`]));
}
