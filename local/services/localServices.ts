import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import {
  parseServiceVersion,
  type ServiceCounts,
  type ServiceCrash,
  type ServiceState,
  type ServiceVersionId,
  serviceVersionText,
} from '../../contract/services.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';
import type { SecretBox } from '../../lambdas/shared/secretBox.ts';
import { ServiceFault } from '../../lambdas/shared/services/serviceFault.ts';
import type { ServiceStatus, Services, ServiceVersion } from '../../lambdas/shared/services/servicePort.ts';
import { containerLauncher } from './containerLauncher.ts';
import { ServiceCounter } from './counter.ts';
import { CronTimers } from './cronTimers.ts';
import { folderLauncher, type LaunchPlaces } from './folderLauncher.ts';
import { awaitHealth, awaitListening } from './health.ts';
import type { Launcher, RunningService } from './launch.ts';
import type { LoopbackHost } from './listening.ts';
import { ServiceLog } from './serviceLog.ts';
import type { ServiceStream } from './serviceOutput.ts';
import { NO_SERVICES, ServiceSpecs, type VersionSpec } from './specs.ts';
import { UserNumbers } from './userNumbers.ts';

/** A version without a request for so long is stopped, and the next request wakes it. */
const IDLE_MS = { production: 900_000, other: 300_000 } as const;
const IDLE_LOOK_MS = 10_000;
/** After an end that nobody asked for; doubled each time, up to the longest. */
const BACKOFF_MS = { first: 1_000, longest: 60_000 } as const;
/** A process that has lived so long has not failed at its start. */
const STABLE_MS = 60_000;

export interface LocalServicesOptions extends LaunchPlaces {
  readonly secretBox: SecretBox;
  readonly clock: Clock;
  readonly idleMs?: { readonly production: number; readonly other: number };
}

type Started = Awaited<ReturnType<Services['start']>>;

/** A start that a stop of the platform has cut off has shown nothing of the backend: it is made again after the next start. */
const NO_OUTCOME = new Promise<never>(() => undefined);

/** Where a request goes, until it is over. */
export interface Lease {
  readonly host: LoopbackHost;
  readonly port: number;
  readonly timeoutMs: number;
  release(): void;
}

interface Running {
  readonly process: RunningService;
  readonly host: LoopbackHost;
  readonly port: number;
  readonly since: number;
}

/** What is known of a version besides its spec, for as long as the platform runs. */
interface Live {
  /** Aborted when the version is removed. */
  readonly removed: AbortController;
  running?: Running;
  waking?: Promise<Running>;
  /** The spec of a first start is being written. */
  keeping?: Promise<VersionSpec>;
  starting?: Promise<void>;
  stopping?: Promise<void>;
  requests: number;
  lastUsed: number;
  failures: number;
  retryAt: number;
  timer?: NodeJS.Timeout;
}

/**
 * Runs backends on this machine, folders as processes and images as containers, each version with a port of its own. What
 * is to run outlives the platform; what runs does not, and is started by the next request.
 */
export class LocalServices implements Services {
  readonly #o: LocalServicesOptions;
  readonly #launchers: Readonly<Record<VersionSpec['artifact']['kind'], Launcher>>;
  readonly #specs: ServiceSpecs;
  readonly #users: UserNumbers;
  readonly #log: ServiceLog;
  readonly #counter: ServiceCounter;
  readonly #crons: CronTimers;
  readonly #live = new Map<string, Live>();
  /** Removals under way, by version. */
  readonly #removals = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #idle: NodeJS.Timeout;

