import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { openGitSecrets } from '../../lambdas/shared/gitHosts/gitSecrets.ts';
import { openProjectDocuments } from '../../lambdas/shared/gitHosts/projectDocuments.ts';
import { openProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import { LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import { refLister } from '../../lambdas/shared/repo/listRefs.ts';
import { messageReader } from '../../lambdas/shared/repo/readMessage.ts';
import type { SecretBox } from '../../lambdas/shared/secretBox.ts';
import { changedProjects } from './changedProjects.ts';
import { RepositoryWatch, type WatchDeps } from './watchRepositories.ts';

/** How often it is asked which repositories are due (ms). */
const TICK_MS = 1_500;

/** Watches the repositories of an owner until it is closed. */
export function openWatch(
  ports: Pick<WatchDeps, 'queue' | 'waker' | 'clock' | 'log'> & { readonly s3: S3Calls; readonly secretBox: SecretBox },
  { bucket, owner }: { readonly bucket: string; readonly owner: string },
): { close(): Promise<void> } {
  const { s3, clock, log, secretBox } = ports;
  const documents = openDocuments(s3, bucket);
  const projects = openProjectStore({ s3, bucket, clock });
  const watch = new RepositoryWatch({
    ...{ ...ports, projects },
    documents: openProjectDocuments(documents),
    listProjects: changedProjects({ s3, projects }, { bucket, owner }),
    secrets: openGitSecrets({ documents, box: secretBox }),
    listRefs: refLister(LAPTOP_POLICY),
    readMessage: messageReader(LAPTOP_POLICY),
  });
  let tick: Promise<void> | undefined;
  const timer = setInterval(() => {
    tick ??= watch
      .tick()
      .catch((error) => log.warn('What is watched could not be read, and is read again', { error }))
      .finally(() => {
        tick = undefined;
      });
  }, TICK_MS);
  return {
    async close() {
      clearInterval(timer);
      await tick;
      await watch.close();
    },
  };
}
