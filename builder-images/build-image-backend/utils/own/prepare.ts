import { lstat, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendEnv } from '../../../../contract/builder-env.ts';
import { type DockerfileFacts, MAX_DOCKERFILE_BYTES, readDockerfile } from '../../../../contract/dockerfile.ts';
import { VerenError } from '../../../../contract/errors.ts';
import { buildFacts } from '../../../shared/build-facts.ts';
import { readRepoFile, repoFolder } from '../../../shared/repo-files.ts';
import { buildStepVariables } from '../../../shared/step-variables.ts';

export interface OwnContext {
  /** Folder that COPY copies from: a part of the checkout, without its history. */
  readonly folder: string;
  /** Relative to the folder. */
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly facts: DockerfileFacts;
}

/** Checks the Dockerfile before anything is started. Throws `VerenError`. */
export async function prepareOwnContext(env: BackendEnv, dockerfile: string, work: string): Promise<OwnContext> {
  const source = join(work, 'source');
  const folder = await repoFolder(source, env.BACKEND_PATH);
  await requirePlainFile(folder, dockerfile);
  const text = await readRepoFile(join(folder, dockerfile), MAX_DOCKERFILE_BYTES).catch((error: Error) => {
    throw invalidDockerfile(dockerfile, error.message.endsWith('small file') ? 'it is too large' : 'it cannot be read');
  });
  const facts = readDockerfile(text);
  if (facts.stages === 0) throw invalidDockerfile(dockerfile, 'it has no FROM');
  for (const name of ['.dockerignore', `${dockerfile}.dockerignore`])
    if ((await lstat(join(folder, name)).catch(() => null))?.isFile() === false)
      throw invalidDockerfile(dockerfile, `${name} is no file`);
  // An image is not to tell a repository's history, and layers would change with every commit.
  await rename(join(source, '.git'), join(work, 'history')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return { folder, dockerfile, buildArgs: argumentsFor(env, facts.args), facts };
}

/** Every part of the path is a folder itself, and its end a file: no link leads a container engine of a laptop elsewhere. */
async function requirePlainFile(folder: string, path: string): Promise<void> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  let at = folder;
  for (const [i, part] of parts.entries()) {
    at = join(at, part);
    const info = await lstat(at).catch(() => null);
    const isLast = i === parts.length - 1;
    if (part === '..' || info === null) throw invalidDockerfile(path, 'there is no such file');
    if (info.isSymbolicLink()) throw invalidDockerfile(path, 'it is reached through a symbolic link');
    if (isLast ? !info.isFile() : !info.isDirectory()) throw invalidDockerfile(path, 'it is no file');
  }
  if (parts.length === 0) throw invalidDockerfile(path, 'it is no file');
}

/**
 * The variables of a build that its Dockerfile names by ARG, and no other: so a file says itself what of them its image may
 * show, and base images that are not its own are handed none unasked. What the installation alone may see is not among
 * them: a Dockerfile has no step that is only an installation.
 */
function argumentsFor(env: BackendEnv, names: ReadonlySet<string>): Record<string, string> {
  const { CI, ...facts } = buildFacts(env);
  const all = { CI, ...buildStepVariables(env), ...facts };
  return Object.fromEntries(
    Object.entries(all).filter((pair): pair is [string, string] => names.has(pair[0]) && pair[1] !== undefined),
  );
}

export const invalidDockerfile = (path: string, reason: string) =>
  new VerenError('DOCKERFILE_INVALID', { path, reason });
