import { CfnOutput, Duration, Lazy, Size } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FunctionUrlAuthType, InvokeMode } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { FunctionEnvSchemas, type FunctionName, type FunctionVariables } from '../../contract/function-env.ts';
import { HANDOVER_PREFIX, TOPICS } from '../../contract/names.ts';
import type { LimitsOfOwners } from '../../contract/ownerLimits.ts';
import { acknowledgeFindings, acknowledgeWildcards } from '../constructs/acknowledge.ts';
import { Addresses } from '../constructs/addresses.ts';
import { BuildRole } from '../constructs/build-role.ts';
import type { DashboardBuild } from '../constructs/dashboard/dashboard-files.ts';
import { DashboardHosting } from '../constructs/dashboard/dashboard-hosting.ts';
import { FollowEndpoint, STREAM_LIMIT } from '../constructs/follow-endpoint.ts';
import {
  grantBucket,
  grantBuilderLogin,
  grantDataKey,
  grantDescribeImages,
  grantFindTask,
  grantNamedTokens,
  grantRedis,
  grantRemoval,
  grantRemoveImages,
  grantSigning,
  grantStopTask,
  grantTokens,
} from '../constructs/grants.ts';
import { HttpEndpoint } from '../constructs/http-endpoint.ts';
import { grantMails, mailTopicsArn } from '../constructs/mail-topics.ts';
import type { Network } from '../constructs/network.ts';
import { ProjectorSource } from '../constructs/projector-source.ts';
import { PushEndpoint } from '../constructs/push-endpoint.ts';
import { ServiceRuntime } from '../constructs/services/service-runtime.ts';
import { grantSites } from '../constructs/sites/site-table.ts';
import { grantDomains, grantTenantList } from '../constructs/sites/tenants.ts';
import { type FunctionNetwork, VerenFunction, type VerenFunctionProps } from '../constructs/veren-function.ts';
import type { BuildersStack } from './builders-stack.ts';
import type { DataStack } from './data-stack.ts';
import { VerenStack, type VerenStackProps } from './veren-stack.ts';

/** Where objects of a project are. */
const REMOVED_WITH_PROJECTS = [
  ...['__outputs/*', '__deployments/*', '__cache/*', '__variables/*', '__builds/*', '__handover/*', '__git/*'],
  ...['__uploads/*', '__costs/*'],
  ...['__records/*', '__logs/*', '__owners/*/projects/*', '__deletions/*'],
];
/** Keys of the publication decisions of all builds (`s3Keys.verdict`); a test compares the two. */
export const VERDICTS = '__deployments/*/verdict-*.json';
/** GitHub Apps of owners (`s3Keys.githubApp`). */
export const GITHUB_APPS = '__owners/*/github-app.json';
/** Keys of the manifests of all sites (`s3Keys.deploymentManifest`). */
const MANIFESTS = '__deployments/*/manifest.json';

/** Keys of what projects have uploaded (`s3Keys.uploadManifest`, `uploadPack`). */
const UPLOAD_MANIFESTS = '__uploads/*/manifests/*.json';
const UPLOAD_PACKS = '__uploads/*/packs/*.pack';

/** Environment of the functions that wake others. */
interface Wakeable {
  readonly CLONE_WORKER_ARN: string;
  readonly BUILD_WORKER_ARN: string;
  readonly RELEASER_ARN: string;
  readonly GIT_WORKER_ARN: string;
}

export interface PipelineStackProps extends VerenStackProps {
  readonly network: Network;
  readonly data: DataStack;
  readonly builders: BuildersStack;
  readonly dashboard: DashboardBuild;
}

/** The functions, how they are reached, and what each may do. */
export class PipelineStack extends VerenStack {
  readonly functions: Readonly<
    Record<Exclude<FunctionName, 'kafka-topics' | 'site-fallback' | 'dashboard-files'>, VerenFunction>
  >;
  readonly http: HttpEndpoint;
  readonly push: PushEndpoint;
  readonly source: ProjectorSource;
  /** Asynchronous invokes (wakes, events) that failed for good. */
  readonly undelivered: Queue;
  /** Without a reference to the queue. */
  readonly undeliveredQueueName: string;
  private readonly network: FunctionNetwork;
  private readonly data: DataStack;
  private readonly userImages: IRepository;
  private readonly addresses: Addresses;
  private readonly services: ServiceRuntime | undefined;

