import { randomBytes } from 'node:crypto';
import { createApi } from '../../lambdas/api/app.ts';
import type { ApiDeps } from '../../lambdas/api/deps.ts';
import { filesReader } from '../../lambdas/api/readFiles.ts';
import { deploymentIds } from '../../lambdas/domain/deploymentIds.ts';
import { openAudit, openAuditReader } from '../../lambdas/shared/audit.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { openAppStore } from '../../lambdas/shared/gitHosts/app/appStore.ts';
import { openDeployHooks } from '../../lambdas/shared/gitHosts/deployHooks.ts';
import { openGitSecrets } from '../../lambdas/shared/gitHosts/gitSecrets.ts';
import { openGitState } from '../../lambdas/shared/gitHosts/gitState.ts';
import { hashToken } from '../../lambdas/shared/http/auth.ts';
import { createLog } from '../../lambdas/shared/logger.ts';
import { checkNoticeUrl } from '../../lambdas/shared/notifications/noticeAddress.ts';
import { authenticateCaller } from '../../lambdas/shared/people/authenticateCaller.ts';
import { limitOwners } from '../../lambdas/shared/people/limitOwners.ts';
import { noteTokenUse } from '../../lambdas/shared/people/namedTokens.ts';
import { openOwnerStore } from '../../lambdas/shared/people/ownerStore.ts';
import { measureStorage } from '../../lambdas/shared/people/storageUse.ts';
import { openCostStore } from '../../lambdas/shared/projects/costStore.ts';
import { deletionNoter } from '../../lambdas/shared/projects/deletions.ts';
import { projectFinder } from '../../lambdas/shared/projects/findProject.ts';
import { openProjectStore, type ProjectStore } from '../../lambdas/shared/projects/projectStore.ts';
import { openVariableStore } from '../../lambdas/shared/projects/variableStore.ts';
import { LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import { parseGitUrl } from '../../lambdas/shared/repo/gitUrl.ts';
import { type SecretBox, secretBox } from '../../lambdas/shared/secretBox.ts';
import { openUploads } from '../../lambdas/shared/uploads/uploadStore.ts';
import { type MemoryPlatform, openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { memoryS3 } from './memoryS3.ts';

/** Seals with a key of its own, unless one is given. */
export const testSecretBox = (key = randomBytes(32).toString('hex')): SecretBox =>
  secretBox(async () => ({ current: '1', 'key-1': key }));

export const TOKENS = { ada: 'token-of-ada', bob: 'token-of-bob' } as const;

export interface ApiFixture {
  readonly ports: MemoryPlatform;
  readonly s3: ReturnType<typeof memoryS3>;
  readonly projects: ProjectStore;
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
  /** An owner, or the text of a token. */
  readonly as?: string | null;
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
          ...(as && { Authorization: `Bearer ${TOKENS[as as keyof typeof TOKENS] ?? as}` }),
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
  const clock = over.clock ?? { now: Date.now };
  const ports = await openMemoryPlatform({ clock });
  const storage = { s3: memoryS3(), bucket: 'bucket', clock };
  const owners = openOwnerStore(storage);
  const limits = over.limits ?? { all: {}, owners: {} };
  const projects = over.projects ?? openProjectStore(storage);
  const measure = measureStorage({ ...storage, projects });
  const documents = openDocuments(storage.s3, storage.bucket);
  const secretBoxOf = over.secretBox ?? testSecretBox();
  const apps = openAppStore(documents, secretBoxOf);
  const hostRules = { policy: LAPTOP_POLICY, apiHosts: [] };
  const stopped: string[] = [];
  const logged: string[] = [];
  const log = createLog(({ level, message }) => level !== 'INFO' && logged.push(message));
  const app = createApi({
    ...ports,
    clock,
    archive: { writeRecord: never, readRecord: async () => null, writeLog: never, readLog: async () => null },
    authenticate: authenticateCaller({
      hashes: async () =>
        Object.fromEntries(Object.entries(TOKENS).map(([owner, token]) => [owner, [hashToken(token)]])),
      owners,
      clock,
      noteUse: noteTokenUse(owners, clock, (e) => logged.push(String(e))),
    }),
    owners,
    costs: openCostStore(documents),
    limits,
    measureStorage: measure,
    limiter: limitOwners({ ...ports, limits, measureStorage: measure, log }),
    projects,
    variables: openVariableStore(storage),
    gitSecrets: openGitSecrets({ documents, box: secretBoxOf }),
    uploads: openUploads({ ...storage, urlSigner: async () => 'http://storage.example/signed' }),
    gitState: openGitState(documents),
    ...{ apps, hostRules },
    deployHooks: openDeployHooks(documents),
    findProject: projectFinder({ ...storage, store: ports.store, projects }),
    noteDeletion: deletionNoter(storage.s3, storage.bucket),
    deletionGraceMs: 60_000,
    audit: openAudit(storage),
    readAudit: openAuditReader(storage),
    newId: deploymentIds(clock),
    linkOrigin: () => 'http://api.example',
    siteAddresses: async ({ projectId }) => ({ url: `http://${projectId}.example` }),
    normaliseGitUrl: (url) => parseGitUrl(url, LAPTOP_POLICY).href,
    checkNoticeUrl: (text) => checkNoticeUrl(text, LAPTOP_POLICY),
    stopBuilds: async (id) => void stopped.push(id),
    dropCaches: async () => [],
    hasObject: async () => true,
    readFiles: filesReader(storage.s3, storage.bucket),
    forbidPublication: async () => 'cancel',
    supersede: 'waiting',
    log,
    secretBox: secretBoxOf,
    ...over,
  });
  return { app, ports, stopped, logged, s3: storage.s3, projects };
}

const never = async () => {
  throw new Error('the API does not write the archive');
};
