import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The capabilities that a container has by default, on Fargate too. Source: Docker's and containerd's default set. */
const CAPABILITIES = [
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'net_bind_service',
  'sys_chroot',
  'mknod',
  'audit_write',
  'setfcap',
];

/**
 * Enters a root directory with its own mounts, processes and hostname, as a container would: $1 the directory, the rest the
 * command. BINDS are pairs <from>:<to>. What a container changes below its root lies in memory: unpacking and deleting some
 * thousand files is what an image build mostly does.
 */
const ENTER = `set -e
root=$1; shift
mount --make-rprivate /
if [ -n "\${LOWER:-}" ]; then
  mount -t tmpfs -o "size=$DISK" tmpfs "\${UPPER%/*}"
  mkdir -p "$UPPER" "$WORK" "$root"
  mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$root"
fi
mkdir -p "$root/proc" "$root/dev" "$root/tmp"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom; do : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
ln -s /proc/self/fd "$root/dev/fd"; ln -s /proc/self/fd/1 "$root/dev/stdout"; ln -s /proc/self/fd/2 "$root/dev/stderr"
for file in resolv.conf hosts; do [ -e "$root/etc/$file" ] || : >"$root/etc/$file"; mount --bind "/etc/$file" "$root/etc/$file"; done
for pair in $READ_ONLY; do mkdir -p "$root\${pair#*:}"; mount --bind "\${pair%%:*}" "$root\${pair#*:}"; mount -o remount,ro,bind "$root\${pair#*:}"; done
for pair in $BINDS; do mkdir -p "$root\${pair#*:}"; mount --bind "\${pair%%:*}" "$root\${pair#*:}"; done
code=0
unshare --pid --ipc --uts --fork --kill-child sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@" || code=$?
if [ -n "\${CHANGED:-}" ]; then (cd "$UPPER" && find . -type f >"$CHANGED" && find . -user 1000 >"$CHANGED.owned"); fi
exit $code`;

export interface Container {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; output: string }>;
}

export interface ContainerOptions {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Layers of the root directory, uppermost first; without them \`root\` itself is used. */
  readonly lower?: readonly string[];
  readonly root?: string;
  readonly binds?: Readonly<Record<string, string>>;
  /** Likewise, mounted so that nothing can be written there. */
  readonly readOnlyBinds?: Readonly<Record<string, string>>;
  /** Capabilities that the task definition takes away, in lower case. */
  readonly drop?: readonly string[];
  /** Size of the disk, as tmpfs takes it. */
  readonly disk?: string;
  readonly uid?: number;
  /** File that gets the names of all files that the container has left changed below its root; `.owned`: what of that is uid 1000's. */
  readonly changed?: string;
}

const pairsOf = (binds: Readonly<Record<string, string>> = {}) =>
  Object.entries(binds)
    .map(([to, from]) => `${from}:${to}`)
    .join(' ');

/** Containers without a container runtime, with their own root directory, mounts and processes. Needs root. */
export class Containers {
  readonly #dir: string;
  readonly #running = new Set<ChildProcess>();
  #started = 0;

  /** @param dir Folder for what they change. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  killAll(): void {
    for (const { pid } of this.#running) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  }

  start(options: ContainerOptions): Container {
    const place = join(this.#dir, `c${++this.#started}`);
    const root = options.root ?? join(place, 'root');
    for (const part of ['root', 'upper', 'work']) mkdirSync(join(place, part), { recursive: true });
    const uid =
      options.uid === undefined ? [] : ['--reuid', `${options.uid}`, '--regid', `${options.uid}`, '--clear-groups'];
    const caps = [
      '--bounding-set',
      ['-all', ...CAPABILITIES.filter((c) => !options.drop?.includes(c)).map((c) => `+${c}`)].join(','),
      '--inh-caps',
      '-all',
    ];
    const variables = Object.entries(options.env).map(([name, value]) => `${name}=${value}`);
    const inside = ['setpriv', ...uid, ...caps, 'env', '-i', ...variables, ...options.argv];
    const child = spawn('unshare', ['--mount', 'sh', '-c', ENTER, 'enter', root, ...inside], {
      cwd: '/',
      detached: true,
      env: {
        PATH: process.env.PATH,
        BINDS: pairsOf(options.binds),
        READ_ONLY: pairsOf(options.readOnlyBinds),
        ...(options.changed && { CHANGED: options.changed }),
        ...(options.lower && {
          DISK: options.disk ?? '4g',
          LOWER: options.lower.join(':'),
          UPPER: join(place, 'upper'),
          WORK: join(place, 'work'),
        }),
      },
    });
    this.#running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const ended = new Promise<{ code: number | null; output: string }>((done) =>
      child.on('close', (code) => {
        this.#running.delete(child);
        rmSync(place, { recursive: true, force: true });
        done({ code, output });
      }),
    );
    return { child, ended };
  }
}
