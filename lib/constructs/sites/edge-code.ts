import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BALANCER_HOST } from '../../../contract/serviceResources.ts';

/** Ids of the distribution's origins, by which the viewer-request function chooses one. */
export const SITE_ORIGINS = {
  files: 'files',
  siteFunction: 'site-function',
  balancer: BALANCER_HOST,
} as const;

/** The code of the function in front of the sites, for a stage's domain or '' for none. */
export const viewerRequestCode = (
  domain: string,
  { services = false }: { services?: boolean | 'balanced' } = {},
): string => edgeCode('viewer-request.js', domain).replaceAll('__SERVICES__', String(services));

/** The code of the function behind the sites. */
export const viewerResponseCode = (domain: string): string => edgeCode('viewer-response.js', domain);

/** Comments are dropped, since CloudFront takes 10 KB at most. */
function edgeCode(file: string, domain: string): string {
  return readFileSync(join(dirname(fileURLToPath(import.meta.url)), file), 'utf8')
    .replaceAll(/^\s*(\/\/|\/\*\*|\* |\*\/).*\n/gm, '')
    .replace('__DOMAIN__', domain);
}
