import { z } from 'zod';
import { TARGETS } from './builders.ts';
import { EnvironmentSchema } from './lanes.ts';
import { MICRO_USD } from './money.ts';

/** An amount of money. */
export const MicroUsdSchema = z.int().min(0);

/** More bytes than a task can move within its time: a counter that says more is broken. */
const MAX_TRAFFIC = 2 ** 50;

/** Bytes that a builder's network interfaces have moved. Absent in events of builders of an earlier version. */
export const TrafficSchema = z.object({
  received: z.int().min(0).max(MAX_TRAFFIC),
  sent: z.int().min(0).max(MAX_TRAFFIC),
});
export type Traffic = z.infer<typeof TrafficSchema>;

/** Whether a task was on Fargate Spot. */
export const CAPACITIES = ['on demand', 'spot'] as const;

/** What a task's units cost when it ended, in millionths of a US dollar: later prices do not change an earlier cost. */
export const RatesSchema = z.object({
  /** The day of the price table. */
  date: z.iso.date(),
  vcpuHour: MicroUsdSchema,
  gigabyteHour: MicroUsdSchema,
  /** Of the task's disk above what is free. */
  diskGibHour: MicroUsdSchema,
  /** Of its public address; 0 where it has none. */
  addressHour: MicroUsdSchema,
  /** Of what it moves through a NAT gateway; 0 where there is none. */
  networkGigabyte: MicroUsdSchema,
  s3Put: MicroUsdSchema,
  s3GigabyteMonth: MicroUsdSchema,
  ecrGigabyteMonth: MicroUsdSchema,
});
export type Rates = z.infer<typeof RatesSchema>;

/** What the task of one attempt was and how long it is billed for. */
export const TaskUseSchema = z.object({
  /** From the pull of its image to its end, in whole seconds, at least a minute. Source: the price page of Fargate. */
  seconds: z.int().min(0),
  /** 1,024 are one vCPU. */
  cpuUnits: z.int().min(0),
  memoryMiB: z.int().min(0),
  /** The task's disk above the 20 GiB that are free. */
  billedDiskGiB: z.int().min(0),
  capacity: z.enum(CAPACITIES),
  region: z.string().max(64),
  /** Absent where the prices of the region are not known. */
  rates: RatesSchema.optional(),
});
export type TaskUse = z.infer<typeof TaskUseSchema>;

/** The cost of one attempt, and how it comes about. */
export const TaskCostSchema = TaskUseSchema.omit({ region: true, rates: true }).extend({
  target: z.enum(TARGETS),
  attempt: z.int().min(1),
  traffic: TrafficSchema.optional(),
  /** Processor, memory, disk and public address; absent where there are no prices. */
  compute: MicroUsdSchema.optional(),
  /** Through a NAT gateway; absent where the builder has told no bytes. */
  network: MicroUsdSchema.optional(),
  /** To write what was published, and to keep it for the first month. */
  storage: MicroUsdSchema.optional(),
});
export type TaskCost = z.infer<typeof TaskCostSchema>;

/** What a deployment's tasks that have ended cost, as a computed estimate: AWS's bill is the truth. */
export const CostSchema = z.object({
  /** Absent where the prices of the region are not known. */
  microUsd: MicroUsdSchema.optional(),
  region: z.string(),
  /** The day of the price table. */
  pricesOf: z.iso.date().optional(),
  tasks: z.array(TaskCostSchema),
});
export type Cost = z.infer<typeof CostSchema>;

/** A month of the calendar, UTC. */
export const MonthSchema = z.string().regex(/^20\d{2}-(?:0[1-9]|1[0-2])$/, 'is no month like 2026-11');
/** The month of a time in ISO 8601, UTC. */
export const monthOf = (at: string): string => at.slice(0, 7);

/** A project's budget for builds: what is over it first slows them and then refuses them. */
export const BudgetSchema = z.strictObject({
  /** Whole US dollars for each month (UTC). */
  monthlyUsd: z.int().min(1).max(1_000_000),
});
export type CostBudget = z.infer<typeof BudgetSchema>;

/** From how many per cent of a budget on what happens: docs/decisions/cost.md. */
export const BUDGET_PERCENT = { slow: 80, refuse: { preview: 100, production: 120 } } as const;

/** The whole per cent of a budget that are spent. */
export const budgetPercent = ({ monthlyUsd }: CostBudget, microUsd: number): number =>
  Math.floor((microUsd * 100) / (monthlyUsd * MICRO_USD));

/** What one project's builds have cost in one month. */
export const ProjectCostsSchema = z.object({
  projectId: z.string(),
  /** Deployments count in the month of their request. */
  month: MonthSchema,
  microUsd: MicroUsdSchema,
  /** Deployments with a cost. */
  deployments: z.int(),
  /** Deployments among them without an amount, since the prices of their region are not known. */
  unpriced: z.int(),
  /** Absent where none is set. It is for the present month, whatever month was asked for. */
  budget: BudgetSchema.extend({
    percent: z.int(),
    /** Builds run on Spot capacity and one at a time. */
    slowed: z.boolean(),
    /** Environments that are not built until the month ends. */
    refused: z.array(EnvironmentSchema),
  }).optional(),
});
export type ProjectCosts = z.infer<typeof ProjectCostsSchema>;
