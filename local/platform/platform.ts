import { mkdir } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { ECSClient } from '@aws-sdk/client-ecs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { VerenError } from '../../contract/errors.ts';
import { DEFAULT_BUCKET, DEFAULT_REGION } from '../../contract/names.ts';
import { urlSigner } from '../../lambdas/build-worker/services/handover.ts';
import type { Limits } from '../../lambdas/shared/ports.ts';
import { createCredentialStore } from '../awsProtocol/credentials.ts';
import { startEcsEndpoint } from '../ecs/endpoint.ts';
import { startS3Endpoint } from '../s3/endpoint.ts';
import { startSiteServer } from '../sites/server.ts';
import { startStsEndpoint } from '../sts/endpoint.ts';
import { requireGit } from './git.ts';
import { clearHandovers } from './handovers.ts';
import { startHttp } from './http.ts';
import { clearWork, type HostEnv, laptopTaskDefinitions } from './images.ts';
import { openLaptopPorts } from './ports.ts';
import { laptopSigning } from './signing.ts';
import { laptopToken } from './token.ts';
import { wireHandlers } from './wiring.ts';

export interface PlatformOptions {
  /** Everything that is kept: journal, objects, toolchains, token. Made where it is missing. */
  readonly dataDir: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The token to accept; otherwise the one in the data folder. */
  readonly token?: string;
  readonly hostEnv: HostEnv;
  readonly limits?: Limits;
  readonly timeoutSeconds?: number;
  readonly log?: (message: string, details?: unknown) => void;
}

export interface Platform {
  readonly url: string;
  readonly token: string;
  readonly tokenFile?: string;
  /** Ends what runs, keeps what is on disk. */
  close(): Promise<void>;
}

/** Two at once: a laptop has other things to do. */
const LAPTOP_LIMITS: Limits = { global: 2, perOwner: 2, perProject: 1 };
const OWNER = 'laptop';
/** The minute of EventBridge's schedule is for a cloud; here a sweep costs nothing. */
const SWEEP_MS = 2_000;

/**
 * The whole platform in one process: the handlers that are deployed to AWS, on memory adapters, with endpoints for the
 * AWS services. Throws VerenError for what the user can cure: GIT_MISSING, PORT_IN_USE, DATA_FOLDER_*.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { hostEnv, log = () => undefined } = options;
  const dataDir = resolve(options.dataDir);
  const clock = { now: Date.now };
  const closers: (() => Promise<unknown>)[] = [];
  const opened = <T extends { close(): Promise<unknown> }>(engine: T): T => {
    closers.push(() => engine.close());
    return engine;
  };
  const close = async () => {
    for (const end of closers.splice(0).reverse()) await end();
  };

  try {
    await requireGit();
    await mkdir(dataDir, { recursive: true }).catch((e: Error) => {
      throw new VerenError('DATA_FOLDER_UNUSABLE', { path: dataDir, reason: e.message }, { cause: e });
    });
    const onError = (e: unknown) => log('an engine reported a fault', e);
    const signing = await laptopSigning(dataDir, clock.now());
    const ports = opened(await openLaptopPorts({ dataDir, clock, hostEnv, onError, signing }));
    const { token, file } = await laptopToken(dataDir, options.token);
    const credentials = await createCredentialStore({ dataDir, clock });
    const s3Endpoint = opened(await startS3Endpoint({ dataDir, credentials, clock, onError }));
    const stsEndpoint = opened(await startStsEndpoint({ credentials, clock }));
    const { accessKeyId, secretAccessKey } = credentials.root;
    const sdk = { region: DEFAULT_REGION, credentials: { accessKeyId, secretAccessKey } };
    const s3 = new S3Client({ ...sdk, endpoint: s3Endpoint.url, forcePathStyle: true });
    const sts = new STSClient({ ...sdk, endpoint: stsEndpoint.url });
    await s3.send(new CreateBucketCommand({ Bucket: DEFAULT_BUCKET })).catch((e: Error) => {
      if (e.name !== 'BucketAlreadyOwnedByYou') throw e;
    });
    const sites = opened(await startSiteServer({ dataDir, s3, bucket: DEFAULT_BUCKET }));

    const taskDefinitions = await laptopTaskDefinitions(dataDir, hostEnv);
    const stateChanges: unknown[] = [];
    let onChange = (event: unknown): void => void stateChanges.push(event);
    const ecsEndpoint = opened(
      await startEcsEndpoint({
        dataDir,
        credentials,
        clock,
        taskDefinitions,
        onTaskStateChange: (event) => onChange(event),
      }),
    );
    await Promise.all([clearWork(dataDir), clearHandovers(s3, DEFAULT_BUCKET)]);
    const ecs = new ECSClient({ ...sdk, endpoint: ecsEndpoint.url });

    const handlers = await wireHandlers({
      ports,
      clock,
      owner: OWNER,
      token,
      limits: options.limits ?? LAPTOP_LIMITS,
      timeoutSeconds: options.timeoutSeconds ?? 1_800,
      clients: { s3, sts, ecs, urlSigner: urlSigner({ ...sdk, endpoint: s3Endpoint.url, forcePathStyle: true }) },
      signing,
      region: DEFAULT_REGION,
      bucket: DEFAULT_BUCKET,
      endpoints: { AWS_ENDPOINT_URL_S3: s3Endpoint.url },
      siteUrl: (projectId) => sites.urlFor(projectId),
      log,
    });
    onChange = handlers.watch;
    stateChanges.forEach(handlers.watch);
    const sweep = setInterval(() => handlers.watch({ source: 'veren.schedule' }), SWEEP_MS);
    closers.push(async () => clearInterval(sweep));

    const http = opened(await startHttp({ port: options.port, handlers, notifier: ports.notifier, log }));
    handlers.watch({ source: 'veren.schedule' });
    return { url: http.url, token, ...(file && { tokenFile: relative('', file) }), close };
  } catch (e) {
    await close();
    throw e;
  }
}
