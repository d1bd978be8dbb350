import type { Cost, ProjectCosts } from '../../contract/cost.ts';
import { describeBudget, describeCost, formatMoney } from '../../contract/money.ts';

test.each([
  [0, '$0'],
  [99, 'less than $0.0001'],
  [100, '$0.0001'],
  [4_239, '$0.0042'],
  [999_999, '$1.0000'],
  [1_000_000, '$1.00'],
  [12_345_678, '$12.35'],
])('%d millionths are %s', (microUsd, text) => {
  expect(formatMoney(microUsd)).toBe(text);
});

test('a cost is said with what it comes from, and one without prices as not known', () => {
  const task = { target: 'frontend', attempt: 1, cpuUnits: 1_024, memoryMiB: 2_048, billedDiskGiB: 0 } as const;
  const cost: Cost = {
    ...{ microUsd: 4_200, region: 'us-east-1', pricesOf: '2026-11-28' },
    tasks: [
      { ...task, seconds: 60, capacity: 'spot' },
      { ...task, seconds: 32, capacity: 'on demand' },
    ],
  };
  expect(describeCost(cost)).toBe('about $0.0042 (92 s of tasks, 1 of 2 on Spot, prices of 2026-11-28)');
  expect(describeCost({ region: 'xx-north-9', tasks: cost.tasks })).toBe(
    'not known: no prices of xx-north-9 (92 s of tasks, 1 of 2 on Spot)',
  );
});

test('a budget is said with what follows from it', () => {
  const costs: ProjectCosts = { projectId: 'p', month: '2026-11', microUsd: 0, deployments: 0, unpriced: 0 };
  const at = (percent: number, slowed: boolean, refused: ('preview' | 'production')[]) =>
    describeBudget({ ...costs, budget: { monthlyUsd: 20, percent, slowed, refused } });
  expect(describeBudget(costs)).toBe('');
  expect(at(12, false, [])).toBe('12 % of $20 in this month');
  expect(at(85, true, [])).toBe('85 % of $20 in this month: builds run on Spot capacity, one at a time');
  expect(at(104, true, ['preview'])).toBe('104 % of $20 in this month: not built any more: preview');
});
