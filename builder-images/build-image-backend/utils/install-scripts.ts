/**
 * Packages whose install scripts read nothing of the project but what is copied for every installation (package.json, .npmrc):
 * they compile, download or check something of their own. A package that is missing here costs time, not correctness.
 */
const SELF_CONTAINED = new Set(
  `@apollo/protobufjs @apollo/rover @biomejs/biome @bufbuild/buf @clerk/shared @datadog/native-appsec
  @datadog/native-iast-taint-tracking @datadog/native-metrics @datadog/pprof @discordjs/opus @firebase/util
  @google-cloud/profiler @mongodb-js/zstd @nestjs/core @newrelic/native-metrics @parcel/css @parcel/watcher
  @scarf/scarf @sentry/cli @sentry/profiling-node @sentry-internal/node-cpu-profiler @serialport/bindings-cpp
  @swc/core @tailwindcss/oxide @tensorflow/tfjs-node @vscode/ripgrep argon2 aws-crt bcrypt better-sqlite3
  bigint-buffer bufferutil canvas chromedriver classic-level core-js core-js-pure cpu-features cwebp-bin cypress
  dd-trace deasync diskusage dprint dtrace-provider electron es5-ext esbuild farmhash farmhash-modern ffi-napi
  ffmpeg-static ffprobe-static fsevents geckodriver gifsicle gl grpc hiredis hnswlib-node husky ibm_db iltorb
  isolated-vm jpegtran-bin keccak kerberos keytar lefthook leveldown libpq lmdb microtime mongodb-client-encryption
  mozjpeg msgpackr-extract node-expat node-hid node-libcurl node-pty node-rdkafka node-sass nice-napi odbc
  onnxruntime-node opencollective-postinstall optipng-bin oracledb pg-native pngquant-bin pprof pre-commit protobufjs
  re2 ref-napi rocksdb secp256k1 segfault-handler serialport sharp simple-git-hooks snappy sodium-native sqlite3 ssh2
  styled-components swagger-ui-dist tiny-secp256k1 tree-sitter ttf2woff2 unix-dgram unrs-resolver usb utf-8-validate
  v8-profiler-next vue-demi websocket workerd xxhash yarn yorkie youtube-dl-exec zeromq zlib-sync`.split(/\s+/),
);

/** Generate the client out of the schema, whose usual places are copied; a configuration that is a program may read anything. */
const PRISMA = new Set(['prisma', '@prisma/client', '@prisma/engines']);

/** Packages that are known to read settings or sources of the project, for lockfiles that do not tell who has a script. */
const READERS =
  /^(?:puppeteer(?:-[\w-]+)?|@puppeteer\/.+|playwright-.+|nx|@nx\/.+|msw|@angular\/cli|@sveltejs\/kit|contentlayer2?|zenstack|@zenstackhq\/.+|electron-.+|patch-package|node-red|gatsby.*|strapi|@strapi\/.+|sails.*|prisma|@prisma\/client)$/;

export interface LockedScripts {
  /** Of every dependency that has a script which runs during the installation; null where that cannot be told. */
  readonly withScripts: readonly string[] | null;
  /** Every dependency, as far as the lockfile names them. */
  readonly names: readonly string[];
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const afterLast = (text: string, part: string) => text.slice(text.lastIndexOf(part) + part.length);

/** npm's own lockfile says it. Source: https://docs.npmjs.com/cli/configuring-npm/package-lock-json (`hasInstallScript`). */
export function ofNpmLock(text: string): LockedScripts {
  const { packages } = record(JSON.parse(text));
  if (packages === undefined) return { withScripts: null, names: namesIn(text) };
  const found = Object.entries(record(packages)).filter(([path]) => path.includes('node_modules/'));
  const name = ([path, entry]: [string, unknown]) => {
    const own = record(entry).name;
    return typeof own === 'string' ? own : afterLast(path, 'node_modules/');
  };
  return {
    withScripts: found.filter(([, entry]) => record(entry).hasInstallScript === true).map(name),
    names: found.map(name),
  };
}

/** Since version 10 pnpm runs the scripts of those alone that the project allows; before, its lockfile named them up to version 6. */
export function ofPnpm(text: string, major: number, settings: Readonly<Record<string, unknown>>): LockedScripts {
  const names = namesIn(text);
  if (settings.dangerouslyAllowAllBuilds === true) return { withScripts: null, names };
  if (major >= 10) {
    const listed = Array.isArray(settings.onlyBuiltDependencies) ? settings.onlyBuiltDependencies : [];
    const allowed = Object.entries(record(settings.allowBuilds)).flatMap(([name, yes]) => (yes === true ? [name] : []));
    const only = [...listed.filter((name) => typeof name === 'string'), ...allowed];
    // `name@1.0.0 || 2.0.0`
    const allowedNames = only.map((name) => name.replace(/(?<=.)@.*$/, ''));
    return { withScripts: allowedNames.filter((name) => names.includes(name)), names };
  }
  if (!/^lockfileVersion: '?[56]\./m.test(text)) return { withScripts: null, names };
  const withScripts: string[] = [];
  let name = '';
  // Line by line: as YAML, a lockfile of some megabytes takes many seconds.
  for (const line of text.split('\n')) {
    name = /^ {2}\/?((?:@[^/\s]{1,214}\/)?[^@/(\s:]{1,214})\S{0,500}:$/.exec(line)?.[1] ?? name;
    if (line === '    requiresBuild: true') withScripts.push(name);
  }
  return { withScripts, names };
}

/** Of a lockfile of any kind: what looks like the name of a package at the beginning of a line or a string. */
export const namesIn = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/(?:^|["'/\s])((?:@[\w.-]{1,100}\/)?[\w.-]{1,214})(?=["'@:])/gm)].map(([, name]) => name!),
  ),
];

/** Why the installation of these needs the whole source; null where it does not. */
export function reasonOfScripts(
  { withScripts, names }: LockedScripts,
  project: { readonly prismaProgram: boolean },
): string | null {
  const readsProject = (name: string) => (PRISMA.has(name) ? project.prismaProgram : !SELF_CONTAINED.has(name));
  const found =
    withScripts === null
      ? names.find((name) => READERS.test(name) && readsProject(name))
      : withScripts.find(readsProject);
  return found === undefined ? null : `the install script of ${found} may read any file of the project`;
}
