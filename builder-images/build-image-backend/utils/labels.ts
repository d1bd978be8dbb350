import type { BackendEnv } from '../../../contract/builder-env.ts';

/**
 * Where an image comes from. The first two are the OCI image specification's. The same pairs are annotations of a pushed
 * image's manifest: there they can be read back without a right to read layers.
 */
export const imageLabels = (
  env: Pick<BackendEnv, 'GIT_REPOSITORY__URL' | 'GIT_COMMIT' | 'PROJECT_ID' | 'DEPLOYMENTID'>,
): Record<string, string> => ({
  'org.opencontainers.image.source': env.GIT_REPOSITORY__URL,
  'org.opencontainers.image.revision': env.GIT_COMMIT,
  'dev.veren.project': env.PROJECT_ID,
  'dev.veren.deployment': env.DEPLOYMENTID,
});

/** An image with these labels was made by an attempt of the same deployment. */
export const isSameDeployment = (found: Readonly<Record<string, string>>, own: Readonly<Record<string, string>>) =>
  ['org.opencontainers.image.revision', 'dev.veren.project', 'dev.veren.deployment'].every(
    (name) => found[name] !== undefined && found[name] === own[name],
  );
