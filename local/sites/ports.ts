import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { VerenError } from '../../contract/errors.ts';
import { writeFileAtomic } from '../awsProtocol/atomicFile.ts';

const Ports = z.record(z.string(), z.number().int().min(1).max(65_535));

/** Outside what systems give to outgoing connections, and free of ports that browsers refuse. */
const FIRST = 20_000;
const COUNT = 10_000;

/** Which port a project's site has: chosen once, kept in `<dataDir>/sites.json`. */
export class SitePorts {
  readonly #path: string;
  readonly #ports: Map<string, number>;
  #writing: Promise<void> = Promise.resolve();
  #unwritten = false;

  private constructor(path: string, ports: Map<string, number>) {
    this.#path = path;
    this.#ports = ports;
  }

  static async open(dataDir: string): Promise<SitePorts> {
    await mkdir(dataDir, { recursive: true });
    const path = join(dataDir, 'sites.json');
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    try {
      return new SitePorts(path, new Map(Object.entries(Ports.parse(JSON.parse(text)))));
    } catch (cause) {
      throw new VerenError('DATA_FOLDER_UNUSABLE', { path: dataDir, reason: `${path} is not valid` }, { cause });
    }
  }

  projects(): string[] {
    return [...this.#ports.keys()];
  }

  /** Ports to try, in this order; 0 (any) is the last. */
  candidates(projectId: string): number[] {
    const taken = new Set(this.#ports.values());
    const own = this.#ports.get(projectId);
    const start = createHash('sha256').update(projectId).digest().readUInt32BE();
    const near = Array.from({ length: 20 }, (_, i) => FIRST + ((start + i) % COUNT));
    return [...(own === undefined ? [] : [own]), ...near.filter((port) => !taken.has(port)), 0];
  }

  /**
   * Notes a port, if it is not noted yet. A note that could not be written (a full disk) is written by the next call.
   * @throws what the write threw
   */
  async keep(projectId: string, port: number): Promise<void> {
    if (!this.#unwritten && this.#ports.get(projectId) === port) return;
    this.#ports.set(projectId, port);
    this.#unwritten = true;
    const write = this.#writing.then(async () => {
      if (!this.#unwritten) return;
      this.#unwritten = false;
      try {
        await writeFileAtomic(this.#path, `${JSON.stringify(Object.fromEntries(this.#ports), null, 2)}\n`);
      } catch (error) {
        this.#unwritten = true;
        throw error;
      }
    });
    this.#writing = write.catch(() => undefined);
    await write;
  }
}
