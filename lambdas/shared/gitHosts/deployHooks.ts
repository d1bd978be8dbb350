import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { VerenError } from '../../../contract/errors.ts';
import { DeployHookSchema, MAX_DEPLOY_HOOKS } from '../../../contract/gitApi.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { Documents } from '../documents.ts';
import { equalSecrets } from './hookSignature.ts';
import { openProjectDocuments, type ProjectIdentity } from './projectDocuments.ts';

const StoredHookSchema = DeployHookSchema.extend({ hash: z.string() });
export type StoredDeployHook = z.infer<typeof StoredHookSchema>;
const HooksSchema = z.object({ v: z.literal(1), hooks: z.array(StoredHookSchema) });

/** Deploy hooks of projects: of a secret only its hash is stored. */
export interface DeployHookStore {
  list(project: ProjectIdentity): Promise<StoredDeployHook[]>;
  /** Throws NAME_TAKEN, TOO_MANY. @returns the hook and its secret */
  create(
    project: ProjectIdentity,
    hook: Omit<StoredDeployHook, 'hash' | 'id'>,
  ): Promise<{ readonly hook: StoredDeployHook; readonly secret: string }>;
  /** False where there is none of this id. */
  remove(project: ProjectIdentity, id: string): Promise<boolean>;
  /** The hook of the project that the secret is of; null for every other text. */
  find(project: ProjectIdentity, secret: string): Promise<StoredDeployHook | null>;
}

/** A project's id has no `_`, so where the secret begins is clear. */
const SECRET = /^([a-z0-9](?:-?[a-z0-9]){0,62})_([A-Za-z0-9_-]{43})$/;
/** The project that a secret names, which need not be true; undefined for what is no secret of a hook. */
export const projectOfHook = (secret: string): string | undefined => SECRET.exec(secret)?.[1];
const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

export function openDeployHooks(documents: Documents): DeployHookStore {
  const owned = openProjectDocuments(documents);
  const keyOf = ({ projectId }: ProjectIdentity) => s3Keys.deployHooks(projectId);
  const read = async (project: ProjectIdentity) =>
    (await owned.read(project, keyOf(project), HooksSchema))?.hooks ?? [];
  return {
    list: read,
    async create(project, of) {
      const secret = `${project.projectId}_${randomBytes(32).toString('base64url')}`;
      const hook = { ...of, id: randomBytes(8).toString('hex'), hash: hashOf(secret) };
      await owned.change(project, keyOf(project), HooksSchema, (before) => {
        const hooks = before?.hooks ?? [];
        if (hooks.some(({ name }) => name === hook.name))
          throw new VerenError('NAME_TAKEN', { what: 'deploy hook', name: hook.name });
        if (hooks.length >= MAX_DEPLOY_HOOKS)
          throw new VerenError('TOO_MANY', { limit: MAX_DEPLOY_HOOKS, what: 'deploy hooks of this project' });
        return { v: 1 as const, hooks: [...hooks, hook] };
      });
      return { hook, secret };
    },
    async remove(project, id) {
      let isFound = false;
      await owned.change(project, keyOf(project), HooksSchema, (before) => {
        isFound = before?.hooks.some((hook) => hook.id === id) ?? false;
        return before && isFound ? { ...before, hooks: before.hooks.filter((hook) => hook.id !== id) } : before;
      });
      return isFound;
    },
    async find(project, secret) {
      if (projectOfHook(secret) !== project.projectId) return null;
      const hash = hashOf(secret);
      return (await read(project)).find((known) => equalSecrets(known.hash, hash)) ?? null;
    },
  };
}