  private constructor(options: LocalServicesOptions, specs: ServiceSpecs, log: ServiceLog) {
    this.#o = options;
    this.#launchers = { folder: folderLauncher(options), image: containerLauncher(options) };
    this.#specs = specs;
    this.#users = new UserNumbers(specs);
    this.#log = log;
    this.#counter = new ServiceCounter(options.clock);
    this.#crons = new CronTimers(
      (projectId) => this.#leaseProduction(projectId),
      (projectId, line) => this.#say(projectId, this.#specs.get(projectId).production, line),
    );
    this.#idle = setInterval(() => this.#stopIdle(), IDLE_LOOK_MS);
    this.#idle.unref();
  }

  /** @param folder Of the data folder. Users of services enter what they run from, and nothing else of it. */
  static async open(options: Omit<LocalServicesOptions, 'runFolder'>): Promise<LocalServices> {
    const folder = join(options.dataDir, 'services');
    const runFolder = join(folder, 'run');
    await mkdir(runFolder, { recursive: true });
    for (const path of [folder, runFolder]) await chmod(path, 0o711);
    const specs = await ServiceSpecs.open(join(folder, 'specs'));
    const services = new LocalServices({ ...options, runFolder }, specs, new ServiceLog(join(folder, 'logs')));
    await services.#endLeft();
    return services;
  }

  /** After a start of the platform, when it listens: starts what must always run. */
  resume(): void {
    for (const [projectId, { versions, production, crons }] of this.#specs.projects()) {
      const shown = versions.find(({ version }) => version === production);
      if (shown?.healthy && shown.settings.kind === 'always-on') this.#keepUp(projectId, shown.version);
      this.#crons.set(projectId, crons);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#idle);
    this.#crons.close();
    const starts = [...this.#live.values()].flatMap(({ starting, waking }) => [starting, waking]);
    await Promise.allSettled([...starts, ...this.#removals.values()]);
    await Promise.all([...this.#live.keys()].map((key) => this.#stop(key)));
    await this.#launchers.image.close?.();
    await this.#log.flush();
  }

  // --- Services -----------------------------------------------------------------------------------------------------

  async start(version: ServiceVersion): Promise<Started> {
    if (this.#closing.signal.aborted) return NO_OUTCOME;
    return this.#start(version).catch((error) => (this.#closing.signal.aborted ? NO_OUTCOME : Promise.reject(error)));
  }

  async #start(version: ServiceVersion): Promise<Started> {
    const text = serviceVersionText(version);
    const { projectId, artifact } = version;
    const launcher = this.#launchers[artifact.kind];
    const refusal = await launcher.refusal();
    if (refusal !== null) {
      await this.#keep(version, { healthy: true, notRun: refusal });
      return { state: 'not-run', reason: refusal };
    }
    const refused = this.#find(projectId, text);
    // Of a time when this machine did not run it.
    if (refused?.notRun !== undefined) await this.#discard(projectId, refused);
    await this.#removals.get(keyOf(projectId, text))?.catch(() => undefined);
    if (!this.#find(projectId, text)?.healthy) {
      const live = this.#liveOf(projectId, text);
      live.starting ??= this.#firstStart(version, text).finally(() => {
        delete live.starting;
      });
      await live.starting;
    }
    const isUp = this.#liveOf(projectId, text).running !== undefined;
    return { state: isUp ? 'running' : 'idle', reason: launcher.told };
  }

  async switchProduction(projectId: string, version: ServiceVersionId | null): Promise<void> {
    const production = version && serviceVersionText(version);
    await this.#specs.change(projectId, (before) =>
      before.production === production ? before : { ...before, production },
    );
    if (production !== null) this.#keepUp(projectId, production);
  }

  async schedule(projectId: string, crons: Parameters<Services['schedule']>[1]): Promise<void> {
    await this.#specs.change(projectId, (before) =>
      JSON.stringify(before.crons) === JSON.stringify(crons) ? before : { ...before, crons: [...crons] },
    );
    this.#crons.set(projectId, crons);
  }

  async remove(projectId: string, deploymentId?: string, variables?: number): Promise<void> {
    const isWanted = ({ version }: VersionSpec) => {
      const id = parseServiceVersion(version);
      if (deploymentId === undefined) return true;
      return id?.deploymentId === deploymentId && (variables === undefined || id.variables === variables);
    };
    // A start that has just begun is not known yet.
    const begun = [...this.#live].flatMap(([key, { keeping }]) =>
      keeping && key.startsWith(`${projectId}/`) ? [keeping] : [],
    );
    if (begun.length > 0) await Promise.allSettled(begun);
    const gone = this.#specs.get(projectId).versions.filter(isWanted);
    // All are marked at once, so that none of them is started meanwhile.
    const removals = gone.map((spec) => this.#discard(projectId, spec));
    const isGone = (version: string | null) => gone.some((spec) => spec.version === version);
    const noted = this.#specs.change(projectId, (before) => {
      if (deploymentId === undefined) return NO_SERVICES;
      return isGone(before.production) ? { ...before, production: null } : before;
    });
    await Promise.all([noted, ...removals]);
    if (deploymentId !== undefined) return;
    this.#crons.set(projectId, []);
    this.#counter.forget(projectId);
    await this.#log.remove(projectId);
  }

  async list(projectId: string): Promise<ServiceStatus[]> {
    const { versions, production } = this.#specs.get(projectId);
    return versions
      .map((spec): ServiceStatus => {
        const live = this.#live.get(keyOf(projectId, spec.version));
        return {
          ...parseServiceVersion(spec.version)!,
          state: this.#stateOf(spec, live),
          isProduction: spec.version === production,
          reason: spec.notRun ?? this.#launchers[spec.artifact.kind].told,
          crashes: spec.crashes,
          lastCrash: spec.lastCrash,
          startedAt: live?.running && new Date(live.running.since).toISOString(),
        };
      })
      .toSorted((a, b) =>
        a.deploymentId < b.deploymentId ? 1 : a.deploymentId > b.deploymentId ? -1 : b.variables - a.variables,
      );
  }

  readLog: Services['readLog'] = (projectId, query) => this.#log.read(projectId, query);

  counts = async (projectId: string): Promise<ServiceCounts> => this.#counter.of(projectId);

  // --- requests -----------------------------------------------------------------------------------------------------

  /**
   * Where a version answers, which is woken where it does not run. Must be released. Null for one that is not known.
   * Throws SERVICE_UNAVAILABLE.
   */
  async lease(projectId: string, version: string): Promise<Lease | null> {
    const spec = this.#find(projectId, version);
    if (!spec || spec.notRun !== undefined || this.#closing.signal.aborted) return null;
    const live = this.#liveOf(projectId, version);
    live.requests++;
    const release = once(() => {
      live.requests--;
      live.lastUsed = this.#o.clock.now();
    });
    try {
      const { host, port } = live.running ?? (await this.#wake(projectId, spec, live));
      return { host, port, timeoutMs: spec.settings.timeoutSeconds * 1_000, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** An answer, or none, to a request. */
  countRequest(projectId: string, ms: number, failed: boolean): void {
    this.#counter.count(projectId, ms, failed);
  }

  #leaseProduction(projectId: string): Promise<Lease | null> {
    const { production } = this.#specs.get(projectId);
    return production === null ? Promise.resolve(null) : this.lease(projectId, production);
  }

  // --- processes ----------------------------------------------------------------------------------------------------

  async #firstStart(version: ServiceVersion, text: string): Promise<void> {
    const { projectId, settings } = version;
    const live = this.#liveOf(projectId, text);
    live.keeping = this.#keep(version, { healthy: false }).finally(() => {
      delete live.keeping;
    });
    const spec = await live.keeping;
    const signal = this.#endOf(live);
    const { process, port, toldPort } = await this.#launch(projectId, spec, signal).catch(async (cause: Error) => {
      await this.#forget(projectId, spec, live);
      if (cause instanceof ServiceFault) throw cause;
      throw new VerenError('SERVICE_START_FAILED', { reason: cause.message }, { cause });
    });
    const over = new AbortController();
    const ended = process.ended.then((reason) => {
      over.abort();
      return reason;
    });
    const { healthPath: path, healthSeconds: seconds } = settings;
    const health = await awaitHealth({ port, process }, path, seconds, AbortSignal.any([over.signal, signal]));
    if (signal.aborted) {
      await process.stop(0); // nobody was served by it
      throw new VerenError('SERVICE_START_FAILED', { reason: 'it was removed' });
    }
    if (health.kind === 'healthy' && !over.signal.aborted) {
      this.#follow(projectId, text, live, { process, host: health.host, port, since: this.#o.clock.now() });
      await this.#changeSpec(projectId, text, { healthy: true });
      return;
    }
    const listening = over.signal.aborted ? null : await process.listening();
    const reason = over.signal.aborted ? await ended : undefined;
    await process.stop();
    const { lastLines } = process;
    await this.#forget(projectId, spec, live);
    if (reason) throw new ServiceFault(new VerenError('SERVICE_EXITED', { reason }), lastLines);
    if (health.kind === 'unhealthy') {
      const told = { path, seconds, reason: health.reason };
      throw new ServiceFault(new VerenError('SERVICE_UNHEALTHY', told), lastLines);
    }
    const seen = listening?.length ? ` It listens on ${listening.join(', ')}.` : '';
    throw new ServiceFault(new VerenError('SERVICE_NOT_LISTENING', { port: toldPort, seconds, seen }), lastLines);
  }

  /** Aborted when a version is removed, or the platform stops. */
  #endOf = (live: Live): AbortSignal => AbortSignal.any([live.removed.signal, this.#closing.signal]);

  #wake(projectId: string, spec: VersionSpec, live: Live): Promise<Running> {
    live.waking ??= this.#startAgain(projectId, spec, live).finally(() => {
      delete live.waking;
    });
    return live.waking;
  }

  async #startAgain(projectId: string, { version }: VersionSpec, live: Live): Promise<Running> {
    const unavailable = (reason: string) => new VerenError('SERVICE_UNAVAILABLE', { reason, projectId });
    await live.stopping;
    if (live.retryAt > this.#o.clock.now()) throw unavailable('it ended, and is started again in a moment');
    const spec = this.#find(projectId, version);
    const signal = this.#endOf(live);
    if (!spec || signal.aborted) throw unavailable('it was removed');
    this.#counter.countColdStart(projectId);
    const { process, port } = await this.#launch(projectId, spec, signal).catch(async ({ message }: Error) => {
      if (!signal.aborted) await this.#recordCrash(projectId, version, live, message, []);
      throw unavailable(message);
    });
    const over = new AbortController();
    void process.ended.then(() => over.abort());
    const stop = AbortSignal.any([over.signal, signal]);
    const host = await awaitListening({ port, process }, spec.settings.healthSeconds, stop);
    if (host !== null && !stop.aborted) {
      const running = { process, host, port, since: this.#o.clock.now() };
      this.#follow(projectId, version, live, running);
      return running;
    }
    const reason = over.signal.aborted ? await process.ended : null;
    await process.stop(signal.aborted ? 0 : undefined);
    if (signal.aborted) throw unavailable('it was removed');
    await this.#recordCrash(projectId, version, live, reason ?? 'it did not listen in time', process.lastLines);
    throw unavailable(reason ?? 'it does not listen');
  }

  async #launch(projectId: string, spec: VersionSpec, signal: AbortSignal) {
    const { deploymentId } = parseServiceVersion(spec.version)!;
    const environment = JSON.parse(await this.#o.secretBox.open(spec.sealed, placeOf(deploymentId)));
    const onLine = (stream: ServiceStream, line: string) => {
      const at = new Date(this.#o.clock.now()).toISOString();
      void this.#log.append(projectId, [{ at, deploymentId, stream, line }]);
    };
    const launcher = this.#launchers[spec.artifact.kind];
    const launched = await launcher.launch(spec, environment, onLine, signal);
    if (!signal.aborted) return launched;
    await launched.process.stop(0);
    throw new Error('it is not wanted any more');
  }

  /** Notes that it runs, and what follows when it ends. */
  #follow(projectId: string, version: string, live: Live, running: Running): void {
    live.running = running;
    live.lastUsed = this.#o.clock.now();
    const { exited, ended } = running.process;
    void exited.then(() => {
      if (live.running !== running) return;
      // No request may follow: another process could listen on this port now.
      delete live.running;
      live.stopping = ended.then(() => {
        delete live.stopping;
      });
    });
    void ended.then(async (reason) => {
      if (reason === null) return;
      if (this.#o.clock.now() - running.since > STABLE_MS) live.failures = 0;
      await this.#recordCrash(projectId, version, live, reason, running.process.lastLines).catch(() => undefined);
    });
  }

  async #recordCrash(
    projectId: string,
    version: string,
    live: Live,
    reason: string,
    lastLines: readonly string[],
  ): Promise<void> {
    const now = this.#o.clock.now();
    const pause = Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** live.failures++);
    live.retryAt = now + pause;
    this.#say(projectId, version, `It ended: ${reason}. It is started again in ${Math.round(pause / 1_000)} s.`);
    const lastCrash: ServiceCrash = { at: new Date(now).toISOString(), reason, lastLines: [...lastLines] };
    const crashes = (this.#find(projectId, version)?.crashes ?? 0) + 1;
    await this.#changeSpec(projectId, version, { crashes, lastCrash });
    clearTimeout(live.timer);
    live.timer = setTimeout(() => this.#keepUp(projectId, version), pause);
    live.timer.unref();
  }

  /** Starts what production shows, where it does not run. */
  #keepUp(projectId: string, version: string): void {
    if (this.#specs.get(projectId).production !== version) return;
    void this.lease(projectId, version).then(
      (lease) => lease?.release(),
      () => undefined,
    );
  }

  #stop(key: string): Promise<void> {
    const live = this.#live.get(key);
    clearTimeout(live?.timer);
    const { running } = live ?? {};
    if (!live || !running) return live?.stopping ?? Promise.resolve();
    delete live.running;
    live.stopping = running.process.stop().finally(() => {
      delete live.stopping;
    });
    return live.stopping;
  }

  #stopIdle(): void {
    const { production, other } = this.#o.idleMs ?? IDLE_MS;
    const now = this.#o.clock.now();
    for (const [projectId, services] of this.#specs.projects())
      for (const { version, settings } of services.versions) {
        const isShown = services.production === version;
        const live = this.#live.get(keyOf(projectId, version));
        if (!live?.running || live.requests > 0 || (isShown && settings.kind === 'always-on')) continue;
        if (now - live.lastUsed > (isShown ? production : other)) void this.#stop(keyOf(projectId, version));
      }
  }

  /** After a start of the platform: what an earlier one has left is ended. */
  async #endLeft(): Promise<void> {
    const known = this.#specs.projects().flatMap(([, { versions }]) => versions.filter((v) => v.notRun === undefined));
    for (const [kind, launcher] of Object.entries(this.#launchers))
      await launcher.endLeft(known.filter(({ artifact }) => artifact.kind === kind));
    for (const [projectId, { versions }] of this.#specs.projects())
      for (const spec of versions) if (!spec.healthy) await this.#forget(projectId, spec).catch(() => undefined);
  }

  // --- specs --------------------------------------------------------------------------------------------------------

  #find = (projectId: string, version: string) =>
    this.#specs.get(projectId).versions.find((spec) => spec.version === version);

  async #keep(version: ServiceVersion, state: Pick<VersionSpec, 'healthy' | 'notRun'>): Promise<VersionSpec> {
    const text = serviceVersionText(version);
    const { projectId, artifact, settings, port, environment, secrets } = version;
    const known = this.#find(projectId, text);
    if (known) return known;
    const sealed = await this.#o.secretBox.seal(JSON.stringify(environment), placeOf(version.deploymentId));
    const user = state.notRun === undefined ? this.#users.choose(projectId) : undefined;
    const spec: VersionSpec = {
      ...{ version: text, artifact, settings: { ...settings }, port, sealed, secrets: [...secrets], user, crashes: 0 },
      ...state,
    };
    await this.#specs.change(projectId, (before) => ({ ...before, versions: [...before.versions, spec] }));
    return spec;
  }

  #changeSpec = (projectId: string, version: string, change: Partial<VersionSpec>): Promise<void> =>
    this.#specs.change(projectId, (before) => ({
      ...before,
      versions: before.versions.map((spec) => (spec.version === version ? { ...spec, ...change } : spec)),
    }));

  /** After a first start that has failed: nothing is left, so that it may be tried again. */
  async #forget(projectId: string, spec: VersionSpec, live?: Live): Promise<void> {
    // Who removes it waits for the end of its start, so this must not wait for who removes it.
    if (!live?.removed.signal.aborted) await this.#discard(projectId, spec, live?.starting);
  }

  /** @param own The start that discards what it has started, and is not to be waited for. */
  #discard(projectId: string, spec: VersionSpec, own?: Promise<void>): Promise<void> {
    const key = keyOf(projectId, spec.version);
    const known = this.#removals.get(key);
    if (known) return known;
    this.#users.hold(spec);
    const removal = this.#remove(projectId, spec, own).finally(() => this.#removals.delete(key));
    this.#removals.set(key, removal);
    return removal;
  }

  async #remove(projectId: string, spec: VersionSpec, own: Promise<void> | undefined): Promise<void> {
    const key = keyOf(projectId, spec.version);
    const live = this.#live.get(key);
    live?.removed.abort();
    const noted = this.#specs.change(projectId, (before) => ({
      ...before,
      versions: before.versions.filter(({ version }) => version !== spec.version),
    }));
    await Promise.allSettled([noted, live?.starting === own ? undefined : live?.starting, live?.waking]);
    await this.#stop(key);
    this.#live.delete(key);
    // Where it throws, something of it may live: then nobody else gets its user.
    await this.#launchers[spec.artifact.kind].clear(spec);
    this.#users.free(spec);
    await noted;
  }

  #stateOf(spec: VersionSpec, live: Live | undefined): ServiceState {
    if (spec.notRun !== undefined) return 'not-run';
    if (live?.running) return 'running';
    if (!spec.healthy || live?.waking) return 'starting';
    return live && live.failures > 0 ? 'crashed' : 'idle';
  }

  #liveOf(projectId: string, version: string): Live {
    const key = keyOf(projectId, version);
    const known = this.#live.get(key);
    if (known) return known;
    const removed = new AbortController();
    const live: Live = { removed, requests: 0, lastUsed: this.#o.clock.now(), failures: 0, retryAt: 0 };
    this.#live.set(key, live);
    return live;
  }

  #say(projectId: string, version: string | null, line: string): void {
    const deploymentId = version === null ? undefined : parseServiceVersion(version)?.deploymentId;
    if (deploymentId === undefined) return;
    const at = new Date(this.#o.clock.now()).toISOString();
    void this.#log.append(projectId, [{ at, deploymentId, stream: 'system', line }]);
  }
}

const keyOf = (projectId: string, version: string) => `${projectId}/${version}`;
const placeOf = (deploymentId: string) => ({ deploymentId, field: 'service' });

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
