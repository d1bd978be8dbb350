import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where the page is; what it loads is below it. */
export const REFERENCE_PATH = '/docs';

/**
 * The API's reference page: Swagger UI with its own files, so that no other host is asked, and nothing inline, so that
 * the policy needs no exception. Paths without a leading slash; names of what the page loads hold a hash.
 */
export async function referenceFiles(root: string): Promise<Map<string, Uint8Array>> {
  const own = (name: string) => readFile(join(root, 'dashboard/reference', name));
  const swagger = dirname(createRequire(join(root, 'package.json')).resolve('swagger-ui-dist/package.json'));
  const renderer = (name: string) => readFile(join(swagger, name));
  const [page, bundle, start, style, ownStyle] = await Promise.all([
    own('index.html'),
    renderer('swagger-ui-bundle.js'),
    own('start.js'),
    renderer('swagger-ui.css'),
    own('style.css'),
  ]);
  // Their maps are not served.
  const withoutMap = (source: Buffer) => source.toString().replace(/^\/[/*]# sourceMappingURL=.*$/m, '');
  const script = Buffer.from(`${withoutMap(bundle)}\n${start}`);
  const sheet = Buffer.from(`${withoutMap(style)}\n${ownStyle}`);
  const names = { script: hashedName(script, 'js'), style: hashedName(sheet, 'css') };
  const html = page.toString().replace(/\{\{(script|style)\}\}/g, (_, kind: keyof typeof names) => `/${names[kind]}`);
  return new Map<string, Uint8Array>([
    [names.script, script],
    [names.style, sheet],
    [`${REFERENCE_PATH.slice(1)}.html`, Buffer.from(html)],
  ]);
}

const hashedName = (content: Buffer, type: string) =>
  `assets/reference-${createHash('sha256').update(content).digest('hex').slice(0, 10)}.${type}`;
