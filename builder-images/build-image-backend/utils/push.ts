import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { runCommand } from '../../shared/command.ts';
import type { FoundImage } from './images.ts';
import { annotateLayout } from './layout.ts';
import { type Registry, splitUri } from './registry.ts';

export interface PushInput {
  readonly crane: string;
  readonly registry: Registry;
  readonly layout: string;
  /** `registry/repository`. */
  readonly uri: string;
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly raw: Readonly<Record<string, string>>;
  /** Folder that only we can read. */
  readonly control: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The three ways in which registries refuse to overwrite. Sources: ECR user guide (tag immutability), Harbor, Artifact Registry. */
const IMMUTABLE =
  /tag is immutable|repository is immutable|tag immutability|TAG_INVALID|already exists .* cannot be overwritten/i;

/**
 * Pushes an image layout under a tag that exists exactly once, and reads it back. The tag with this very image in it is a
 * success: then an earlier attempt was cut off after its push. Throws IMAGE_TAG_EXISTS for any other image.
 */
export async function pushImage(input: PushInput): Promise<FoundImage> {
  const { registry, tag } = input;
  const own = await annotateLayout(input.layout, input.labels);
  const before = await registry.find(tag);
  if (before !== null) return sameOrRefused(before, own.digest, tag);
  const refused = await uploadImage(input);
  const after = await registry.find(tag);
  if (refused !== null && (after === null || !IMMUTABLE.test(refused)))
    throw new VerenError('PUBLISH_FAILED', { reason: refused });
  if (after === null)
    throw new VerenError('PUBLISH_FAILED', { reason: 'the registry does not have the image after the push' });
  return sameOrRefused(after, own.digest, tag);
}

function sameOrRefused(found: FoundImage, digest: string, tag: string): FoundImage {
  if (found.digest !== digest) throw new VerenError('IMAGE_TAG_EXISTS', { tag });
  return found;
}

/** Null: taken; else what crane said. Its credentials are a file that lives as long as the push. */
async function uploadImage(input: PushInput): Promise<string | null> {
  const { registry, uri, tag, raw, signal } = input;
  const config = join(input.control, 'push');
  await mkdir(config, { recursive: true, mode: 0o700 });
  const auth = await registry.authorization();
  const auths = auth === null ? {} : { [splitUri(uri).host]: { auth } };
  await writeFile(join(config, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 });
  const lines: string[] = [];
  const passed = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  const { exitCode, stopped } = await runCommand({
    argv: [input.crane, 'push', ...(registry.insecure ? ['--insecure'] : []), input.layout, `${uri}:${tag}`],
    cwd: '/',
    env: {
      ...Object.fromEntries(passed.flatMap((name) => (raw[name] === undefined ? [] : [[name, raw[name]]]))),
      HOME: config,
      DOCKER_CONFIG: config,
    },
    signal,
    onOutput: (_, chunk) => {
      lines.push(...chunk.toString('utf8').split('\n'));
      if (lines.length > 200) lines.splice(0, lines.length - 100);
    },
  });
  await rm(config, { recursive: true, force: true });
  if (stopped) signal.throwIfAborted();
  if (exitCode === 0) return null;
  const error =
    lines.findLast((line) => /^(?:Error|error):?/.test(line)) ?? lines.findLast((line) => line.trim() !== '');
  return error?.replace(/^Error: /, '').slice(0, 500) ?? `crane ended with exit code ${exitCode}`;
}
