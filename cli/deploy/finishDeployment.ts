import type { Accepted } from '../../contract/api.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { addressOf } from '../output/addresses.ts';
import { printJson, printResult, tellUser } from '../shell.ts';
import { awaitRelease, followDeployment } from './followDeployment.ts';

export interface FinishOptions {
  readonly json?: boolean;
  /** False: do not wait for the end. */
  readonly wait: boolean;
}

/** Where it can be looked at from the first moment on: in the dashboard, which a laptop has at the API's own address. */
const pageOf = ({ chosen }: CommandContext, { deploymentId, links }: Accepted): string =>
  chosen.isLaptop ? `${chosen.url.replace(/\/$/, '')}/dashboard/deployments/${deploymentId}` : links.self;

/** From the answer to the result: who waits sees the deployment to its end, and a script gets its address alone. */
export async function finishDeployment(
  context: CommandContext,
  accepted: Accepted,
  { json, wait }: FinishOptions,
): Promise<ExitCode> {
  const { shell, client, style } = context;
  const { deploymentId, projectId } = accepted;
  if (!json)
    tellUser(shell, style.safe(`Deployment ${deploymentId} of ${projectId}`), style.safe(pageOf(context, accepted)));
  if (!wait) {
    if (json) printJson(shell, accepted);
    else printResult(shell, style.safe(deploymentId));
    tellUser(shell, style.safe(`To follow it: veren logs -f ${deploymentId}`));
    return EXIT.ok;
  }
  const ended = await followDeployment(context, deploymentId, { quiet: json });
  if (ended.status !== 'succeeded') {
    if (json) printJson(shell, await client.getDeployment(deploymentId));
    return EXIT.failedBuild;
  }
  const isForProduction = ended.environment === 'production';
  const { record, pinned } = isForProduction ? await awaitRelease(context, ended) : { record: ended, pinned: false };
  if (isForProduction && record.released === undefined)
    tellUser(
      shell,
      style.safe(
        pinned
          ? `Not released: ${projectId} is pinned. To release it all the same: veren promote ${deploymentId}`
          : `Not released: production serves another deployment. To release it: veren promote ${deploymentId}`,
      ),
    );
  if (json) printJson(shell, record);
  else {
    const address = addressOf(record, { production: record.released !== undefined });
    // The last that is said, where both streams are read as one.
    if (address) printResult(shell, style.safe(address));
  }
  return EXIT.ok;
}
