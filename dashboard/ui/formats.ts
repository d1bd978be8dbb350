/** `0.4 s`, `12.3 s`, `2 min 05 s`. Clocks of two machines may differ: never below zero. */
export function formatDuration(milliseconds: number): string {
  const tenths = Math.max(0, Math.round(milliseconds / 100));
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const whole = Math.round(tenths / 10);
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3_600)} h ${String(Math.floor((whole % 3_600) / 60)).padStart(2, '0')} min`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `812 B`, `4.2 MB`: powers of 1,000. */
export function formatBytes(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  while (amount >= 999.5 && unit < UNITS.length - 1) [amount, unit] = [amount / 1_000, unit + 1];
  return `${unit === 0 ? amount : amount.toFixed(amount < 9.95 ? 1 : 0)} ${UNITS[unit]}`;
}

const STEPS: readonly [limit: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3_600, 60, 'minute'],
  [86_400, 3_600, 'hour'],
  [2_592_000, 86_400, 'day'],
  [31_536_000, 2_592_000, 'month'],
  [Number.POSITIVE_INFINITY, 31_536_000, 'year'],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** `3 minutes ago`, `in 2 days`; within some seconds: `now`. */
export function formatAge(iso: string, now: number): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1_000);
  if (Math.abs(seconds) < 5) return 'now';
  const [, size, unit] = STEPS.find(([limit]) => Math.abs(seconds) < limit)!;
  return relative.format(Math.trunc(seconds / size), unit);
}

/** The end of a deployment's id, by which those of one day differ. */
export const shortId = (deploymentId: string): string => `…${deploymentId.slice(-6)}`;

/** The first characters of a commit, as git shows it. */
export const shortCommit = (commit: string): string => commit.slice(0, 7);
