import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { openHandover } from '../../../builder-images/shared/open-handover.ts';
import { describeLostEnd, ERRORS, type ErrorCode } from '../../../contract/errors.ts';
import type { Manifest, PublicationDecision } from '../../../contract/manifest.ts';
import { imageTag, s3Keys } from '../../../contract/names.ts';
import type { Artifact } from '../../../contract/record.ts';
import type { EventBus } from '../../../lambdas/shared/ports.ts';
import { publishAsBuilder } from '../signing.ts';
import type { Container, Ending } from './simulatedEcs.ts';

/**
 * What a stand-in for a builder does, given as the user's variable DO, for each attempt one word, the last for all that
 * follow: `ok` · `silent` (publishes, and its last event is lost) · `exit:N` (without a word) · `says:CODE` (and exits with
 * its code) · `hang` (until it is stopped) · `spot` (the capacity is taken back) · `gone` (never started).
 */
export type Script = string;

export interface StandInOptions {
  readonly bus: EventBus;
  readonly s3: S3Client;
  readonly bucket: string;
  /** Milliseconds of work before the end. */
  readonly work?: () => number;
  readonly onStarted?: (deploymentId: string) => void;
  /** Told of each artifact when it becomes visible. */
  readonly onPublished?: (deploymentId: string) => void;
  readonly now?: () => number;
}

export function standIn(options: StandInOptions): Container {
  const { bus, s3, bucket: Bucket, now = Date.now } = options;
  return async (override, signal) => {
    const { raw: env, claimed } = await openHandover(override);
    await claimed;
    const { DEPLOYMENTID: deploymentId = '', PROJECT_ID: projectId = '', BUILD_ENV = '{}' } = env;
    const attempt = Number(env.ATTEMPT);
    options.onStarted?.(deploymentId);
    const target = env.BACKEND_PATH === undefined ? ('frontend' as const) : ('backend' as const);
    const scripts = JSON.parse(BUILD_ENV) as { DO?: Script; DO_BACKEND?: Script };
    const words = ((target === 'frontend' ? scripts.DO : scripts.DO_BACKEND) ?? 'ok').split(',');
    const word = words[Math.min(attempt, words.length) - 1] ?? 'ok';
    const at = () => new Date(now()).toISOString();
    const say = async (what: string, body: object) => {
      const id = `${deploymentId}-${target}-${attempt}-${what}`;
      const event = { v: 1, id, at: at(), deploymentId, projectId, target, attempt, ...body };
      await publishAsBuilder(bus, event, env.EVENT_SIGNING_KEY);
    };
    const fail = async (code: ErrorCode) => {
      await say('ended', { type: 'build.failed', error: { code, message: describeLostEnd(code) }, logLines: 0 });
      return ERRORS[code].exitCode ?? 1;
    };
    const put = (Key: string, body: object, condition: object = {}) =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(body), ...condition }));

    const hold = env.HOLD === '1';
    const site: Artifact = { kind: 'static', bucket: Bucket, prefix: s3Keys.site(projectId), files: 1, bytes: 2 };
    const page = {
      path: 'index.html',
      size: Buffer.byteLength(JSON.stringify({ deploymentId })),
      sha256: deploymentId,
      contentType: 'text/html',
      cacheControl: 'no-cache',
      key: `${s3Keys.deploymentFiles(projectId, deploymentId)}index.html`,
    };
    const verdict = async (): Promise<boolean> => {
      const own: PublicationDecision = { v: 1, verdict: 'publish', at: at() };
      return put(s3Keys.verdict(projectId, deploymentId, target), own, { IfNoneMatch: '*' }).then(
        () => true,
        () => attempt > 1,
      );
    };

    async function push(): Promise<Artifact | null> {
      const uri = `registry.example/my-backend:${imageTag(projectId, deploymentId)}`;
      return (await verdict()) ? { kind: 'image', uri, digest: `sha256:${'0'.repeat(64)}`, bytes: 1 } : null;
    }

    /** As the builder does it: the copy, then the verdict. */
    async function publish(): Promise<Artifact | null> {
      const manifest: Manifest = {
        v: 1,
        projectId,
        deploymentId,
        attempt,
        commit: env.GIT_COMMIT ?? '',
        createdAt: at(),
        files: 1,
        bytes: 2,
        complete: true,
        objects: [page],
      };
      await put(page.key, { deploymentId });
      await put(s3Keys.deploymentManifest(projectId, deploymentId), manifest);
      if (hold) return site;
      if (!(await verdict())) return null;
      options.onPublished?.(deploymentId);
      return site;
    }

    const [kind, detail = ''] = word.split(':');
    if (kind === 'gone')
      return { stopCode: 'TaskFailedToStart', stoppedReason: 'ResourceInitializationError' } satisfies Ending;
    await say('fetch-started', { type: 'build.phase', phase: 'fetch', state: 'started' });
    await sleep(kind === 'hang' ? 1e9 : (options.work?.() ?? 1), signal);
    if (kind === 'spot') {
      await fail('BUILD_STOPPED');
      return { exitCode: 143, stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.' };
    }
    if (signal.aborted) return fail('BUILD_STOPPED');
    if (kind === 'exit') return Number(detail);
    if (kind === 'says') return fail(detail as ErrorCode);
    const artifact = await (target === 'frontend' ? publish() : push());
    if (!artifact) return fail('DEPLOYMENT_CANCELED');
    const type = hold ? 'build.stored' : 'build.succeeded';
    if (kind === 'ok') await say('ended', { type, artifact, logLines: 0 });
    return 0;
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}
