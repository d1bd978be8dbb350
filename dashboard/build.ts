import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build, type Metafile } from 'esbuild';

/** Where the browser finds the platform. A path is one of the page's own origin. */
export interface Places {
  /** The beginning of the API's paths, without a slash at its end; empty: the page's own origin. */
  readonly api: string;
  /** The WebSocket API. */
  readonly socket: string;
  /** Where logs are followed; absent: at the API itself. */
  readonly logs?: string;
  /** A folder of a repository that the platform suggests to deploy first. */
  readonly example?: { readonly projectId: string; readonly gitUrl: string; readonly path: string };
}

export const LAPTOP_PLACES: Places = { api: '', socket: '/ws' };

/** Path below which everything of the dashboard is. */
export const DASHBOARD_PATH = '/dashboard';

export interface DashboardFile {
  /** Below `DASHBOARD_PATH`, with a slash before it. */
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
  /** Headers that it is to be served with, besides its type. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Dashboard {
  /** Answers every path below `DASHBOARD_PATH` that is no file: the pages' addresses are read in the browser. */
  readonly page: DashboardFile;
  /** Scripts, styles and pictures. Their names change with their content. */
  readonly assets: readonly DashboardFile[];
  /** Paths of the assets that the first page needs before it shows anything. */
  readonly first: readonly string[];
}

const compress = promisify(gzip);
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  html: 'text/html; charset=utf-8',
};
/** Of files whose names change with their content. */
export const FOREVER = { 'Cache-Control': 'public, max-age=31536000, immutable' };
const COMMON_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Bundles the dashboard in memory, in a tenth of a second. @throws where the sources do not compile */
export async function buildDashboard(places: Places): Promise<Dashboard> {
  const { outputFiles, metafile } = await build({
    entryPoints: {
      main: join(import.meta.dirname, 'main.tsx'),
      theme: join(import.meta.dirname, 'app/applyTheme.ts'),
      styles: join(import.meta.dirname, 'styles.css'),
      icon: join(import.meta.dirname, 'styles/icon.svg'),
    },
    absWorkingDir: import.meta.dirname,
    outdir: '/assets',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    minify: true,
    // The first with `light-dark()`, of spring 2024.
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.svg': 'copy' },
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const assets = await Promise.all(
    outputFiles.map(({ path, contents }) => fileOf(`/assets/${basename(path)}`, Buffer.from(contents), FOREVER)),
  );
  const nameOf = (entry: string) => assets.find(({ path }) => path.startsWith(`/assets/${entry}-`))!.path;
  const html = await readFile(join(import.meta.dirname, 'index.html'), 'utf8');
  const entries = { MAIN: nameOf('main'), THEME: nameOf('theme'), STYLES: nameOf('styles'), ICON: nameOf('icon') };
  const scripts = staticImports(metafile, entries.MAIN);
  const preloads = scripts.map((path) => `<link rel="modulepreload" href="${DASHBOARD_PATH}${path}" />`);
  const page = Object.entries(entries).reduce(
    (text, [name, path]) => text.replace(`%${name}%`, () => DASHBOARD_PATH + path),
    html
      .replace('%PLACES%', () => escapeAttribute(JSON.stringify(places)))
      // Without them the browser learns of a script only from the one that imports it.
      .replace('%PRELOADS%', () => preloads.join('\n    ')),
  );
  return {
    page: await fileOf('/index.html', Buffer.from(page), {
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': contentSecurityPolicy(places),
      'Cross-Origin-Opener-Policy': 'same-origin',
      'X-Frame-Options': 'DENY',
    }),
    assets,
    first: [...scripts, entries.THEME, entries.STYLES],
  };
}

/** Scripts and styles of ours only, no frames around it, and no connection but to the platform. */
export function contentSecurityPolicy({ api, socket, logs = '' }: Places): string {
  const origins = [api, socket, logs].flatMap((place) => (/^[a-z]+:\/\/[^/]+/.exec(place)?.[0] ?? []) || []);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${["'self'", ...new Set(origins)].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

export async function fileOf(path: string, body: Buffer, headers: Record<string, string>): Promise<DashboardFile> {
  const type = TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return {
    ...{ path, type, body, gzipped: await compress(body, { level: 9 }) },
    headers: { ...COMMON_HEADERS, ETag: etag, ...headers },
  };
}

const escapeAttribute = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The script and what it imports by `import`, but not by `import()`. */
function staticImports({ outputs }: Metafile, script: string): string[] {
  const nameIn = new Map(Object.keys(outputs).map((path) => [`/assets/${basename(path)}`, path]));
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const { path: next, kind } of outputs[nameIn.get(path) ?? '']?.imports ?? [])
      if (kind === 'import-statement') visit(`/assets/${basename(next)}`);
  };
  visit(script);
  return [...found];
}
