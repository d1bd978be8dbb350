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
  /**
   * Folder that the Dockerfile copies from.
   * @default - `builder-images/`
   */
  readonly context?: string;
}

const CONTEXT = join(ROOT, 'builder-images');
/** Options of a COPY. One that copies from another stage or an image uses nothing of the context. */
const FLAG = /^--/;

/**
 * A builder's image, built by CodeBuild in the account when the stack is deployed and pushed to its named repository: no
 * Docker and no manual step where `cdk deploy` runs. The tag is the hash of the Dockerfile, of the files that it copies and of
 * the build's arguments, so a change rebuilds the images that it is in and no others.
 */
export class BuilderImage extends Construct {
  readonly tag: string;

  constructor(
    scope: Construct,
    id: string,
    { settings, dockerfile, repository, context = CONTEXT }: BuilderImageProps,
  ) {
    super(scope, id);
    const script = join(context, dirname(dockerfile).split('/')[0] as string, 'dist', 'script.mjs');
    if (Stack.of(this).bundlingRequired && !existsSync(script))
      throw new Error(`${script} is missing: builder-images/bundle.ts writes it, and bin/veren.ts calls that first`);
    const source = readIfThere(join(context, dockerfile));
    const build = imageBuild(this, 'Build', settings, {
      directory: context,
      file: dockerfile,
      repository,
      platform: Platform.LINUX_AMD64,
      ignoreMode: IgnoreMode.DOCKER,
      exclude: allBut([dockerfile, ...copiedFiles(source)]),
      buildArgs: mirroredBases(source),
    });
    this.tag = build.imageTag;
  }
}

/**
 * What a Dockerfile copies from its context: files and folders.
 * @throws Error for a COPY that does not name them one by one, since its files cannot be seen from its text
 */
export function copiedFiles(dockerfile: string): string[] {
  const lines = dockerfile.replace(/\\\n/g, ' ').split('\n');
  return lines.flatMap((line) => {
    if (/^ADD\s/i.test(line)) throw new Error(`A builder's Dockerfile has to COPY, not ADD: ${line}`);
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (!/^COPY$/i.test(word) || rest.some((part) => part.startsWith('--from='))) return [];
    const sources = rest.filter((part) => !FLAG.test(part)).slice(0, -1);
    const vague = sources.find((source) => !/^[\w-][\w./-]*$/.test(source));
    if (vague || sources.length === 0) throw new Error(`A builder's Dockerfile has to name what it copies: ${line}`);
    return sources;
  });
}

/** Ignore rules that keep only these files of a context, without those that no image needs. */
const allBut = (wanted: readonly string[]): string[] => [
  '**',
  ...wanted.flatMap((path) => [`!${path}`, `!${path}/**`]),
  '**/*.ts',
];

const readIfThere = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/**
 * Official images that a Dockerfile names in `ARG NAME=image:tag`, from their copies in Amazon's public registry: Docker
 * Hub limits anonymous pulls per address, and CodeBuild shares its addresses with everybody.
 */
export function mirroredBases(dockerfile: string): Record<string, string> {
  const args = dockerfile.matchAll(
    /^ARG (\w+)=((?:ubuntu|node|golang|debian|alpine|rust|maven|eclipse-temurin):\S+)$/gm,
  );
  return Object.fromEntries([...args].map(([, name, image]) => [name, `public.ecr.aws/docker/library/${image}`]));
}
