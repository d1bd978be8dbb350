import type { DeploymentView } from '../../contract/api.ts';
import { showDeployment } from '../client/showDeployment.ts';
import type { CommandContext } from '../commandContext.ts';
import { InterruptedError, type Shell, tellUser } from '../shell.ts';

/** Runs what follows a deployment. Ctrl-C ends it, and what goes on without us is said. */
export async function followingOf<T>(
  shell: Shell,
  deploymentId: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return shell.interrupts.during(async (signal) => {
    try {
      const result = await work(signal);
      signal.throwIfAborted();
      return result;
    } catch (error) {
      if (!signal.aborted) throw error;
      tellUser(
        shell,
        `The deployment ${deploymentId} goes on. To cancel it: veren cancel ${deploymentId}`,
        `To follow it again: veren logs -f ${deploymentId}`,
      );
      throw new InterruptedError();
    }
  });
}

/** Shows a deployment to its end: on stderr, live where that is a terminal. `quiet`: a program waits for the result alone. */
export const followDeployment = (
  { shell, client }: CommandContext,
  deploymentId: string,
  { quiet = false }: { readonly quiet?: boolean | undefined } = {},
): Promise<DeploymentView> =>
  followingOf(shell, deploymentId, (signal) => {
    const { stderr } = shell;
    const out = quiet ? { write: () => true } : stderr;
    return showDeployment(
      client,
      { deploymentId },
      { out, isTTY: !quiet && stderr.isTTY, color: stderr.color, signal },
    );
  });

/** A release follows the end of its deployment within a moment. Milliseconds. */
const RELEASED_WITHIN = 15_000;
const LOOK_MS = 250;

/** The deployment once production serves it, or as it is when that is not going to be so. */
export async function awaitRelease(
  { shell, client }: CommandContext,
  ended: DeploymentView,
): Promise<{ readonly record: DeploymentView; readonly pinned: boolean }> {
  let record = ended;
  const until = shell.now() + RELEASED_WITHIN;
  while (record.released === undefined && shell.now() < until) {
    const { pinned, release } = await client.getReleases(record.projectId);
    if (pinned) return { record, pinned: true };
    // A newer deployment was released meanwhile.
    if (release && release.deploymentId > record.deploymentId) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    record = await client.getDeployment(record.deploymentId);
  }
  return { record, pinned: false };
}