  constructor(scope: Construct, id: string, { network, data, builders, dashboard, ...props }: PipelineStackProps) {
    super(scope, id, { description: 'Veren: functions, APIs, events', ...props });
    this.data = data;
    // References that may change do not set the order of deployment, so it is set here.
    this.addStackDependency(data);
    this.addStackDependency(builders);
    this.userImages = data.repositories.userImages(this);
    this.network = { vpc: network.vpc, subnets: network.privateSubnets, securityGroup: network.functions };
    this.undeliveredQueueName = `veren-${this.settings.stage}-undelivered`;
    this.undelivered = this.makeUndelivered();
    this.addresses = new Addresses(this.config.api);
    this.push = new PushEndpoint(this, 'Push', { settings: this.settings, addresses: this.addresses });

    if (this.config.services.enabled)
      this.services = new ServiceRuntime(this, 'Services', {
        ...{ settings: this.settings, userImages: this.userImages, network },
        balancer: data.balancer,
      });

    const buildWorker = this.makeBuildWorker(network, builders);
    const cloneWorker = this.makeCloneWorker(buildWorker, builders);
    const releaser = this.makeReleaser();
    const gitWorker = this.makeGitWorker(cloneWorker, buildWorker);
    const wakeable = {
      CLONE_WORKER_ARN: cloneWorker.fn.functionArn,
      BUILD_WORKER_ARN: buildWorker.fn.functionArn,
      RELEASER_ARN: releaser.fn.functionArn,
      GIT_WORKER_ARN: gitWorker.fn.functionArn,
    };
    const logStreamer = this.makeLogStreamer();
    const analyzer = this.makeAnalyzer();
    const projector = this.makeProjector(wakeable);
    const watcher = this.makeWatcher(wakeable, network, builders);
    const websocket = this.makeWebSocket();
    const logStreamUrl = this.exposeLogStream(logStreamer);
    const api = this.makeApi(wakeable, logStreamUrl);
    for (const fn of [api, projector, watcher]) {
      cloneWorker.grantRing(fn.role);
      buildWorker.grantRing(fn.role);
      releaser.grantRing(fn.role);
      gitWorker.grantRing(fn.role);
    }
    for (const fn of [cloneWorker, gitWorker]) buildWorker.grantRing(fn.role);
    cloneWorker.grantRing(gitWorker.role);
    gitWorker.grantRing(releaser.role);
    for (const fn of [cloneWorker, buildWorker, releaser, gitWorker]) fn.grantRingItself();
    for (const fn of [api, projector, watcher, gitWorker]) grantStopTask(fn.role, builders.clusters);
    for (const fn of [api, cloneWorker, buildWorker, watcher, gitWorker]) grantSigning(fn.role, data.signing);
    grantSigning(projector.role, data.signing, { verify: true });
    for (const fn of [buildWorker, watcher]) grantFindTask(fn.role, builders.clusters);
    for (const fn of [cloneWorker, buildWorker, releaser, watcher, gitWorker]) this.keepFailedInvokes(fn);
    this.functions = {
      api,
      'clone-worker': cloneWorker,
      'build-worker': buildWorker,
      'repo-analyzer': analyzer,
      'event-projector': projector,
      'task-watcher': watcher,
      releaser,
      'git-worker': gitWorker,
      'log-streamer': logStreamer,
      websocket,
    };

    this.http = new HttpEndpoint(this, 'Http', {
      settings: this.settings,
      throttle: this.config.api,
      addresses: this.addresses,
      api,
      analyzer,
    });
    this.push.serveBy(websocket);
    this.source = new ProjectorSource(this, 'ProjectorSource', {
      settings: this.settings,
      projector: this.config.projector,
      kafka: data.kafka,
      fn: projector,
      network: this.network,
    });
    this.watchTasks(watcher, builders);

    new CfnOutput(this, 'ApiUrl', { value: this.http.url });
    new CfnOutput(this, 'WebSocketUrl', { value: this.push.url });
    new CfnOutput(this, 'LogStreamUrl', { value: logStreamUrl });
    this.showDashboard(dashboard, logStreamUrl);
  }

