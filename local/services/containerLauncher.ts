import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMasker } from '../../builder-images/shared/masker.ts';
import { findLaptopEngine, type HostEnv, usesNoEngine } from '../platform/images.ts';
import { ContainerEngine } from './containerEngine.ts';
import { chooseUser } from './containerUser.ts';
import { giveVariables } from './containerVariables.ts';
import { freePort, type Launched, type Launcher, MAX_PROCESSES, maxFiles } from './launch.ts';
import { RunningContainer } from './runningContainer.ts';
import type { OnLine } from './serviceOutput.ts';
import type { VersionSpec } from './specs.ts';

/** No capability, no way to a new one, and bounds. Sources: the manuals of `docker run` and `podman run`. */
const HARDENED = [
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--pids-limit', `${MAX_PROCESSES}`],
  ...['--restart', 'no', '--no-healthcheck', '--log-driver', 'none'],
];
const WITHOUT_ENGINE =
  'Its image is not run: no container engine is used (VEREN_CONTAINER_ENGINE=none). Deploy it again.';
const NO_ENGINE = 'Its image is not run: neither docker nor podman answers on this machine.';
const BUILDAH =
  'Its image is not run: buildah makes images, and runs none with a port and limits. Install docker or podman.';

interface ContainerPlaces {
  readonly dataDir: string;
  readonly hostEnv: HostEnv;
}

type ImageSpec = VersionSpec & { readonly artifact: { readonly kind: 'image' } };

interface Start {
  readonly name: string;
  /** Name of a container that shows the image's user. */
  readonly probe: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: OnLine;
  readonly signal: AbortSignal;
}

/** Runs images as containers of this machine's engine, each with a network, a user without rights, and limits. */
export function containerLauncher({ dataDir, hostEnv }: ContainerPlaces): Launcher {
  /** There from the first container on, so that an engine is asked for what is left only where there was one. */
  const used = join(dataDir, 'services/containers');
  const platform = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 12);
  const nameOf = ({ version }: VersionSpec) => `veren-${platform}-${version}`;
  let opening: Promise<ContainerEngine> | undefined;
  /** A container may come after the last look for what is left. */
  let isCutOff = false;

  async function findEngine(): Promise<ContainerEngine | string> {
    if (usesNoEngine(hostEnv)) return WITHOUT_ENGINE;
    const engine = await findLaptopEngine(hostEnv);
    if (engine === null) return NO_ENGINE;
    return engine.kind === 'buildah' ? BUILDAH : new ContainerEngine(engine, platform);
  }

  /** The engine, without anything that an earlier platform has left. */
  async function openEngine(): Promise<ContainerEngine> {
    const engine = await findEngine();
    if (typeof engine === 'string') throw new Error(engine);
    if (existsSync(used)) await engine.removeAll();
    else await writeFile(used, '', { mode: 0o600 });
    return engine;
  }

  async function launch(
    spec: VersionSpec,
    environment: Readonly<Record<string, string>>,
    onLine: OnLine,
    signal: AbortSignal,
  ): Promise<Launched> {
    const { artifact } = spec;
    if (artifact.kind !== 'image') throw new Error('it is no image');
    opening ??= openEngine();
    const engine = await opening.catch((error) => {
      opening = undefined; // it may be there at the next start
      throw error;
    });
    const name = nameOf(spec);
    const probe = `${name}-user`;
    try {
      return await createAndStart(engine, { ...spec, artifact }, { name, probe, environment, onLine, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
      // Its program was ended; what it had asked the engine for may still come.
      isCutOff = true;
      for (const left of [probe, name]) await engine.remove(left).catch(() => undefined);
      throw new Error('it is not wanted any more', { cause: error });
    }
  }

  async function createAndStart(
    engine: ContainerEngine,
    spec: ImageSpec,
    { name, probe, environment, onLine, signal }: Start,
  ): Promise<Launched> {
    const { uri } = spec.artifact;
    const wanted = engine.until(signal);
    const { user, isRefused } = await chooseUser(wanted, uri, probe);
    await wanted.remove(name);
    const [network, port] = await Promise.all([wanted.openNetwork(name), freePort()]);
    const { memoryMb } = spec.settings;
    const variables = await giveVariables({ ...environment, PORT: `${spec.port}` }, engine.ownVariables);
    const id = await wanted
      .create(
        [
          ...['--name', name, '--network', network, '--publish', `127.0.0.1:${port}:${spec.port}`, ...HARDENED],
          ...['--memory', `${memoryMb}m`, '--memory-swap', `${memoryMb}m`],
          ...['--ulimit', `nofile=${maxFiles()}:${maxFiles()}`, '--user', user],
          ...[...variables.args, uri],
        ],
        variables.passed,
      )
      .finally(variables.remove);
    signal.throwIfAborted();
    if (isRefused) onLine('system', 'The image asks for root, and runs as a user without rights (10001).');
    const secrets = spec.secrets.flatMap((secret) => environment[secret] ?? []);
    const mask = createMasker(secrets, secrets);
    const process = new RunningContainer({ engine, id, name, port: spec.port, memoryMb, mask, onLine });
    return { process, port, toldPort: spec.port };
  }

  return {
    told: 'runs as a container of this machine',
    async refusal() {
      const engine = await findEngine();
      return typeof engine === 'string' ? engine : null;
    },
    launch,
    async endLeft() {
      if (!existsSync(used)) return;
      opening = openEngine();
      await opening.catch(() => {
        opening = undefined; // what is left is ended before the first launch
      });
    },
    async clear(spec) {
      if (opening) await (await opening).remove(nameOf(spec));
    },
    async close() {
      const engine = await opening?.catch(() => null);
      if (!engine) return;
      await engine.removeAll().then(
        () => (isCutOff ? undefined : rm(used, { force: true })),
        () => undefined,
      );
    },
  };
}
