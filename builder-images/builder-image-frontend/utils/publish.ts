import type { Manifest } from '../../../contract/manifest.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { Artifact } from '../../../contract/record.ts';
import type { Objects } from '../../shared/objects.ts';
import { promote, readManifest, readPromotion } from './promote.ts';
import { ruleWarnings } from './rule-warnings.ts';
import { upload } from './upload.ts';
import { type WalkOptions, walkOutput } from './walk.ts';

export interface PublishInput {
  readonly objects: Objects;
  /** What the site shows now, read beforehand: only a hint of what need not be sent again. */
  readonly base: Manifest | null;
  readonly bucket: string;
  readonly projectId: string;
  readonly deploymentId: string;
  readonly attempt: number;
  readonly commit: string;
  readonly output: Omit<WalkOptions, 'signal' | 'onSkipped'>;
  /** A build step ran. */
  readonly built: boolean;
  /** `PRECOMPRESS`. */
  readonly precompress: boolean;
  /** `SITE_RULES`. */
  readonly siteRules: boolean;
  /** `HOLD`: the copy is made, and the site left as it is. */
  readonly hold: boolean;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly say: (text: string) => void;
}

/** From the output folder to the live site, or with `hold` to the immutable copy. */
export async function publish(input: PublishInput): Promise<Artifact> {
  const { objects, projectId, base, say, signal } = input;
  const manifest = (await earlierAttempt(input)) ?? (await makeCopy(input));
  const { files, bytes } = manifest;
  const artifact: Artifact = { kind: 'static', bucket: input.bucket, prefix: s3Keys.site(projectId), files, bytes };
  if (input.hold) {
    say('Stored: the site is shown when the backend of this deployment has been built, too.');
    return artifact;
  }
  const result = await promote({ objects, projectId, manifest, base, now: input.now, signal });
  if (result.kind === 'superseded') say(`The newer deployment ${result.by} is live: this one stays a copy beside it.`);
  else
    say(
      `Live: ${result.copied} objects copied to ${s3Keys.site(projectId)}, ${result.unchanged} unchanged, ${result.removed} removed`,
    );
  return artifact;
}

/** An attempt that died between its copy and its promotion has decided what this deployment is. */
async function earlierAttempt(input: PublishInput): Promise<Manifest | null> {
  if (input.attempt === 1) return null;
  const found = await readManifest(input.objects, input.projectId, input.deploymentId);
  if (found) input.say('An earlier attempt has already stored this deployment: its promotion is completed.');
  return found;
}

async function makeCopy(input: PublishInput): Promise<Manifest> {
  const { objects, projectId, deploymentId, say } = input;
  const skipped: string[] = [];
  const files = await walkOutput({
    ...input.output,
    signal: input.signal,
    onSkipped: (path) => path !== '.git' && skipped.push(path),
  });
  if (skipped.length > 0) say(`Not published: ${skipped.slice(0, 5).join(', ')}${skipped.length > 5 ? ', …' : ''}`);
  for (const warning of await ruleWarnings(files, input.siteRules)) say(`Warning: ${warning}`);
  const prefix = s3Keys.deploymentFiles(projectId, deploymentId);
  const { built, precompress, base } = input;
  const uploaded = await upload({
    objects,
    prefix,
    files,
    built,
    precompress,
    base,
    now: input.now(),
    signal: input.signal,
  });
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  say(`${files.length} files, ${bytes} bytes; ${uploaded.sent} objects uploaded`);
  const manifest: Manifest = {
    v: 1,
    projectId,
    deploymentId,
    attempt: input.attempt,
    commit: input.commit,
    createdAt: new Date(input.now()).toISOString(),
    files: files.length,
    bytes,
    objects: uploaded.objects,
  };
  const key = s3Keys.deploymentManifest(projectId, deploymentId);
  if ((await objects.putIf(key, JSON.stringify(manifest), null)) !== null) return manifest;
  // Another attempt was faster after all; what it wrote stands.
  return (await readManifest(objects, projectId, deploymentId)) ?? manifest;
}

export async function liveManifest(objects: Objects, projectId: string): Promise<Manifest | null> {
  const { record } = await readPromotion(objects, projectId);
  return record.live === null ? null : readManifest(objects, projectId, record.live);
}
