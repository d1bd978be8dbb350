import { z } from 'zod';
import { CreateDeploymentSchema } from '../../contract/api.ts';
import type { BuildJob, DeploymentRequest, StoredRequest } from '../../contract/jobs.ts';
import type { SecretBox } from './secretBox.ts';

const FIELD = 'request';
const SecretsSchema = z.object({
  gitToken: CreateDeploymentSchema.shape.gitToken,
  env: z.record(z.string(), z.string()).optional(),
});

/** A request as it is stored and enqueued: git token and variables together are one sealed text. */
export async function sealRequest(
  box: SecretBox,
  deploymentId: string,
  request: DeploymentRequest,
): Promise<StoredRequest> {
  const { gitToken, env, ...open } = request;
  if (gitToken === undefined && env === undefined) return open;
  const secrets = JSON.stringify({ gitToken, env });
  return { ...open, sealed: await box.seal(secrets, { deploymentId, field: FIELD }) };
}

/** The request as it was sent, without what the platform has added to it. One that an earlier version has stored is in clear text. Throws SECRETS_UNREADABLE. */
export async function openRequest(
  box: SecretBox,
  deploymentId: string,
  { sealed, variables: _, ...request }: StoredRequest,
): Promise<DeploymentRequest> {
  return { ...request, ...(await openSecrets(box, deploymentId, sealed)) };
}

/** A build job with its git token and variables in clear text, for use right before they go to the builder. */
export async function openBuildJob(box: SecretBox, { sealed, ...job }: BuildJob): Promise<BuildJob> {
  return { ...job, ...(await openSecrets(box, job.deploymentId, sealed)) };
}

async function openSecrets(box: SecretBox, deploymentId: string, sealed: string | undefined) {
  if (sealed === undefined) return {};
  const { gitToken, env } = SecretsSchema.parse(JSON.parse(await box.open(sealed, { deploymentId, field: FIELD })));
  return { ...(gitToken !== undefined && { gitToken }), ...(env && { env }) };
}
