import { dirname, join } from 'node:path';
import type { BackendEnv } from '../../../contract/builder-env.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { BuilderRunInput, Built } from '../../shared/entry.ts';
import { addAdapterLayer } from './adapter-layer.ts';
import type { Engine } from './engine.ts';
import type { BackendImageEnv } from './env.ts';
import type { FoundImage, ImageStore } from './images.ts';
import { type LocalEngine, localTag, localUntag } from './local.ts';
import { pushImage } from './push.ts';
import type { Registry } from './registry.ts';

export type ImageBuildInput = BuilderRunInput<BackendEnv> & { readonly image: BackendImageEnv };

/** What builds the image, and where it goes. */
export type Place =
  | { readonly kind: 'kaniko'; readonly engine: Extract<Engine, { kind: 'kaniko' }>; readonly store: Registry }
  | { readonly kind: 'local'; readonly engine: LocalEngine; readonly store: ImageStore };

/** What an image has to become. */
export interface WantedImage {
  readonly tag: string;
  readonly own: Readonly<Record<string, string>>;
  /** Asked when the image is made, right before anybody can see it. Throws DEPLOYMENT_CANCELED. */
  readonly claim: () => Promise<void>;
}

export interface Made {
  readonly made: FoundImage;
  readonly saveCaches?: NonNullable<Built['saveCaches']> | undefined;
  readonly warnings?: readonly string[];
}

/** The program that pushes, beside Kaniko. */
export const cranePath = (image: BackendImageEnv, executor: string): string =>
  image.VEREN_CRANE ?? join(dirname(executor), 'crane');

/** Pushes an image layout under the deployment's tag, with the adapter for Lambda. */
export async function pushLayout(
  { env, image, raw, reporter, deadline }: ImageBuildInput,
  crane: string,
  registry: Registry,
  layout: string,
  { tag, own }: WantedImage,
): Promise<FoundImage> {
  if (image.VEREN_SERVICE_LAYER !== undefined) await addAdapterLayer(layout, image.VEREN_SERVICE_LAYER);
  return pushImage({
    crane,
    registry,
    layout,
    uri: env.ECR_URI,
    tag,
    labels: own,
    raw,
    control: join(image.VEREN_WORK, 'control'),
    signal: deadline.signal,
    say: (text) => reporter.say(text),
  });
}

/** Gives a local image the name by which all can see it. */
export async function publishLocally(
  { engine, store }: Extract<Place, { kind: 'local' }>,
  names: { readonly published: string; readonly unpublished: string },
  { tag, claim }: WantedImage,
  signal: AbortSignal,
): Promise<FoundImage> {
  try {
    await claim();
    await localTag(engine, names.unpublished, names.published, signal);
  } finally {
    await localUntag(engine, names.unpublished);
  }
  const made = await store.find(tag);
  if (made === null)
    throw new VerenError('IMAGE_BUILD_FAILED', { reason: `${engine.kind} has no image after the build` });
  return made;
}
