import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTEN = '0A';
const ANY_V6 = '0'.repeat(32);
/** As /proc writes them (little-endian), the most special first: the kernel gives a connection to that. */
const ADDRESSES = {
  '127.0.0.1': ['0100007F', '0000000000000000FFFF00000100007F', '00000000', ANY_V6],
  '::1': ['00000000000000000000000001000000', ANY_V6],
} as const;
export type LoopbackHost = keyof typeof ADDRESSES;

/** 127.0.0.11: answers about names, which docker has in every container's network. */
const ENGINE_NAMES = '0B00007F';

interface Listener {
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
}

/** Who listens by TCP in the network of a process; null where that cannot be told. Source: proc(5), `/proc/net/tcp`. */
async function readListeners(of: number | 'self' = 'self'): Promise<Listener[] | null> {
  const tables = await Promise.all(
    [`/proc/${of}/net/tcp`, `/proc/${of}/net/tcp6`].map((file) => readFile(file, 'utf8').catch(() => null)),
  );
  if (tables.every((table) => table === null)) return null;
  return tables
    .flatMap((table) => (table ?? '').split('\n').slice(1))
    .flatMap((line) => {
      const [, local = '', , state, , , , uid, , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      return state === LISTEN ? [{ address, port: Number.parseInt(port, 16), uid: Number(uid), inode }] : [];
    });
}

async function socketsOf(pids: readonly number[]): Promise<Set<string>> {
  const inodes = new Set<string>();
  for (const pid of pids)
    for (const fd of await readdir(`/proc/${pid}/fd`).catch((): string[] => [])) {
      const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      const [, inode] = /^socket:\[(\d+)\]$/.exec(link) ?? [];
      if (inode !== undefined) inodes.add(inode);
    }
  return inodes;
}

/** TCP ports on which processes listen; null where that cannot be told (another system than Linux). */
export async function listeningPorts(pids: readonly number[]): Promise<number[] | null> {
  const listeners = await readListeners();
  if (!listeners) return null;
  const inodes = await socketsOf(pids);
  const ports = new Set(listeners.filter(({ inode }) => inodes.has(inode)).map(({ port }) => port));
  return [...ports].toSorted((a, b) => a - b);
}

/**
 * Whether it is these processes, or this user where they have one of their own, that get connections to an address.
 * True where that cannot be told (another system than Linux).
 */
export async function ownsListener(
  host: LoopbackHost,
  port: number,
  { uid, pids }: { readonly uid: number | undefined; readonly pids: () => Promise<readonly number[]> },
): Promise<boolean> {
  const listeners = await readListeners();
  if (!listeners) return true;
  const onPort = listeners.filter((listener) => listener.port === port);
  const reached = ADDRESSES[host].map((address) => onPort.filter((listener) => listener.address === address));
  const first = reached.find((found) => found.length > 0) ?? [];
  if (first.length === 0) return false;
  if (uid !== undefined) return first.every((listener) => listener.uid === uid);
  const inodes = await socketsOf(await pids());
  return first.every(({ inode }) => inodes.has(inode));
}

/** A whole network of 127, as IPv4 or within IPv6, and ::1. */
const LOOPBACK = /^(?:[0-9A-F]{6}7F|0{16}FFFF0000[0-9A-F]{6}7F|0{24}01000000)$/;

/**
 * Ports on which processes in the network of this one listen, and whether somebody outside of that network reaches them;
 * null where that cannot be told.
 */
export async function portsInNetworkOf(
  pid: number,
): Promise<ReadonlyMap<number, { readonly outside: boolean }> | null> {
  const listeners = await readListeners(pid);
  if (!listeners) return null;
  const ports = new Map<number, { outside: boolean }>();
  for (const { address, port } of listeners) {
    if (address === ENGINE_NAMES) continue;
    ports.set(port, { outside: ports.get(port)?.outside === true || !LOOPBACK.test(address) });
  }
  return ports;
}
