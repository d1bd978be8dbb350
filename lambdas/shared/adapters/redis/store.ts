import type { Redis } from 'ioredis';
import { VerenError } from '../../../../contract/errors.ts';
import { isTerminal } from '../../../../contract/record.ts';
import { rankOf } from '../../../domain/deploymentIds.ts';
import { type DeploymentFacts, emptyFacts } from '../../../domain/facts.ts';
import { reduceEvent } from '../../../domain/reduce.ts';
import { toRecord } from '../../../domain/toRecord.ts';
import type { CreateResult, DeploymentStore } from '../../ports.ts';
import { withRedisRetry } from './available.ts';
import type { RedisPortOptions } from './options.ts';
import { jobArguments, queueBase } from './queue.ts';
import { scriptRunner } from './scripts.ts';
import { CLAIM, CREATE, PAGE, RELEASE, REMOVE, REPLACE, REPLACE_REQUEST } from './storeScripts.ts';

const DAY_MS = 24 * 3_600_000;
/** Hot state is kept this long after a deployment's last event; the archive in S3 has it for ever. */
const KEEP_MS = 90 * DAY_MS;
const KEEP_KEY_MS = 7 * DAY_MS;
const PROBE_MS = 60_000;
/** Attempts of a fold. Conflicts are rare, since all events of a deployment are in one partition. */
const MAX_CONFLICTS = 20;

/** Stores deployments as facts with optimistic concurrency: read, reduce, write if the version is still the same. */
export function redisStore(redis: Redis, { prefix, clock }: RedisPortOptions): DeploymentStore {
  const base = `${prefix}:{deployments}:`;
  const scripts = scriptRunner(redis, base, clock && (() => clock.now()));
  const readStored = async (deploymentId: string) => {
    const [facts, version, request] = await withRedisRetry(() =>
      redis.hmget(`${base}deployment:${deploymentId}`, 'facts', 'version', 'request'),
    );
    return { facts: facts ? (JSON.parse(facts) as DeploymentFacts) : emptyFacts, version: version ?? '', request };
  };

  return {
    async create({ requested, request, idempotency, job }) {
      const facts = reduceEvent(emptyFacts, requested);
      const reply = (await scripts.run(
        CREATE,
        requested.deploymentId,
        requested.owner,
        requested.projectId,
        rankOf({ ...requested, createdAt: requested.at }),
        JSON.stringify(facts),
        JSON.stringify(request),
        KEEP_MS,
        KEEP_KEY_MS,
        idempotency?.key ?? '',
        idempotency?.fingerprint ?? '',
        ...(job ? [queueBase(prefix, job.queue), ...jobArguments(job)] : []),
      )) as string;
      const [kind, deploymentId] = reply.split(' ') as [CreateResult['kind'], string?];
      return kind === 'replayed' ? { kind, deploymentId: deploymentId! } : { kind };
    },

    async knowsKey(owner, key) {
      const id = await withRedisRetry(() => redis.hget(`${base}idempotency:${owner}\0${key}`, 'id'));
      return id !== null && (await readStored(id)).version !== '';
    },

    async get(deploymentId) {
      const { facts, request } = await readStored(deploymentId);
      const record = toRecord(facts);
      return record && { facts, record, request: request ? JSON.parse(request) : null };
    },

    async probe() {
      await withRedisRetry(() => redis.set(`${base}probe`, '', 'PX', PROBE_MS));
    },

    replaceRequest: async (deploymentId, request) =>
      (await scripts.run(REPLACE_REQUEST, deploymentId, JSON.stringify(request))) === '1',

    async fold(deploymentId, events) {
      for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
        const { facts, version } = await readStored(deploymentId);
        const folded = events.reduce(reduceEvent, facts);
        const after = toRecord(folded);
        if (!after) return null;
        const before = toRecord(facts);
        if (folded === facts) return { before, after };
        const replaced = await scripts.run(
          REPLACE,
          deploymentId,
          after.owner,
          after.projectId,
          rankOf(after),
          JSON.stringify(folded),
          version,
          isTerminal(after.status) ? 1 : 0,
          KEEP_MS,
        );
        if (replaced === '1') return { before, after };
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * (conflicts + 1)));
      }
      throw new VerenError('UNAVAILABLE', { reason: `too many writers for deployment ${deploymentId}` });
    },

    async list({ owner, projectId, limit, cursor }) {
      const index = projectId === undefined ? owner : `${owner}\0${projectId}`;
      const found = (await scripts.run(PAGE, index, cursor ?? '', limit + 1)) as string[];
      const records = found.map((facts) => toRecord(JSON.parse(facts))).filter((record) => record !== null);
      const items = records.slice(0, limit);
      const last = items.at(-1);
      return last && records.length > limit ? { items, cursor: last.deploymentId } : { items };
    },

    unfinished: () => withRedisRetry(() => redis.zrange(`${base}unfinished`, '0', '-1')),

    async remove(deploymentId) {
      const { facts } = await readStored(deploymentId);
      const { owner = '', projectId = '' } = facts.requested ?? {};
      await scripts.run(REMOVE, deploymentId, owner, projectId);
    },

    projectOwner: (projectId) => withRedisRetry(() => redis.hget(`${base}projects`, projectId)),

    claimProject: async (projectId, owner) => (await scripts.run(CLAIM, projectId, owner)) === owner,

    async releaseProject(projectId, owner) {
      await scripts.run(RELEASE, projectId, owner);
    },

    async claims() {
      const owners = await withRedisRetry(() => redis.hgetall(`${base}projects`));
      return Object.entries(owners).map(([projectId, owner]) => ({ projectId, owner }));
    },
  };
}
