import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type DashboardFile, FOREVER, fileOf } from '../build.ts';

/** Where the API's reference page is; what it loads is below. */
export const REFERENCE_PATH = '/docs';

export interface Reference {
  readonly page: DashboardFile;
  readonly assets: readonly DashboardFile[];
}

/** Scripts and styles of ours only. Swagger UI's icons are `data:` pictures. */
export const REFERENCE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The reference page: Swagger UI out of its npm package, so that no other host is asked, with nothing inline
 * (docs/decisions/reference-page.md). Paths are whole: `/docs`, `/docs/assets/…`.
 */
export async function buildReference(): Promise<Reference> {
  const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const own = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');
  const ofSwagger = (name: string) => readFile(join(swagger, name), 'utf8');
  const [page, bundle, start, sheet, ownSheet] = await Promise.all([
    own('index.html'),
    ofSwagger('swagger-ui-bundle.js'),
    own('start.js'),
    ofSwagger('swagger-ui.css'),
    own('style.css'),
  ]);
  const [script, style] = await Promise.all([
    assetOf('js', `${withoutMap(bundle)}\n${start}`),
    assetOf('css', `${withoutMap(sheet)}\n${ownSheet}`),
  ]);
  const html = page.replace('%SCRIPT%', script.path).replace('%STYLE%', style.path);
  return {
    page: {
      ...(await fileOf('/docs.html', Buffer.from(html), {
        'Cache-Control': 'no-cache',
        'Content-Security-Policy': REFERENCE_POLICY,
        'Cross-Origin-Opener-Policy': 'same-origin',
        'X-Frame-Options': 'DENY',
      })),
      path: REFERENCE_PATH,
    },
    assets: [script, style],
  };
}

/** Maps of the renderer are not served. */
const withoutMap = (source: string) => source.replace(/^\/[/*]# sourceMappingURL=.*$/m, '');

function assetOf(type: string, content: string): Promise<DashboardFile> {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 10);
  return fileOf(`${REFERENCE_PATH}/assets/reference-${hash}.${type}`, Buffer.from(content), FOREVER);
}
