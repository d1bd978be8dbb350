import { randomBytes } from 'node:crypto';
import { createApi } from '../../lambdas/api/app.ts';
import type { ApiDeps } from '../../lambdas/api/deps.ts';
import { deploymentIds } from '../../lambdas/domain/deploymentIds.ts';
import { authenticateByHash, hashToken } from '../../lambdas/shared/http/auth.ts';
import { createLog } from '../../lambdas/shared/logger.ts';
import { LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import { parseGitUrl } from '../../lambdas/shared/repo/gitUrl.ts';
import { type SecretBox, secretBox } from '../../lambdas/shared/secretBox.ts';
import { type MemoryPlatform, openMemoryPlatform } from '../../local/adapters/memory/platform.ts';

/** Seals with a key of its own, unless one is given. */
export const testSecretBox = (key = randomBytes(32).toString('hex')): SecretBox =>
  secretBox(async () => ({ current: '1', 'key-1': key }));

export const TOKENS = { ada: 'token-of-ada', bob: 'token-of-bob' } as const;

export interface ApiFixture {
  readonly ports: MemoryPlatform;
  readonly stopped: string[];
  readonly logged: string[];
  /** Calls the API as `as` (default ada); a plain object as body is sent as JSON, text and bytes as they are. */
  call(
    method: string,
    path: string,
    body?: unknown,
    options?: CallOptions,
    // biome-ignore lint/suspicious/noExplicitAny: whatever JSON it is, tests look into it
  ): Promise<{ status: number; body: any; headers: Headers }>;
}

interface CallOptions {
  readonly as?: keyof typeof TOKENS | null;
  readonly headers?: Record<string, string>;
}

/** The API on memory ports; nothing is cloned or built. */
export async function apiFixture(over: Partial<ApiDeps> = {}): Promise<ApiFixture> {
  const { app, ...fixture } = await apiApp(over);
  return {
    ...fixture,
    async call(method, path, body, { as = 'ada', headers = {} } = {}) {
      const response = await app.request(`http://api.example${path}`, {
        method,
        headers: {
          ...(as && { Authorization: `Bearer ${TOKENS[as]}` }),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && {
          body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
        }),
      });
      const text = await response.text();
      const json = response.headers.get('content-type')?.includes('json') && !text.includes('}\n{');
      return { status: response.status, headers: response.headers, body: json && text ? JSON.parse(text) : text };
    },
  };
}

/** The same for whoever calls it over a server of its own. */
export async function apiApp(over: Partial<ApiDeps> = {}) {
  const clock = { now: Date.now };
  const ports = await openMemoryPlatform({ clock });
  const stopped: string[] = [];
  const logged: string[] = [];
  const app = createApi({
    ...ports,
    clock,
    archive: { writeRecord: never, readRecord: async () => null, writeLog: never, readLog: async () => null },
    authenticate: authenticateByHash(async () =>
      Object.fromEntries(Object.entries(TOKENS).map(([owner, token]) => [owner, [hashToken(token)]])),
    ),
    newId: deploymentIds(clock),
    linkOrigin: () => 'http://api.example',
    siteAddresses: async (projectId) => ({ url: `http://${projectId}.example` }),
    normaliseGitUrl: (url) => parseGitUrl(url, LAPTOP_POLICY).href,
    stopBuilds: async (id) => void stopped.push(id),
    dropCaches: async () => [],
    forbidPublication: async () => 'cancel',
    supersede: 'waiting',
    log: createLog(({ level, message }) => level !== 'INFO' && logged.push(message)),
    secretBox: testSecretBox(),
    ...over,
  });
  return { app, ports, stopped, logged };
}

const never = async () => {
  throw new Error('the API does not write the archive');
};