  /** Where there is CloudFront, which makes one host name of the files and the three APIs. */
  private showDashboard(build: DashboardBuild, logStreamUrl: string): void {
    const { dashboard, sites } = this.config;
    if (!dashboard.enabled || sites.kind !== 'cloudfront') return;
    const { url } = new DashboardHosting(this, 'Dashboard', {
      ...{ settings: this.settings, dashboard, build, logStreamUrl },
      ...{ api: this.http.api, apiUrl: this.http.url, webSocketUrl: this.push.url },
      accessLogs: sites.accessLogs ? (this.data.storage.accessLogs as IBucket) : undefined,
    });
    new CfnOutput(this, 'DashboardUrl', { value: `${url}/dashboard/` });
  }

  private makeApi(wakeable: Wakeable, logStreamUrl: string): VerenFunction {
    const { data } = this;
    const api = this.make('api', {
      description: 'HTTP API: deployments',
      // API Gateway waits 30 seconds at most.
      timeout: Duration.seconds(29),
      memoryMiB: 512,
      environment: {
        ...this.kafka(),
        ...this.signing(),
        ...wakeable,
        BUCKET: data.storage.bucketName,
        MAIL_TOPICS_ARN: mailTopicsArn(this, this.settings),
        TOKENS_SECRET_ARN: data.tokens.secretArn,
        DATA_KEY_SECRET_ARN: data.dataKey.secretArn,
        SITE_URL_TEMPLATE: data.siteUrlTemplate,
        LOG_STREAM_URL: logStreamUrl,
        OWNER_LIMITS: JSON.stringify(this.ownerLimits()),
        SUPERSEDE: this.config.limits.supersede,
        GIT_HOSTS: this.config.gitHosts,
        GIT_API_HOSTS: this.config.gitApiHosts.join(','),
      },
    });
    data.kafka.grantWrite(api.role, [TOPICS.events]);
    grantTokens(api.role, data.tokens);
    grantDataKey(api.role, data.dataKey);
    grantMails(api, this.settings, ['ask', 'remove']);
    if (data.sites?.tenants) {
      grantDomains(api, data.sites.tenants);
      grantSites(api, data.sites.table);
      const { sites } = this.config;
      if (sites.kind === 'cloudfront' && sites.domain) api.fn.addEnvironment('SITE_DOMAIN', sites.domain.name);
    }
    // To cancel a build, the publication decision is written before the builder does it
    // (docs/decisions/control-cancel-fence.md).
    const documents = [
      ...['__projects/*', '__owners/*', '__audit/*', '__variables/*', '__deletions/*', '__domains/*', '__git/*'],
    ];
    // The addresses that it signs for files of uploads have its rights.
    const uploaded = ['__uploads/*/files/*', UPLOAD_MANIFESTS];
    grantBucket(api.role, data.storage, {
      // The promotion is what an earlier version shows as a project's site.
      read: [
        '__records/*',
        '__logs/*',
        VERDICTS,
        MANIFESTS,
        '__deployments/*/promotion.json',
        UPLOAD_MANIFESTS,
        '__costs/*',
        ...documents,
      ],
      write: [VERDICTS, ...uploaded, ...documents],
    });
    grantRemoval(api.role, data.storage, '__cache/*');
    if (this.services) {
      this.services.grantReports(api);
      api.fn.addEnvironment('STAGE', this.config.stage);
    }
    return api;
  }

  private makeCloneWorker(buildWorker: VerenFunction, builders: BuildersStack): VerenFunction {
    const cloneWorker = this.make('clone-worker', {
      description: 'Reads repositories and plans what to build',
      git: true,
      timeout: Duration.minutes(15),
      memoryMiB: 1_024,
      ephemeralStorage: Size.gibibytes(2),
      environment: {
        ...this.kafka(),
        ...this.signing(),
        BUILD_WORKER_ARN: buildWorker.fn.functionArn,
        DATA_KEY_SECRET_ARN: this.data.dataKey.secretArn,
        BUCKET: this.data.storage.bucketName,
        BUILDERS_VERSION: builders.imagesVersion(),
        GIT_HOSTS: this.config.gitHosts,
      },
    });
    this.data.kafka.grantWrite(cloneWorker.role, [TOPICS.events]);
    grantBucket(cloneWorker.role, this.data.storage, {
      read: ['__projects/*', '__builds/*', '__uploads/*', GITHUB_APPS],
      write: ['__projects/*', UPLOAD_PACKS],
    });
    grantDataKey(cloneWorker.role, this.data.dataKey);
    return cloneWorker;
  }

