import { countOf } from '../../../contract/count.ts';
import type { Manifest } from '../../../contract/manifest.ts';
import { s3Keys } from '../../../contract/names.ts';
import { type Artifact, MAX_BUILD_WARNING, MAX_BUILD_WARNINGS } from '../../../contract/record.ts';
import type { Objects } from '../../shared/object-calls.ts';
import { claimPublication } from '../../shared/verdict.ts';
import { readManifest, readPromotion } from './promote.ts';
import { readRules } from './rule-warnings.ts';
import { type Inspection, list } from './scan/inspect.ts';
import { uploadFiles } from './upload.ts';
import { type OutputFile, type WalkOptions, walkOutput } from './walk.ts';

export interface PublishInput {
  readonly objects: Objects;
  /** An earlier deployment, read beforehand: only a hint of what need not be sent again. */
  readonly base: Manifest | null;
  readonly bucket: string;
  readonly projectId: string;
  readonly deploymentId: string;
  readonly attempt: number;
  readonly commit: string;
  readonly output: Omit<WalkOptions, 'signal' | 'onSkipped'>;
  /** Looks at every file before anything is uploaded. Throws where the output must not be published. */
  readonly inspect: (files: readonly OutputFile[]) => Promise<Inspection>;
  /** What is to be said of the choice of the output folder. */
  readonly warnings?: readonly string[];
  /** A build step ran. */
  readonly built: boolean;
  /** `PRECOMPRESS`. */
  readonly precompress: boolean;
  /** `HOLD`: the platform decides on the publication, when the deployment's other part has been built. */
  readonly hold: boolean;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly say: (text: string) => void;
}

/**
 * From the output folder to the immutable copy, and to the decision that it may be shown. What shows it, and where, is
 * the platform's: a build cannot change what production serves.
 */
export async function publishSite(input: PublishInput): Promise<Artifact> {
  const { objects, projectId, deploymentId, say } = input;
  const manifest = (await earlierAttempt(input)) ?? (await makeCopy(input));
  const { files, bytes, warnings } = manifest;
  const prefix = s3Keys.site(projectId);
  const artifact: Artifact = {
    kind: 'static',
    bucket: input.bucket,
    prefix,
    files,
    bytes,
    ...(warnings && { warnings }),
  };
  if (input.hold) {
    say('Stored: the site is shown when the backend of this deployment has been built, too.');
    return artifact;
  }
  await claimPublication(objects, { projectId, deploymentId, target: 'frontend' }, input.now);
  say('Stored: the platform gives it an address.');
  return artifact;
}

/** An attempt that died after its copy has decided what this deployment is. */
async function earlierAttempt(input: PublishInput): Promise<Manifest | null> {
  if (input.attempt === 1) return null;
  const found = await readManifest(input.objects, input.projectId, input.deploymentId);
  if (found) input.say('An earlier attempt has already stored this deployment.');
  return found;
}

async function makeCopy(input: PublishInput): Promise<Manifest> {
  const { objects, projectId, deploymentId, say } = input;
  const skipped = new LeftOut();
  const walked = await walkOutput({ ...input.output, signal: input.signal, onSkipped: (path) => skipped.add(path) });
  const layout = [...(input.warnings ?? []), ...layoutWarnings(input, walked, skipped)];
  const ruled = await readRules(walked);
  for (const warning of [...layout, ...ruled.warnings]) say(`Warning: ${warning}`);
  const inspected = await input.inspect(walked);
  const { files } = inspected;
  const warnings = [...layout, ...inspected.warnings, ...ruled.warnings]
    .slice(0, MAX_BUILD_WARNINGS)
    .map((warning) => warning.slice(0, MAX_BUILD_WARNING));
  const prefix = s3Keys.deploymentFiles(projectId, deploymentId);
  const { built, precompress, base } = input;
  const uploaded = await uploadFiles({
    objects,
    prefix,
    files,
    built,
    precompress,
    base,
    signal: input.signal,
  });
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  say(`${countOf(files.length, 'file')}, ${countOf(bytes, 'byte')}; ${countOf(uploaded.sent, 'object')} uploaded`);
  const manifest: Manifest = {
    v: 1,
    projectId,
    deploymentId,
    attempt: input.attempt,
    commit: input.commit,
    createdAt: new Date(input.now()).toISOString(),
    files: files.length,
    bytes,
    complete: true,
    ...(ruled.order && { rules: ruled.order }),
    ...(warnings.length > 0 && { warnings }),
    objects: uploaded.objects,
  };
  const key = s3Keys.deploymentManifest(projectId, deploymentId);
  if ((await objects.putIf(key, JSON.stringify(manifest), null)) !== null) return manifest;
  // Another attempt was faster after all; what it wrote stands.
  return (await readManifest(objects, projectId, deploymentId)) ?? manifest;
}

/** What every repository and desktop has, and nobody misses. */
const ORDINARY = /^(?:\.git|\.gitignore|\.gitattributes|\.gitkeep|\.nojekyll|\.DS_Store|Thumbs\.db|desktop\.ini)$/;
/** A folder with as many names of packages is named with the first of them. */
const MAX_LEFT_OUT = 20;

/** Names of what is not published, so many of them as a warning can hold. */
class LeftOut {
  readonly names: string[] = [];
  #count = 0;

  add(path: string): void {
    if (ORDINARY.test(path.slice(path.lastIndexOf('/') + 1))) return;
    this.#count++;
    if (this.names.length <= MAX_LEFT_OUT) this.names.push(path.slice(0, 200));
  }

  get rest(): number {
    return Math.max(0, this.#count - MAX_LEFT_OUT);
  }
}

/** What the user should know of an output whose files are in order. */
function layoutWarnings({ output, built }: PublishInput, files: readonly OutputFile[], skipped: LeftOut): string[] {
  const warnings: string[] = [];
  if (skipped.names.length > 0) {
    const why = output.holds === 'package' ? `, since "${output.name}" is a folder with sources` : '';
    const rest = skipped.rest > 0 ? ` and ${skipped.rest} more` : '';
    const advice =
      output.holds === 'package' && built
        ? '. Let the build write into a folder of its own, and name it in "outputDirectory"'
        : '';
    warnings.push(`Not published${why}: ${list(skipped.names.slice(0, MAX_LEFT_OUT), MAX_LEFT_OUT)}${rest}${advice}.`);
  }
  if (!files.some(({ path }) => /^index\.html?$/i.test(path)))
    warnings.push(
      `"${output.name}" holds no index.html, so the address of the site itself answers 404. "frontend.outputDirectory" can name another folder.`,
    );
  return warnings;
}

export async function liveManifest(objects: Objects, projectId: string): Promise<Manifest | null> {
  const { record } = await readPromotion(objects, projectId);
  return record.live === null ? null : readManifest(objects, projectId, record.live);
}
