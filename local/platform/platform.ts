import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ECSClient } from '@aws-sdk/client-ecs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { VerenError } from '../../contract/errors.ts';
import { DEFAULT_BUCKET, DEFAULT_REGION } from '../../contract/names.ts';
import type { OwnerLimits } from '../../contract/ownerLimits.ts';
import { DASHBOARD_PATH } from '../../dashboard/build.ts';
import { urlSigner } from '../../lambdas/shared/adapters/aws/urlSigner.ts';
import { createLog, type Log } from '../../lambdas/shared/logger.ts';
import type { Limits } from '../../lambdas/shared/ports.ts';
import { publishBuildEvent } from '../../lambdas/shared/publishEvents.ts';
import { secretBox } from '../../lambdas/shared/secretBox.ts';
import { isDiskFull, writeFailure } from '../adapters/memory/journalFile.ts';
import { openAnalysisPool } from '../analysis/openAnalysisPool.ts';
import { createCredentialStore } from '../awsProtocol/credentials.ts';
import { openDashboard, type ServeDashboard } from '../dashboard/serveDashboard.ts';
import { openReference } from '../dashboard/serveReference.ts';
import { createStartCode } from '../dashboard/startCode.ts';
import { LOCK_FILE } from '../dataDirs.ts';
import { startEcsEndpoint } from '../ecs/endpoint.ts';
import { startS3Endpoint } from '../s3/endpoint.ts';
import { LocalServices } from '../services/localServices.ts';
import { startSiteServer } from '../sites/server.ts';
import { startStsEndpoint } from '../sts/endpoint.ts';
import { openWatch } from '../watch/openWatch.ts';
import { ownAddressesOf } from './admission.ts';
import { chooseBuildUsers } from './buildUsers.ts';
import { secureDataFolder } from './dataFolder.ts';
import { endOrphans } from './endOrphans.ts';
import { requireGit } from './git.ts';
import { clearHandovers } from './handovers.ts';
import { healthOf } from './health.ts';
import { startHttp } from './http.ts';
import { builderScriptsVersion, type HostEnv, laptopTaskDefinitions, workFolder } from './images.ts';
import { clearToolchains, clearWork, protectData } from './leftovers.ts';
import { openLaptopPorts } from './ports.ts';
import { quietLog } from './quietLog.ts';
import { laptopImageRemover } from './removeImages.ts';
import { laptopSecretKeys } from './secretKeys.ts';
import { laptopSigning } from './signing.ts';
import { laptopToken } from './token.ts';
import { clearUploads } from './uploads.ts';
import { LAPTOP_IMAGES, wireHandlers } from './wiring.ts';

export interface PlatformOptions {
  /** The data folder: journal, objects, toolchains, token. Made where it is missing. */
  readonly dataDir: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The token to accept; otherwise the one in the data folder. */
  readonly token?: string;
  readonly hostEnv: HostEnv;
  readonly limits?: Limits;
  /** What the owner may use. Default: without limits. */
  readonly ownerLimits?: OwnerLimits | undefined;
  readonly timeoutSeconds?: number;
  readonly log?: Log;
}

export interface Platform {
  readonly url: string;
  /** Opens the dashboard, signed in, once. */
  readonly dashboardUrl: string;
  readonly token: string;
  readonly tokenFile?: string;
  /**
   * Warning for the person who starts it about what a repository could reach, where builds have no users of their own.
   */
  readonly warning: string | undefined;
  /** Folder for temporary files; emptied at every start. */
  readonly temporary: string;
  /** Ends running work; everything on disk stays. */
  close(): Promise<void>;
}

