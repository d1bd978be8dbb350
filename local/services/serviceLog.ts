import { appendFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ServiceLogLine, ServiceLogLineSchema, type ServiceLogQuery } from '../../contract/services.ts';

/** Of one file; there are two for each project, and the older one goes when the newer is full. */
const FILE_BYTES = 4 * 1_024 * 1_024;
/** Of a project, kept in memory for those who follow. */
const IN_MEMORY = { lines: 20_000, bytes: 2 * FILE_BYTES } as const;
/** Older lines go in one step, when there is so much more than that. */
const SLACK = 1.2;
/** Projects whose lines are in memory; those of others are read again. */
const PROJECTS_IN_MEMORY = 32;
const UNUSED_MS = 60_000;
const FLUSH_MS = 100;

const StoredSchema = z.array(ServiceLogLineSchema.omit({ seq: true }).extend({ seq: z.number() }));
type StoredLine = z.infer<typeof StoredSchema>[number];

interface Lines {
  readonly kept: StoredLine[];
  /** Of each kept line, as it is stored, and of all. */
  readonly sizes: number[];
  bytes: number;
  usedAt: number;
  waiting: string[];
  next: number;
}

/** What services write, bounded in memory and on disk, one file of JSON lines for each project. */
export class ServiceLog {
  readonly #folder: string;
  readonly #projects = new Map<string, Promise<Lines>>();
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Never rejects: a disk that is full loses lines, and nothing else. */
  async append(projectId: string, lines: readonly Omit<ServiceLogLine, 'seq'>[]): Promise<void> {
    const log = await this.#open(projectId).catch(() => null);
    if (!log) return;
    for (const line of lines) {
      const stored = { seq: log.next++, ...line };
      const text = JSON.stringify(stored);
      keepLine(log, stored, text);
      log.waiting.push(text);
    }
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  async read(projectId: string, query: Omit<ServiceLogQuery, 'follow'>): Promise<ServiceLogLine[]> {
    const { kept } = await this.#open(projectId);
    const { deployment, stream, since, after, limit } = query;
    const from = since === undefined ? undefined : new Date(since).toISOString();
    const fits = (line: StoredLine) =>
      (deployment === undefined || line.deploymentId === deployment) &&
      (stream === undefined || line.stream === stream) &&
      (from === undefined || line.at >= from);
    const wanted = kept.filter(fits);
    const first = after === undefined ? Math.max(0, wanted.length - limit) : firstAfter(wanted, Number(after));
    return wanted.slice(first, first + limit).map(({ seq, ...line }) => ({ ...line, seq: String(seq) }));
  }

  async remove(projectId: string): Promise<void> {
    await this.flush();
    this.#projects.delete(projectId);
    for (const file of this.#files(projectId)) await rm(file, { force: true });
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write()).catch(() => undefined);
    return this.#writing;
  }

  async #write(): Promise<void> {
    for (const [projectId, opening] of this.#projects) {
      const log = await opening;
      const { waiting } = log;
      if (waiting.length === 0) continue;
      log.waiting = [];
      const [older, newer] = this.#files(projectId);
      const size = await stat(newer).then(
        (info) => info.size,
        () => 0,
      );
      if (size > FILE_BYTES) await rename(newer, older);
      await appendFile(newer, `${waiting.join('\n')}\n`, { mode: 0o600 });
    }
  }

  #files(projectId: string): [older: string, newer: string] {
    return [join(this.#folder, `${projectId}.1.ndjson`), join(this.#folder, `${projectId}.ndjson`)];
  }

  async #open(projectId: string): Promise<Lines> {
    let opening = this.#projects.get(projectId);
    if (!opening) {
      await this.#makeRoom();
      opening = this.#projects.get(projectId) ?? this.#load(projectId);
      this.#projects.set(projectId, opening);
      opening.catch(() => this.#projects.delete(projectId));
    }
    const log = await opening;
    log.usedAt = performance.now();
    return log;
  }

  /** Forgets lines that are on disk and that nobody has used for a while. */
  async #makeRoom(): Promise<void> {
    if (this.#projects.size < PROJECTS_IN_MEMORY) return;
    const now = performance.now();
    for (const [projectId, opening] of [...this.#projects]) {
      const log = await opening.catch(() => null);
      if (log && log.waiting.length === 0 && now - log.usedAt > UNUSED_MS) this.#projects.delete(projectId);
    }
  }

  async #load(projectId: string): Promise<Lines> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const texts = await Promise.all(this.#files(projectId).map((file) => readFile(file, 'utf8').catch(() => '')));
    const log: Lines = { kept: [], sizes: [], bytes: 0, usedAt: performance.now(), waiting: [], next: 1 };
    for (const text of texts.flatMap((file) => file.split('\n')))
      for (const line of parseLine(text)) keepLine(log, line, text);
    log.next = (log.kept.at(-1)?.seq ?? 0) + 1;
    return log;
  }
}

function keepLine(log: Lines, line: StoredLine, text: string): void {
  const size = Buffer.byteLength(text);
  log.kept.push(line);
  log.sizes.push(size);
  log.bytes += size;
  if (log.kept.length <= IN_MEMORY.lines * SLACK && log.bytes <= IN_MEMORY.bytes * SLACK) return;
  let gone = 0;
  while (log.kept.length - gone > IN_MEMORY.lines || log.bytes > IN_MEMORY.bytes) log.bytes -= log.sizes[gone++]!;
  log.kept.splice(0, gone);
  log.sizes.splice(0, gone);
}

/** A line that was cut when the disk was full or the machine went down does not count. */
function parseLine(text: string): StoredLine[] {
  try {
    return StoredSchema.parse([JSON.parse(text)]);
  } catch {
    return [];
  }
}

function firstAfter(lines: readonly StoredLine[], seq: number): number {
  const at = lines.findIndex((line) => line.seq > seq);
  return at < 0 ? lines.length : at;
}
