import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FolderArtifactSchema, ImageArtifactSchema } from '../../contract/record.ts';
import {
  CronsSchema,
  completeServiceSettings,
  ServiceCrashSchema,
  ServiceSettingsSchema,
  ServiceVersionTextSchema,
} from '../../contract/services.ts';
import { writeFileAtomic } from '../awsProtocol/atomicFile.ts';

const VersionSpecSchema = z.object({
  version: ServiceVersionTextSchema,
  artifact: z.discriminatedUnion('kind', [ImageArtifactSchema, FolderArtifactSchema]),
  settings: ServiceSettingsSchema.transform(completeServiceSettings),
  port: z.number(),
  /** The environment as JSON, sealed. */
  sealed: z.string(),
  secrets: z.array(z.string()),
  /** Number of its user; each version that runs has one of its own. */
  user: z.int().min(0).optional(),
  /** It has answered its health path once. */
  healthy: z.boolean(),
  notRun: z.string().optional(),
  crashes: z.int().min(0).default(0),
  lastCrash: ServiceCrashSchema.optional(),
});
export type VersionSpec = z.output<typeof VersionSpecSchema>;

const ProjectServicesSchema = z.object({
  v: z.literal(1),
  production: ServiceVersionTextSchema.nullable(),
  crons: CronsSchema.default([]),
  versions: z.array(VersionSpecSchema),
});
type ProjectServices = z.output<typeof ProjectServicesSchema>;

export const NO_SERVICES: ProjectServices = { v: 1, production: null, crons: [], versions: [] };

/** What is to run, one file for each project; read once, at the start of the platform. */
export class ServiceSpecs {
  readonly #folder: string;
  readonly #projects = new Map<string, ProjectServices>();
  readonly #writing = new Map<string, Promise<void>>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<ServiceSpecs> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const specs = new ServiceSpecs(folder);
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.json')) continue;
      try {
        const stored = ProjectServicesSchema.parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
        specs.#projects.set(name.slice(0, -'.json'.length), stored);
      } catch {
        // It is written again when its project is released the next time.
      }
    }
    return specs;
  }

  get(projectId: string): ProjectServices {
    return this.#projects.get(projectId) ?? NO_SERVICES;
  }

  projects(): [projectId: string, services: ProjectServices][] {
    return [...this.#projects];
  }

  /** Durable when it resolves. A project without anything has no file. */
  async change(projectId: string, change: (before: ProjectServices) => ProjectServices): Promise<void> {
    const before = this.get(projectId);
    const after = change(before);
    if (after === before) return;
    const isEmpty = after.versions.length === 0 && after.production === null && after.crons.length === 0;
    if (isEmpty) this.#projects.delete(projectId);
    else this.#projects.set(projectId, after);
    const write = (this.#writing.get(projectId) ?? Promise.resolve()).then(() => this.#write(projectId));
    this.#writing.set(
      projectId,
      write.catch(() => undefined),
    );
    await write;
  }

  async #write(projectId: string): Promise<void> {
    const file = join(this.#folder, `${projectId}.json`);
    const services = this.#projects.get(projectId);
    if (services) await writeFileAtomic(file, JSON.stringify(services));
    else await rm(file, { force: true });
  }
}