  private makeBuildWorker(network: Network, builders: BuildersStack): VerenFunction {
    const { data, config } = this;
    const bucket = data.storage;
    const { userImages } = this;
    const environment: Omit<FunctionVariables<'build-worker'>, 'REDIS_URL'> = {
      ...this.kafka(),
      ...this.signing(),
      ...(data.kafka.builderSecret && { KAFKA_BUILDER_SECRET_ARN: data.kafka.builderSecret.secretArn }),
      ...this.timeouts(),
      ...builders.builderVariables(),
      BUCKET: bucket.bucketName,
      DATA_KEY_SECRET_ARN: data.dataKey.secretArn,
      GIT_HOSTS: config.gitHosts,
      BUCKET_ARN: bucket.bucketArn,
      ECR_URI: userImages.repositoryUri,
      USER_IMAGES_ARN: userImages.repositoryArn,
      BUILD_ROLE_ARN: this.formatArn({
        service: 'iam',
        region: '',
        resource: 'role',
        resourceName: BuildRole.roleName(this.settings),
      }),
      ...(data.kafka.clusterArn && { KAFKA_CLUSTER_ARN: data.kafka.clusterArn }),
      BUILDER_SUBNETS: network.vpc.selectSubnets(network.builderSubnets).subnetIds.join(','),
      BUILDER_SECURITY_GROUPS: network.builderGroups.map((g) => g.securityGroupId).join(','),
      ...(network.buildersHavePublicIp && { BUILDER_PUBLIC_IP: 'true' }),
      ...this.runServices(),
      BUILDER_SPOT: config.builders.spot ? 'true' : 'false',
      LIMIT_GLOBAL: String(config.limits.global),
      LIMIT_PER_OWNER: String(config.limits.perOwner),
      LIMIT_PER_PROJECT: String(config.limits.perProject),
      LIMIT_OWNERS: JSON.stringify(
        Object.fromEntries(
          Object.entries(config.limits.owners).flatMap(([owner, { builds }]) => (builds ? [[owner, builds]] : [])),
        ),
      ),
    };
    const buildWorker = this.make('build-worker', {
      description: 'Starts builds: credentials, RunTask',
      // A promotion copies up to 50,000 objects, and one that is cut off begins anew.
      timeout: Duration.minutes(15),
      memoryMiB: 1_024,
      environment,
    });
    data.kafka.grantWrite(buildWorker.role, [TOPICS.events]);
    grantDataKey(buildWorker.role, data.dataKey);
    for (const task of builders.tasks) task.grantRun(buildWorker.role);
    grantStopTask(buildWorker.role, builders.clusters);
    if (data.kafka.builderSecret) grantBuilderLogin(buildWorker.role, data.kafka.builderSecret);
    // The URLs that it signs have its rights: to read a hand-over, to claim it, to remove it, to read an upload.
    const handovers = [`${HANDOVER_PREFIX}*`];
    grantBucket(buildWorker.role, bucket, {
      // Of a project its budget, and what it has cost.
      read: [...handovers, '__variables/*', UPLOAD_PACKS, GITHUB_APPS, '__projects/*', '__costs/*'],
      write: handovers,
      remove: handovers,
    });
    new BuildRole(this, 'Build', {
      settings: this.settings,
      assumedBy: buildWorker.role,
      bucket,
      userImages,
      kafka: data.kafka,
    });
    return buildWorker;
  }

  /** Outside the VPC: it needs git hosts and the tokens only, and untrusted input should be far from Redis and Kafka. */
  private makeAnalyzer(): VerenFunction {
    const analyzer = this.make(
      'repo-analyzer',
      {
        description: 'POST /analyze: the plan, nothing deployed',
        git: true,
        timeout: Duration.seconds(29),
        memoryMiB: 1_024,
        ephemeralStorage: Size.gibibytes(1),
        environment: {
          BUCKET: this.data.storage.bucketName,
          TOKENS_SECRET_ARN: this.data.tokens.secretArn,
          GIT_HOSTS: this.config.gitHosts,
        },
      },
      { inVpc: false },
    );
    grantTokens(analyzer.role, this.data.tokens);
    grantNamedTokens(analyzer.role, this.data.storage);
    return analyzer;
  }