/** Two at once: a laptop has other things to do. */
const LAPTOP_LIMITS: Limits = { global: 2, perOwner: 2, perProject: 1 };
const OWNER = 'laptop';
/** There is one owner, so its limit is that of all. */
const limitBuilds = (limits: Limits, { builds = limits.perOwner }: OwnerLimits = {}): Limits => ({
  ...limits,
  perOwner: Math.min(builds, limits.global),
});
/** Long enough to notice a mistake; with `confirm` a project goes at once. */
const DELETION_GRACE_MS = 3_600_000;
/** Shorter than the minute of EventBridge's schedule, since a sweep costs nothing here. */
const SWEEP_MS = 2_000;
/** Beside the token; `cli/contexts/findTokenFile.ts` reads it. */
const PORT_FILE = 'port';

/**
 * The whole platform in one process: the handlers that are deployed to AWS, on memory adapters, with endpoints for the
 * AWS services. Throws VerenError for what the user can cure: GIT_MISSING, PORT_IN_USE, DATA_FOLDER_*.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { hostEnv, log = createLog(() => undefined) } = options;
  const dataDir = resolve(options.dataDir);
  const clock = { now: Date.now };
  const own = ownAddressesOf(hostEnv);
  const closers: (() => Promise<unknown>)[] = [];
  const closeLater = <T extends { close(): Promise<unknown> }>(engine: T): T => {
    closers.push(() => engine.close());
    return engine;
  };
  const closePlatform = async () => {
    for (const end of closers.splice(0).reverse()) await end();
  };

  try {
    await requireGit();
    await mkdir(dataDir, { recursive: true }).catch((e: Error) => {
      throw new VerenError('DATA_FOLDER_UNUSABLE', { path: dataDir, reason: e.message }, { cause: e });
    });
    const users = chooseBuildUsers(dataDir);
    await secureDataFolder(dataDir, users);
    const onError = (error: unknown) => log.error('An engine of the laptop reported a fault', { error });
    const onRepair = (repair: string) => log.warn('Stored data was repaired', { repair });
    const readSigning = () => laptopSigning(dataDir, clock.now());
    const ports = closeLater(
      await openLaptopPorts({ dataDir, clock, hostEnv, onError, onRepair, signing: readSigning }),
    );
    closers.push(endOrphans(join(dataDir, LOCK_FILE), users));
    // Opened after the ports, which lock the data folder, and closed after them, which let running analyses end.
    const analyses = await openAnalysisPool({ dataDir, hostEnv });
    closers.unshift(() => analyses.close());
    const { token, file } = await laptopToken(dataDir, options.token);
    const secretKeys = await laptopSecretKeys(dataDir);
    const credentials = await createCredentialStore({ dataDir, clock });
    const s3Endpoint = closeLater(await startS3Endpoint({ dataDir, credentials, clock, onError, onRepair }));
    const stsEndpoint = closeLater(await startStsEndpoint({ credentials, clock }));
    const { accessKeyId, secretAccessKey } = credentials.root;
    const sdk = { region: DEFAULT_REGION, credentials: { accessKeyId, secretAccessKey } };
    const s3 = new S3Client({ ...sdk, endpoint: s3Endpoint.url, forcePathStyle: true });
    const sts = new STSClient({ ...sdk, endpoint: stsEndpoint.url });
    await s3.send(new CreateBucketCommand({ Bucket: DEFAULT_BUCKET })).catch((e: Error) => {
      if (e.name !== 'BucketAlreadyOwnedByYou') throw e;
    });
    const box = secretBox(async () => secretKeys);

    // Whatever a repository has brought could answer at a port that is free, and browsers and the command would give it
    // the token: ports are let go of when builds and services have ended.
    let releasePorts: (() => Promise<unknown>) | undefined;
    closers.push(async () => releasePorts?.());

    await clearToolchains(join(dataDir, 'toolchains'));
    const taskDefinitions = await laptopTaskDefinitions(dataDir, hostEnv, users, {}, (build, state) =>
      publishBuildEvent({ bus: ports.bus, clock }, build, { type: 'build.toolchain', state }),
    );
    const stateChanges: unknown[] = [];
    let onChange = (event: unknown): void => void stateChanges.push(event);
    const ecsEndpoint = closeLater(
      await startEcsEndpoint({
        dataDir,
        credentials,
        clock,
        onError,
        taskDefinitions,
        onTaskStateChange: (event) => onChange(event),
      }),
    );
    // Before services start, whose users it would end.
    await clearWork(workFolder(dataDir), users);
    const services = closeLater(await LocalServices.open({ dataDir, s3, users, hostEnv, secretBox: box, clock }));
    const siteOptions = { dataDir, s3, bucket: DEFAULT_BUCKET, sites: ports.sites, services, onError };
    const sites = await startSiteServer(siteOptions);
    releasePorts = () => sites.close();
    closers.push(() => sites.silence());
    await clearHandovers(s3, DEFAULT_BUCKET);
    await clearUploads(s3, DEFAULT_BUCKET, clock);
    const temporary = join(dataDir, 'tmp');
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { mode: 0o700 });
    await protectData(dataDir);
    const ecs = new ECSClient({ ...sdk, endpoint: ecsEndpoint.url });

    let origin = '';
    let isStopping = false;
    const handlers = await wireHandlers({
      ports,
      clock,
      owner: OWNER,
      token,
      secretBox: box,
      services,
      limits: limitBuilds(options.limits ?? LAPTOP_LIMITS, options.ownerLimits),
      ownerLimits: options.ownerLimits,
      timeoutSeconds: options.timeoutSeconds ?? 1_800,
      clients: { s3, sts, ecs, urlSigner: urlSigner({ ...sdk, endpoint: s3Endpoint.url, forcePathStyle: true }) },
      region: DEFAULT_REGION,
      bucket: DEFAULT_BUCKET,
      analyze: analyses.analyze,
      temporary,
      buildersVersion: await builderScriptsVersion(dataDir),
      removeImages: laptopImageRemover(LAPTOP_IMAGES, hostEnv),
      deletionGraceMs: DELETION_GRACE_MS,
      endpoints: { AWS_ENDPOINT_URL_S3: s3Endpoint.url },
      linkOrigin: () => origin,
      siteAddresses: sites.addressesOf,
      health: healthOf({ dataDir, probe: ports.probe }),
      log: quietLog(log, () => isStopping),
    });
    onChange = handlers.watch;
    stateChanges.forEach(handlers.watch);
    const sweep = setInterval(() => handlers.watch({ source: 'veren.schedule' }), SWEEP_MS);
    closers.push(async () => clearInterval(sweep));

    closeLater(openWatch({ ...ports, s3, clock, secretBox: box, log }, { bucket: DEFAULT_BUCKET, owner: OWNER }));
    const startCode = createStartCode(token, clock);
    const { serve, ready } = openDashboard(startCode, onError);
    const serveReference = openReference(onError);
    const serveDashboard: ServeDashboard = (request, response) =>
      serveReference(request, response) || serve(request, response);
    const http = await startHttp({ port: options.port, handlers, notifier: ports.notifier, serveDashboard, own, log });
    releasePorts = () => Promise.all([sites.close(), http.close()]);
    closers.push(async () => http.silence());
    closers.push(() => ready);
    // What repositories have brought runs only where it can take no address of the platform's or of a site; a visitor of
    // a site wakes what is behind it.
    await sites.resume();
    services.resume();
    // For the command, which looks beside the token.
    await writeFile(join(dataDir, PORT_FILE), `${new URL(http.url).port}\n`);
    origin = own.publicUrl?.origin ?? http.url;
    handlers.watch({ source: 'veren.schedule' });
    // The first of all: while the engines end, functions end what they do and begin nothing.
    closers.push(async () => {
      isStopping = true;
      void ports.waker.close();
    });
    return {
      url: http.url,
      dashboardUrl: `${origin}${DASHBOARD_PATH}/${startCode.fragment}`,
      temporary,
      token,
      ...(file && { tokenFile: file }),
      warning: users.warning,
      close: closePlatform,
    };
  } catch (e) {
    await closePlatform();
    throw isDiskFull(e) ? writeFailure(dataDir, e) : e;
  }
}
