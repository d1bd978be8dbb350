import type { Cost, ProjectCosts } from './cost.ts';

/** An amount of money is a whole number of millionths of a US dollar, so that sums are exact in any order. */
export const MICRO_USD = 1_000_000;
/** Smaller parts of a dollar are not shown. */
const SHOWN = 100;

/** `$12.34`; less than a dollar with four places: `$0.0042`. */
export function formatMoney(microUsd: number): string {
  if (microUsd === 0) return '$0';
  if (microUsd < SHOWN) return 'less than $0.0001';
  const places = microUsd < MICRO_USD ? 4 : 2;
  return `$${(microUsd / MICRO_USD).toFixed(places)}`;
}

/** What a deployment has cost, in one line: `about $0.0042 (92 s of tasks, prices of 2026-11-28)`. */
export function describeCost({ microUsd, region, pricesOf, tasks }: Cost): string {
  const seconds = tasks.reduce((sum, task) => sum + task.seconds, 0);
  const spot = tasks.filter(({ capacity }) => capacity === 'spot').length;
  const ran = `${seconds} s of tasks${spot === 0 ? '' : `, ${spot} of ${tasks.length} on Spot`}`;
  return microUsd === undefined
    ? `not known: no prices of ${region} (${ran})`
    : `about ${formatMoney(microUsd)} (${ran}, prices of ${pricesOf})`;
}

/** How much of a budget is spent and what follows from it; empty where there is no budget. */
export function describeBudget({ budget }: ProjectCosts): string {
  if (!budget) return '';
  const { monthlyUsd, percent, slowed, refused } = budget;
  const spent = `${percent} % of $${monthlyUsd} in this month`;
  if (refused.length > 0) return `${spent}: not built any more: ${refused.join(', ')}`;
  return slowed ? `${spent}: builds run on Spot capacity, one at a time` : spent;
}
