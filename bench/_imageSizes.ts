import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** Bytes of a layer's archive, and of the same as a registry keeps it: gzip at its usual level. */
interface LayerSize {
  /** The instruction of the Dockerfile. */
  readonly made: string;
  readonly bytes: number;
  readonly compressed: number;
}

export interface ImageSize {
  /** What the Dockerfile's last FROM brought. */
  readonly base: LayerSize;
  readonly layers: readonly LayerSize[];
}

/** Images that the scripts of `.ci` have built with buildah below a folder. */
export class BuiltImages {
  readonly #env: NodeJS.ProcessEnv;

  constructor(folder: string) {
    this.#env = { ...process.env, CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf') };
  }

  has(image: string): boolean {
    try {
      return this.#buildah('inspect', '--type', 'image', '--format', '{{.FromImageID}}', image) !== '';
    } catch {
      return false;
    }
  }

  /** Writes the image as `docker load` takes it. */
  save(image: string, file: string): void {
    this.#buildah('push', '--quiet', image, `docker-archive:${file}:${image}`);
  }

  #buildah(...args: string[]): string {
    // What buildah mounts ends with the namespace.
    const argv = ['--mount', 'buildah', ...args];
    return execFileSync('unshare', argv, { env: this.#env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }
}

/** Sizes of an image that was saved; stand-ins of bases are one layer. */
export async function sizeOfSaved(file: string, work: string): Promise<ImageSize> {
  const folder = join(work, 'layers');
  mkdirSync(folder);
  try {
    execFileSync('tar', ['--extract', '--file', file, '--directory', folder]);
    const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const [{ Config, Layers }] = read('manifest.json') as [{ Config: string; Layers: string[] }];
    const { history } = read(Config) as { history: { created_by?: string; empty_layer?: boolean }[] };
    const made = history.filter((step) => !step.empty_layer).map((step) => instructionOf(step.created_by ?? ''));
    const sizes: LayerSize[] = [];
    for (const [i, layer] of Layers.entries()) {
      const path = join(folder, layer);
      sizes.push({ made: made[i] ?? '', bytes: statSync(path).size, compressed: await compressedSize(path) });
    }
    const [base, ...layers] = sizes;
    if (!base) throw new Error(`${file} has no layers`);
    return { base, layers };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const instructionOf = (text: string) =>
  text
    .replace(/^\/bin\/sh -c (?:#\(nop\) +)?/, '')
    .replace(/\b(?:dir|file|multi):[0-9a-f]{64} in /g, '')
    .replace(/\s+/g, ' ')
    .trim();

async function compressedSize(path: string): Promise<number> {
  let bytes = 0;
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  await pipeline(createReadStream(path), createGzip({ level: 6 }), count);
  return bytes;
}