  private makeProjector(wakeable: Wakeable): VerenFunction {
    const projector = this.make('event-projector', {
      description: 'Folds events into records, appends log lines, notifies, archives',
      timeout: Duration.minutes(2),
      memoryMiB: 512,
      environment: {
        ...wakeable,
        ...this.signing(),
        BUCKET: this.data.storage.bucketName,
        ECR_URI: this.userImages.repositoryUri,
        WEBSOCKET_CALLBACK_URL: this.push.callbackUrl,
        STAGE: this.config.stage,
        // Partial answers of a batch exist with provisioned pollers only.
        REDELIVERY: this.config.projector.pollers ? 'messages' : 'batch',
        ...this.runServices(),
      },
    });
    grantBucket(projector.role, this.data.storage, {
      // Whether a project is connected with its git host; where whole batches come again, how often a message has failed.
      read: [
        ...['__records/*', '__logs/*', '__builds/*', '__projects/*', '__costs/*'],
        ...(this.config.projector.pollers ? [] : ['__parked/*']),
      ],
      write: ['__records/*', '__logs/*', '__builds/*', '__parked/*', '__costs/*'],
    });
    this.push.grantPush(projector.role);
    return projector;
  }

  private makeWatcher(wakeable: Wakeable, network: Network, builders: BuildersStack): VerenFunction {
    const watcher = this.make('task-watcher', {
      description: 'Makes sure that nothing stays "building" for ever',
      timeout: Duration.seconds(55),
      memoryMiB: 512,
      environment: {
        ...this.kafka(),
        ...this.signing(),
        ...this.timeouts(),
        ...wakeable,
        BUCKET: this.data.storage.bucketName,
        MAIL_TOPICS_ARN: mailTopicsArn(this, this.settings),
        BUILDER_CLUSTERS: builders.clusters.map((c) => c.clusterName).join(','),
        ...(network.buildersHavePublicIp && { BUILDER_PUBLIC_IP: 'true' }),
        ECR_URI: this.userImages.repositoryUri,
        STAGE: this.config.stage,
      },
    });
    this.data.kafka.grantWrite(watcher.role, [TOPICS.events]);
    grantSites(watcher, this.data.sites?.table);
    if (this.data.sites?.tenants) {
      grantDomains(watcher, this.data.sites.tenants);
      grantTenantList(watcher);
    }
    // It removes deleted projects and expired deployments.
    grantBucket(watcher.role, this.data.storage, {
      read: [
        ...['__deployments/*', '__projects/*', '__records/*', '__routes/*', '__domains/*'],
        ...['__sweeps/*', '__variables/*/current.json'],
      ],
      write: [
        '__projects/*',
        '__owners/*/projects/*',
        '__deletions/*',
        '__audit/*',
        '__routes/*',
        '__domains/*',
        '__sweeps/*',
        '__deployments/*/references.json',
      ],
      remove: REMOVED_WITH_PROJECTS,
    });
    grantDescribeImages(watcher.role, this.userImages);
    grantRemoveImages(watcher.role, this.userImages);
    this.services?.grantRun(watcher);
    grantMails(watcher, this.settings, ['remove']);
    return watcher;
  }

  private makeReleaser(): VerenFunction {
    const releaser = this.make('releaser', {
      description: 'Gives deployments their addresses, switches production',
      // A copy of a large site has up to 50,000 objects, and one that is cut off begins anew.
      timeout: Duration.minutes(15),
      memoryMiB: 1_024,
      environment: {
        BUCKET: this.data.storage.bucketName,
        WEBSOCKET_CALLBACK_URL: this.push.callbackUrl,
        // It tells the outside of releases, and is made later.
        GIT_WORKER_ARN: Lazy.string({ produce: () => this.functions['git-worker'].fn.functionArn }),
      },
    });
    const files = ['__deployments/*', '__outputs/*'];
    const documents = ['__projects/*', '__owners/*/projects/*', '__routes/*'];
    grantSites(releaser, this.data.sites?.table);
    grantBucket(releaser.role, this.data.storage, {
      read: [...files, ...documents, '__domains/*'],
      write: [...files, ...documents, '__audit/*'],
      remove: ['__outputs/*'],
    });
    this.push.grantPush(releaser.role);
    if (this.services) this.letRunServices(releaser, this.services);
    return releaser;
  }

