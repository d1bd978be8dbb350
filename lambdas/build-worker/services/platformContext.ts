import type { KafkaEnv } from '../../../contract/kafka-env.ts';
import { gitAllowProtocol } from '../../shared/repo/gitPolicy.ts';
import { type GitHosts, gitPolicy } from '../../shared/repo/policyOfHosts.ts';
import type { PlatformContext } from './distributionHandler/environment.ts';

/** What builds get from the platform on AWS. */
export function platformContext(
  env: {
    readonly AWS_REGION: string;
    readonly BUCKET: string;
    readonly ECR_URI: string;
    readonly GIT_HOSTS: GitHosts;
    readonly FRONTEND_TIMEOUT: number;
    readonly BACKEND_TIMEOUT: number;
    readonly RUN_SERVICES?: boolean;
    readonly BUILDER_ENDPOINT_S3?: string | undefined;
    readonly BUILDER_ENDPOINT_ECR?: string | undefined;
  },
  kafka: KafkaEnv,
): PlatformContext {
  return {
    region: env.AWS_REGION,
    bucket: env.BUCKET,
    ecrUri: env.ECR_URI,
    // The builder's own limit is the longer one; task-watcher holds each target to its own.
    timeoutSeconds: Math.max(env.FRONTEND_TIMEOUT, env.BACKEND_TIMEOUT),
    kafka,
    gitProtocols: gitAllowProtocol(gitPolicy(env.GIT_HOSTS)),
    precompress: false,
    runsServices: env.RUN_SERVICES === true,
    endpoints: {
      ...(env.BUILDER_ENDPOINT_S3 && { AWS_ENDPOINT_URL_S3: env.BUILDER_ENDPOINT_S3 }),
      ...(env.BUILDER_ENDPOINT_ECR && { AWS_ENDPOINT_URL_ECR: env.BUILDER_ENDPOINT_ECR }),
    },
  };
}
