import { z } from 'zod';
import { MicroUsdSchema, monthOf } from '../../../contract/cost.ts';
import { DEPLOYMENT_ID } from '../../../contract/events.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import type { Documents } from '../documents.ts';
import type { DeploymentStore } from '../ports.ts';

/** What one project's deployments of one month cost: one entry each, so that no event counts twice. Null: no prices. */
const MonthDocumentSchema = z.object({
  v: z.literal(1),
  deployments: z.record(z.string().regex(DEPLOYMENT_ID), MicroUsdSchema.nullable()),
});

/** The sum of a month. */
export interface MonthOfCosts {
  readonly microUsd: number;
  readonly deployments: number;
  readonly unpriced: number;
}

export interface CostStore {
  /** Writes down what a deployment costs now, in the month of its request. @returns False where it was written before. */
  note(record: DeploymentRecord): Promise<boolean>;
  sum(projectId: string, month: string): Promise<MonthOfCosts>;
}

export function openCostStore(documents: Documents): CostStore {
  return {
    async note({ deploymentId, projectId, createdAt, cost }) {
      if (!cost) return false;
      const amount = cost.microUsd ?? null;
      let isNew = false;
      await documents.change(s3Keys.costsOf(projectId, monthOf(createdAt)), MonthDocumentSchema, (before) => {
        const deployments = before?.deployments ?? {};
        isNew = !Object.hasOwn(deployments, deploymentId) || deployments[deploymentId] !== amount;
        return isNew ? { v: 1 as const, deployments: { ...deployments, [deploymentId]: amount } } : before;
      });
      return isNew;
    },
    async sum(projectId, month) {
      const document = await documents.read(s3Keys.costsOf(projectId, month), MonthDocumentSchema);
      const amounts = Object.values(document?.deployments ?? {});
      return {
        microUsd: amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0),
        deployments: amounts.length,
        unpriced: amounts.filter((amount) => amount === null).length,
      };
    },
  };
}

/**
 * Keeps a month's document as the records are. Two functions may handle events of one deployment at the same time, and the
 * one with the older record may write last: so whoever has written looks at the record once more.
 */
export async function keepCost(
  deps: { readonly store: Pick<DeploymentStore, 'get'>; readonly costs: Pick<CostStore, 'note'> },
  record: DeploymentRecord,
): Promise<void> {
  let latest: DeploymentRecord | undefined = record;
  while (latest && (await deps.costs.note(latest))) latest = (await deps.store.get(record.deploymentId))?.record;
}
