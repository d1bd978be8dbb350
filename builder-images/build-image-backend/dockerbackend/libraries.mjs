// Takes the shared libraries of the build's base image that a service needs along: libraries.mjs <folder> <files>.
// <files>: names of what may be a program or a library, each ended by NUL. Runs as `node`, and reads files only: `ldd` would
// let a program of the repository choose its own loader. Source of the format: System V ABI, chapters 4 and 5.
import { closeSync, copyFileSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const MACHINE = { x64: 0x3e, arm64: 0xb7 }[process.arch];
/** Of glibc and of the compiler: they come with every base image, and must be those of its own loader. */
const OF_EVERY_BASE =
  /^(?:ld-linux[\w.-]*|lib(?:c|m|dl|rt|pthread|resolv|util|nsl|anl|mvec|crypt|thread_db|BrokenLocale|nss_\w+|stdc\+\+|gcc_s))\.so(?:\.\d+)*$/;
const MAX_SECTION = 4 * 1024 * 1024;
const MAX_FILES = 20_000;
const MAX_BYTES = 1024 * 1024 * 1024;

/** Names that an ELF file of this machine needs, and where it says that they lie; null for everything else. */
export function dynamicOf(file) {
  let fd;
  try {
    fd = openSync(file, 'r');
  } catch {
    return null;
  }
  try {
    if (!fstatSync(fd).isFile()) return null;
    return parse((offset, length) => {
      if (!Number.isSafeInteger(offset) || offset < 0 || length < 0 || length > MAX_SECTION) throw new Error('not ELF');
      const bytes = Buffer.alloc(length);
      if (readSync(fd, bytes, 0, length, offset) !== length) throw new Error('not ELF');
      return bytes;
    });
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

function parse(read) {
  const head = read(0, 64);
  // 64 bits, little-endian, System V or Linux.
  if (head.toString('latin1', 0, 6) !== '\x7fELF\x02\x01' || ![0, 3].includes(head[7])) return null;
  if (head.readUInt16LE(18) !== MACHINE) return null;
  const count = head.readUInt16LE(56);
  const size = head.readUInt16LE(54);
  if (size < 56) return null;
  const table = read(Number(head.readBigUInt64LE(32)), count * size);
  const segments = Array.from({ length: count }, (_, i) => {
    const at = i * size;
    const number = (offset) => Number(table.readBigUInt64LE(at + offset));
    return { type: table.readUInt32LE(at), offset: number(8), address: number(16), length: number(32) };
  });
  const dynamic = segments.find(({ type }) => type === 2);
  if (dynamic === undefined) return null;
  const bytes = read(dynamic.offset, dynamic.length);
  const tags = [];
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const tag = Number(bytes.readBigInt64LE(at));
    if (tag === 0) break;
    tags.push([tag, Number(bytes.readBigUInt64LE(at + 8))]);
  }
  const valueOf = (wanted) => tags.find(([tag]) => tag === wanted)?.[1];
  const [address, length] = [valueOf(5), valueOf(10)];
  if (address === undefined || length === undefined) return null;
  const loaded = segments.find((s) => s.type === 1 && address >= s.address && address < s.address + s.length);
  if (loaded === undefined) return null;
  const strings = read(loaded.offset + address - loaded.address, length);
  const text = (at) => {
    const end = strings.indexOf(0, at);
    return at < strings.length ? strings.toString('utf8', at, end === -1 ? undefined : end) : '';
  };
  const all = (wanted) => tags.filter(([tag]) => tag === wanted).map(([, at]) => text(at));
  return { needed: all(1), places: [...all(15), ...all(29)].flatMap((list) => list.split(':')) };
}

/** Of another C library or system, as packages with prebuilt programs for many of them hold. */
const isForeign = ({ needed }) => needed.some((name) => /^(?:libc\.musl-|ld-musl|libc\.so$|libc\.so\.7$|liblog\.so$)/.test(name));

/** Folders in which the loader of the base image looks. */
export function systemFolders() {
  const listed = [];
  try {
    for (const name of readdirSync('/etc/ld.so.conf.d').sort())
      listed.push(...readFileSync(join('/etc/ld.so.conf.d', name), 'utf8').split('\n').filter((line) => line.startsWith('/')));
  } catch {} // a base image without it
  const folders = [...listed.map((line) => line.trim()), '/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];
  return [...new Set(folders)];
}

const isFile = (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** What is needed of the system by these files: the libraries there, by the name they are needed under, and what is nowhere. */
export function systemLibraries(files, folders = systemFolders()) {
  const own = new Set(files.map((file) => basename(file)));
  const found = new Map();
  const missing = new Map();
  const left = files.slice(0, MAX_FILES);
  while (left.length > 0) {
    const file = left.pop();
    const elf = dynamicOf(file);
    if (elf === null || isForeign(elf)) continue;
    const places = elf.places.map((place) => place.replace(/\$ORIGIN|\$\{ORIGIN\}/g, dirname(file)));
    for (const name of elf.needed) {
      if (name === '' || name.includes('/') || name.includes('\\') || OF_EVERY_BASE.test(name)) continue;
      // A package's own library, loaded by its path or beside it.
      if (found.has(name) || own.has(name) || places.some((place) => isFile(join(place, name)))) continue;
      const folder = folders.find((at) => isFile(join(at, name)));
      if (folder === undefined) missing.set(name, file);
      else {
        const real = realpathSync(join(folder, name));
        found.set(name, real);
        left.push(real);
      }
    }
  }
  return { found, missing };
}

function main([target, list]) {
  const files = readFileSync(list, 'utf8').split('\0').filter(Boolean);
  const { found, missing } = systemLibraries(files);
  let bytes = 0;
  for (const [name, file] of found) {
    bytes += statSync(file).size;
    if (bytes > MAX_BYTES) throw new Error('the libraries that the service needs are larger than 1 GB');
    mkdirSync(target, { recursive: true });
    copyFileSync(file, join(target, name));
  }
  if (found.size > 0) console.log(`veren: libraries of the build that the service needs: ${[...found.keys()].sort().join(' ')}`);
  for (const [name, file] of [...missing].slice(0, 20))
    console.log(`veren: ${file} needs ${name}, which the image that services are built in does not have.`);
}

// Not where a test imports it.
if (process.argv[1]?.endsWith('/libraries.mjs')) main(process.argv.slice(2));