  /** It starts backends with the project's variables, and tells Kafka what came of it. */
  private letRunServices(releaser: VerenFunction, services: ServiceRuntime): void {
    services.grantRun(releaser);
    const { data } = this;
    const environment = {
      ...this.kafka(),
      ...this.signing(),
      DATA_KEY_SECRET_ARN: data.dataKey.secretArn,
      STAGE: this.config.stage,
    };
    for (const [name, value] of Object.entries(environment)) releaser.fn.addEnvironment(name, value);
    data.kafka.grantWrite(releaser.role, [TOPICS.events]);
    grantSigning(releaser.role, data.signing);
    grantDataKey(releaser.role, data.dataKey);
    const variables = [data.storage.arnForObjects('__variables/*')];
    releaser.role.addToPolicy(
      new PolicyStatement({ sid: 'ReadVariables', actions: ['s3:GetObject'], resources: variables }),
    );
    acknowledgeWildcards(releaser.role, variables, 'Keys hold ids of projects; the right ends at variables.');
  }

  /** It makes deployments as the API does, for what git hosts tell. */
  private makeGitWorker(cloneWorker: VerenFunction, buildWorker: VerenFunction): VerenFunction {
    const { data } = this;
    const gitWorker = this.make('git-worker', {
      description: 'Follows what git hosts tell; tells them, and other addresses, how deployments stand',
      git: true,
      timeout: Duration.minutes(15),
      memoryMiB: 1_024,
      environment: {
        ...this.kafka(),
        ...this.signing(),
        CLONE_WORKER_ARN: cloneWorker.fn.functionArn,
        BUILD_WORKER_ARN: buildWorker.fn.functionArn,
        BUCKET: data.storage.bucketName,
        DATA_KEY_SECRET_ARN: data.dataKey.secretArn,
        MAIL_TOPICS_ARN: mailTopicsArn(this, this.settings),
        GIT_HOSTS: this.config.gitHosts,
        GIT_API_HOSTS: this.config.gitApiHosts.join(','),
        SITE_URL_TEMPLATE: data.siteUrlTemplate,
        OWNER_LIMITS: JSON.stringify(this.ownerLimits()),
        SUPERSEDE: this.config.limits.supersede,
      },
    });
    data.kafka.grantWrite(gitWorker.role, [TOPICS.events]);
    grantDataKey(gitWorker.role, data.dataKey);
    grantMails(gitWorker, this.settings, ['send']);
    const documents = ['__projects/*', '__owners/*/storage.json', '__git/*'];
    grantBucket(gitWorker.role, data.storage, {
      // Of an owner neither members nor hashes of tokens, and of variables the newest version alone.
      read: [VERDICTS, '__deployments/*/promotion.json', '__variables/*/current.json', GITHUB_APPS, ...documents],
      write: [VERDICTS, ...documents, '__owners/*/projects/*', '__deletions/*'],
    });
    return gitWorker;
  }

  private makeLogStreamer(): VerenFunction {
    const streamer = this.make('log-streamer', {
      description: 'Follows a log: server-sent events',
      timeout: STREAM_LIMIT,
      memoryMiB: 256,
      environment: {
        BUCKET: this.data.storage.bucketName,
        TOKENS_SECRET_ARN: this.data.tokens.secretArn,
      },
    });
    grantTokens(streamer.role, this.data.tokens);
    grantBucket(streamer.role, this.data.storage, { read: ['__records/*', '__logs/*'] });
    grantNamedTokens(streamer.role, this.data.storage);
    return streamer;
  }

  private makeWebSocket(): VerenFunction {
    const websocket = this.make('websocket', {
      description: 'Connects and subscribes WebSocket clients',
      timeout: Duration.seconds(29),
      memoryMiB: 256,
      environment: {
        BUCKET: this.data.storage.bucketName,
        TOKENS_SECRET_ARN: this.data.tokens.secretArn,
        WEBSOCKET_CALLBACK_URL: this.push.callbackUrl,
      },
    });
    grantTokens(websocket.role, this.data.tokens);
    grantNamedTokens(websocket.role, this.data.storage);
    this.push.grantPush(websocket.role);
    return websocket;
  }

