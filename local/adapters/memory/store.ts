import type { StoredRequest } from '../../../contract/jobs.ts';
import { type DeploymentRecord, isTerminal } from '../../../contract/record.ts';
import { rankOf } from '../../../lambdas/domain/deploymentIds.ts';
import { type DeploymentFacts, emptyFacts } from '../../../lambdas/domain/facts.ts';
import { reduceEvent } from '../../../lambdas/domain/reduce.ts';
import { toRecord } from '../../../lambdas/domain/toRecord.ts';
import type { Clock, DeploymentStore } from '../../../lambdas/shared/ports.ts';
import type { Journal } from './journal.ts';
import { addJob } from './queue.ts';

/** Deployments in the journal's tables. */
export function memoryStore(journal: Journal, clock: Clock): DeploymentStore {
  const facts = journal.table<DeploymentFacts>('deployments');
  const requests = journal.table<StoredRequest>('requests');
  const projects = journal.table<string>('projects');
  const keys = journal.table<{ fingerprint: string; deploymentId: string }>('idempotency');

  /** Oldest first. */
  const listRecords = () =>
    [...facts.values()]
      .map(toRecord)
      .filter((record) => record !== null)
      .sort((a, b) => rankOf(a) - rankOf(b) || compareText(a.deploymentId, b.deploymentId));

  return {
    async create({ requested, request, idempotency, job }) {
      const { deploymentId, projectId, owner } = requested;
      const key = idempotency && JSON.stringify([owner, idempotency.key]);
      const known = key === undefined ? undefined : keys.get(key);
      if (known && known.fingerprint !== idempotency?.fingerprint) return { kind: 'key-reused' };
      if (known && known.deploymentId !== deploymentId) return { kind: 'replayed', deploymentId: known.deploymentId };
      if ((projects.get(projectId) ?? owner) !== owner) return { kind: 'foreign-project' };
      if (!projects.has(projectId)) projects.set(projectId, owner);
      if (key !== undefined && idempotency) keys.set(key, { fingerprint: idempotency.fingerprint, deploymentId });
      if (!requests.has(deploymentId)) requests.set(deploymentId, structuredClone(request));
      facts.set(deploymentId, reduceEvent(facts.get(deploymentId) ?? emptyFacts, requested));
      if (job) addJob(journal, clock, job.queue, job);
      await journal.commit();
      return { kind: 'created' };
    },

    knowsKey: async (owner, key) => keys.has(JSON.stringify([owner, key])),

    async get(deploymentId) {
      const known = facts.get(deploymentId);
      const record = known && toRecord(known);
      if (!record) return null;
      return structuredClone({ facts: known, record, request: requests.get(deploymentId) ?? null });
    },

    probe: () => journal.commit(),

    async replaceRequest(deploymentId, request) {
      if (!requests.has(deploymentId)) return false;
      requests.set(deploymentId, structuredClone(request));
      await journal.commit();
      return true;
    },

    async fold(deploymentId, events) {
      const known = facts.get(deploymentId) ?? emptyFacts;
      const folded = events.reduce(reduceEvent, known);
      const after = toRecord(folded);
      if (!after) return null;
      if (!projects.has(after.projectId)) projects.set(after.projectId, after.owner);
      if (folded !== known) facts.set(deploymentId, structuredClone(folded));
      await journal.commit();
      return structuredClone({ before: toRecord(known), after });
    },

    async list({ owner, projectId, limit, cursor }) {
      const all = listRecords()
        .filter((r) => r.owner === owner && (projectId === undefined || r.projectId === projectId))
        .reverse();
      const from = cursor === undefined ? 0 : all.findIndex((r) => r.deploymentId === cursor) + 1;
      if (cursor !== undefined && from === 0) return { items: [] };
      return structuredClone(pageOf(all.slice(from), limit));
    },

    async unfinished() {
      return listRecords()
        .filter((r) => !isTerminal(r.status))
        .map((r) => r.deploymentId);
    },

    async remove(deploymentId) {
      facts.delete(deploymentId);
      requests.delete(deploymentId);
      for (const [key, known] of [...keys.entries()]) if (known.deploymentId === deploymentId) keys.delete(key);
      await journal.commit();
    },

    async projectOwner(projectId) {
      return projects.get(projectId) ?? null;
    },

    async claimProject(projectId, owner) {
      if (!projects.has(projectId)) projects.set(projectId, owner);
      await journal.commit();
      return projects.get(projectId) === owner;
    },

    async releaseProject(projectId, owner) {
      if (projects.get(projectId) === owner) projects.delete(projectId);
      await journal.commit();
    },

    async claims() {
      return [...projects.entries()].map(([projectId, owner]) => ({ projectId, owner }));
    },
  };
}

function pageOf(rest: DeploymentRecord[], limit: number): { items: DeploymentRecord[]; cursor?: string } {
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return last && rest.length > limit ? { items, cursor: last.deploymentId } : { items };
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
