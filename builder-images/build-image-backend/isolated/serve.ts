import { constants } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type RunningProgram, startTrusted } from '../../shared/processes.ts';
import { programPath } from '../../shared/programs.ts';
import { emptyRoot } from './empty-root.ts';
import { FRAME, MAX_FRAME_BYTES, readFrames, writeFrame } from './frames.ts';
import { type IsolatedJob, IsolatedJobSchema } from './job.ts';

export interface IsolatedPlace {
  /** Kaniko's program. */
  readonly executor: string;
  /** Folder below `/kaniko`, which Kaniko leaves alone. */
  readonly work: string;
  /** The container's own environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One build: takes the job and its context, runs Kaniko, hands over what it says and the image. */
export async function serveBuild(socket: Socket, place: IsolatedPlace): Promise<void> {
  const { work } = place;
  const [context, image, empty] = [join(work, 'context'), join(work, 'image'), join(work, 'empty')];
  for (const folder of [context, empty, join(work, 'tmp')]) await mkdir(folder, { recursive: true, mode: 0o700 });
  const job = await receiveContext(socket, context);
  const certificates = await keepCertificates(place);
  emptyRoot(['/kaniko']);
  // Those of the Dockerfile's base images begin in an empty system, as they do between its stages.
  const kaniko = startTrusted({
    argv: commandOf(job, place, context, image),
    cwd: '/',
    env: kanikoEnvironment(place, empty, certificates),
  });
  await Promise.all([
    forward(socket, FRAME.stdout, kaniko.stdout),
    forward(socket, FRAME.stderr, kaniko.stderr),
    kaniko.ended.then(() => closeLater(kaniko)),
  ]);
  const { exitCode } = await kaniko.ended;
  await writeFrame(socket, FRAME.ended, Buffer.from(JSON.stringify({ exitCode })));
  if (exitCode === 0) await sendImage(socket, image);
  socket.end();
}

/** What it prints is read for so long after its end; a daemon of a step may hold the pipe for ever. */
const SILENCE_MS = 500;
const closeLater = (program: RunningProgram) =>
  setTimeout(() => {
    program.stdout.destroy();
    program.stderr.destroy();
  }, SILENCE_MS);

async function forward(
  socket: Socket,
  kind: typeof FRAME.stdout | typeof FRAME.stderr,
  from: RunningProgram['stdout'],
) {
  try {
    for await (const chunk of from) await writeFrame(socket, kind, chunk as Buffer);
  } catch {
    // Closed above.
  }
}

/** Everything becomes root's, as the files of a context are in the images of docker. */
async function receiveContext(socket: Socket, folder: string): Promise<IsolatedJob> {
  const tar = startTrusted({
    argv: [programPath('tar'), '-x', '--no-same-owner', '-C', folder, '-f', '-'],
    cwd: '/',
    env: {},
    hasInput: true,
  });
  tar.stdout.resume();
  tar.stderr.resume();
  let job: IsolatedJob | undefined;
  for await (const { kind, payload } of readFrames(readingOn(socket))) {
    if (kind === FRAME.job) job = IsolatedJobSchema.parse(JSON.parse(payload.toString('utf8')));
    else if (kind === FRAME.context) await new Promise<void>((done) => tar.input!.write(payload, () => done()));
    else if (kind === FRAME.contextEnd) break;
  }
  tar.input!.end();
  const { exitCode } = await tar.ended;
  if (!job || exitCode !== 0) throw new Error(`the context could not be unpacked (${exitCode})`);
  return job;
}

/** Reads without destroying the socket where reading ends early, as a stream's own iterator does. */
const readingOn = (socket: Socket): AsyncIterable<Buffer> => socket.iterator({ destroyOnReturn: false });

/** Kaniko finds the system's certificates in files that will be gone. */
async function keepCertificates({ work, env }: IsolatedPlace): Promise<string | undefined> {
  const kept = join(work, 'certificates.pem');
  for (const file of [env.SSL_CERT_FILE, '/etc/ssl/certs/ca-certificates.crt']) {
    if (!file) continue;
    const found = await copyFile(file, kept).then(
      () => true,
      () => false,
    );
    if (found) return kept;
  }
  return undefined;
}

function commandOf(job: IsolatedJob, { executor, env }: IsolatedPlace, context: string, image: string) {
  const list = (name: string) => (env[name] ?? '').split(',').filter(Boolean);
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return [
    executor,
    ...list('VEREN_KANIKO_FLAGS'),
    '--force',
    '--log-format=json',
    `--context=dir://${context}`,
    `--dockerfile=${join(context, job.dockerfile)}`,
    '--no-push',
    `--oci-layout-path=${image}`,
    '--snapshot-mode=redo',
    '--image-download-retry=2',
    ...list('VEREN_REGISTRY_MIRRORS').map((mirror) => `--registry-mirror=${mirror}`),
    ...list('VEREN_INSECURE_REGISTRIES').map((registry) => `--insecure-registry=${registry}`),
    ...pairs('--build-arg', job.buildArgs),
    ...pairs('--label', job.labels),
  ] as [string, ...string[]];
}

function kanikoEnvironment({ work, env }: IsolatedPlace, empty: string, certificates: string | undefined) {
  const passed = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'SSL_CERT_DIR'] as const;
  return {
    ...Object.fromEntries(passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    ...(certificates !== undefined && { SSL_CERT_FILE: certificates }),
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: empty,
    DOCKER_CONFIG: empty,
    TMPDIR: join(work, 'tmp'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

interface Described {
  readonly digest: string;
}

/**
 * What it sends is not checked here, where a step may have changed all of it: whoever receives it does that. Only files are
 * read, and the lists to their limit, so that a device or a pipe in place of one ends the build and does not fill the memory.
 */
async function sendImage(socket: Socket, image: string): Promise<void> {
  const blob = (digest: string) => join(image, 'blobs', ...digest.split(':'));
  const index = JSON.parse((await readList(join(image, 'index.json'))).toString('utf8')) as { manifests: Described[] };
  const bytes = await readList(blob(index.manifests[0]!.digest));
  const manifest = JSON.parse(bytes.toString('utf8')) as { config: Described; layers: Described[] };
  await writeFrame(socket, FRAME.manifest, bytes);
  const digests = new Set([manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)]);
  for (const digest of digests) {
    const file = await openFile(blob(digest));
    for await (const chunk of file.createReadStream({ highWaterMark: 262_144 }))
      await writeFrame(socket, FRAME.blob, chunk as Buffer);
  }
}

/** Opening a pipe would wait for its writer. */
async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is no file`);
}

async function readList(path: string): Promise<Buffer> {
  const file = await openFile(path);
  try {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of file.createReadStream({ autoClose: false, end: MAX_FRAME_BYTES })) {
      parts.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    if (bytes > MAX_FRAME_BYTES) throw new Error(`${path} has more than ${MAX_FRAME_BYTES} bytes`);
    return Buffer.concat(parts);
  } finally {
    await file.close();
  }
}
