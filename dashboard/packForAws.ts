import { createHash } from 'node:crypto';
import { DASHBOARD_LIST } from '../contract/names.ts';
import { buildDashboard, contentSecurityPolicy, DASHBOARD_PATH, type DashboardFile, type Places } from './build.ts';
import { buildReference, REFERENCE_PATH, REFERENCE_POLICY } from './reference/buildReference.ts';

/** CloudFront has all of the platform behind one host name (docs/decisions/dashboard-on-aws.md). */
const AWS_PLACES: Places = { api: '', socket: '/ws', logs: '/follow' };

export const AWS_POLICIES = { dashboard: contentSecurityPolicy(AWS_PLACES), reference: REFERENCE_POLICY };

/** The dashboard and the reference page, as the function that uploads them is packed. */
export async function packForAws() {
  const [dashboard, reference] = await Promise.all([buildDashboard(AWS_PLACES), buildReference()]);
  // In this order they are put, so that no page names what is not there yet.
  const listed: (readonly [key: string, file: DashboardFile])[] = [
    ...dashboard.assets.map((file) => [`${DASHBOARD_PATH}${file.path}`.slice(1), file] as const),
    ...reference.assets.map((file) => [file.path.slice(1), file] as const),
    [`${DASHBOARD_PATH}/index.html`.slice(1), dashboard.page],
    [`${REFERENCE_PATH}/index.html`.slice(1), reference.page],
  ];
  const list = listed.map(([key, { type, headers }]) => ({ key, type, cacheControl: headers['Cache-Control'] }));
  const files = new Map<string, Uint8Array>([
    ...listed.map(([key, { body }]) => [key, body] as const),
    [DASHBOARD_LIST, Buffer.from(JSON.stringify(list))],
  ]);
  const hash = createHash('sha256');
  for (const [key, body] of files) hash.update(key).update('\0').update(body);
  return { files, version: hash.digest('hex').slice(0, 16), policies: AWS_POLICIES };
}