  /** A streaming REST API; emulators know function URLs only. */
  private exposeLogStream(streamer: VerenFunction): string {
    if (this.settings.stage !== 'local')
      return new FollowEndpoint(this, 'Follow', {
        settings: this.settings,
        throttle: this.config.api,
        streamer,
      }).url;
    const url = streamer.fn.addFunctionUrl({
      authType: FunctionUrlAuthType.NONE,
      invokeMode: InvokeMode.RESPONSE_STREAM,
    });
    return this.addresses.functionUrl(url.url);
  }

  /** The watcher gets ECS's events about stopped tasks, and runs once a minute for those that were lost. */
  private watchTasks(watcher: VerenFunction, builders: BuildersStack): void {
    const watcherTarget = () =>
      new LambdaFunction(watcher.fn, {
        deadLetterQueue: this.undelivered,
        retryAttempts: 4,
        maxEventAge: Duration.hours(1),
      });
    new Rule(this, 'TaskStopped', {
      description: 'A builder task has stopped',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: { clusterArn: builders.clusters.map((c) => c.clusterArn), lastStatus: ['STOPPED'] },
      },
      targets: [watcherTarget()],
    });
    new Rule(this, 'Sweep', {
      description: 'Once a minute: timeouts, lost events, waiting jobs',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [watcherTarget()],
    });
  }

  /**
   * An asynchronous invocation always succeeds for its caller; only this queue gets the failures of the function. The
   * next sweep repairs them, so an invocation is dropped after an hour.
   */
  private keepFailedInvokes({ fn }: VerenFunction): void {
    fn.configureAsyncInvoke({
      onFailure: new SqsDestination(this.undelivered),
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
    });
  }

  private makeUndelivered(): Queue {
    const queue = new Queue(this, 'Undelivered', {
      queueName: this.undeliveredQueueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acknowledgeFindings(queue, { 'AwsSolutions-SQS3': 'This queue is itself the dead-letter queue.' });
    return queue;
  }

  /** One function; those that use Redis get its address and their login. */
  private make<N extends keyof PipelineStack['functions']>(
    name: N,
    props: Omit<VerenFunctionProps, 'name' | 'settings' | 'environment' | 'network'> & {
      readonly environment: Omit<FunctionVariables<N>, 'REDIS_URL' | 'REDIS_USERNAME' | 'REDIS_SECRET_ARN'>;
    },
    { inVpc = true } = {},
  ): VerenFunction {
    const reserved = (this.config.functions.reservedConcurrency as Partial<Record<string, number>>)[name];
    const usesRedis = 'REDIS_URL' in FunctionEnvSchemas[name].shape;
    const fn = new VerenFunction(this, name, {
      ...props,
      name,
      settings: this.settings,
      environment: { ...(props.environment as Record<string, string>), ...(usesRedis && this.redis(name)) },
      ...(inVpc && { network: this.network }),
      ...(reserved !== undefined && { reservedConcurrency: reserved }),
    });
    if (usesRedis) grantRedis(fn.role, this.data.redis.loginOf(name));
    return fn;
  }

  private redis(name: string) {
    const { url } = this.data.redis;
    const { userName, secret } = this.data.redis.loginOf(name);
    return {
      REDIS_URL: url,
      ...(userName && { REDIS_USERNAME: userName }),
      ...(secret && { REDIS_SECRET_ARN: secret.secretArn }),
    };
  }

  private kafka() {
    return this.data.kafka.environment() as { KAFKA_BROKERS: string };
  }

  private ownerLimits(): LimitsOfOwners {
    const { owner, owners, perOwner } = this.config.limits;
    return { all: { builds: perOwner, ...owner }, owners };
  }

  private signing() {
    return { EVENT_SIGNING_SECRET_ARN: this.data.signing.secretArn };
  }

  private runServices(): { RUN_SERVICES?: 'true' } {
    return this.services ? { RUN_SERVICES: 'true' } : {};
  }

  private timeouts() {
    const { frontend, backend } = this.config.builders;
    const toSeconds = (minutes: number) => String(minutes * 60);
    return { FRONTEND_TIMEOUT: toSeconds(frontend.timeoutMinutes), BACKEND_TIMEOUT: toSeconds(backend.timeoutMinutes) };
  }
}
