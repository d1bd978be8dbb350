import type { Colors } from 'picocolors/types';
import type { DeploymentView, SiteAddresses } from '../../contract/api.ts';
import { TARGETS } from '../../contract/builders.ts';
import { countOf } from '../../contract/count.ts';
import { type Failure, isTerminal } from '../../contract/record.ts';
import { formatDuration, listSteps, totalTime } from './durations.ts';
import { terminalText } from './terminalText.ts';

export interface Style {
  readonly colors: Colors;
  /** A text from a build, made safe for the terminal. */
  readonly safe: (text: string) => string;
}

export const styleOf = (colors: Colors): Style => ({
  colors,
  safe: (text) => terminalText(text, colors.isColorSupported),
});

const LABELS = { wait: 'queue, analyze', toolchain: 'toolchain download', start: 'start' } as Record<string, string>;
const LABEL_WIDTH = 20;
const COLUMN_WIDTH = 14;

/** How long each phase took, a column for each target. Nothing where no build began. */
export function durationTable(record: DeploymentView, { colors }: Style, now: number): string[] {
  const columns = TARGETS.flatMap((target) => {
    const build = record.builds[target];
    return build ? [{ target, steps: listSteps(record, build, now), attempt: build.attempt }] : [];
  });
  const first = columns[0];
  if (!first) return [];
  const heading = columns.map(({ target, attempt }) => (attempt > 1 ? `${target} #${attempt}` : target));
  // Only a first build downloads one.
  const isShown = (i: number, name: string) => name !== 'toolchain' || columns.some(({ steps }) => steps[i]?.took);
  const rows = first.steps.flatMap(({ name }, i) =>
    !isShown(i, name)
      ? []
      : [
          {
            label: LABELS[name] ?? name,
            cells: columns.map((column) => {
              const took = column.steps[i]?.took ?? null;
              return took === null ? '-' : formatDuration(took);
            }),
          },
        ],
  );
  const formatRow = (label: string, cells: readonly string[]) =>
    `  ${label.padEnd(LABEL_WIDTH)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('')}`;
  return [
    colors.dim(formatRow('', heading)),
    ...rows.map(({ label, cells }) => formatRow(label, cells)),
    colors.bold(formatRow('total', [formatDuration(totalTime(record, now))])),
  ];
}

/** The result of the deployment: the addresses of its parts, or its errors. */
export function describeOutcome(record: DeploymentView, style: Style): string[] {
  const { colors, safe } = style;
  if (record.status === 'canceled') return [colors.yellow('Canceled.')];
  const lines: string[] = [];
  const seen = new Set<string>();
  for (const target of TARGETS) {
    const build = record.builds[target];
    if (build?.error && build.status === 'failed') {
      seen.add(build.error.message);
      lines.push(...failureLines(target, build.error, style));
    }
    if (build?.error?.code === 'OTHER_PART_FAILED')
      lines.push(colors.yellow(`${target}: ${safe(build.error.message)}`));
    const artifact = build?.artifact;
    if (artifact?.kind === 'image') lines.push(`${target}: image ${safe(artifact.uri)} (${safe(artifact.digest)})`);
    if (artifact?.kind === 'static')
      lines.push(
        `${target}: ${countOf(artifact.files, 'file')}, ${formatBytes(artifact.bytes)}, at ${safe(siteAddress(record, artifact))}`,
      );
  }
  if (record.error && !seen.has(record.error.message)) lines.push(...failureLines(undefined, record.error, style));
  if (record.outcome === 'partial') {
    const published = TARGETS.filter((target) => record.builds[target]?.status === 'succeeded');
    lines.push(colors.yellow(`Partly published: the ${published.join(', ')} is, the rest is not.`));
  }
  if (record.sameAs !== undefined)
    lines.push(safe(`Nothing has changed, so nothing was built: it shows ${record.sameAs}.`));
  if (!isTerminal(record.status)) lines.push(`The deployment is still ${record.status}.`);
  return lines;
}

/** Production's address shows another deployment as long as this one is not released. */
const siteAddress = ({ released }: DeploymentView, { url, deploymentUrl }: SiteAddresses): string =>
  released === undefined ? (deploymentUrl ?? url) : url;

function failureLines(target: string | undefined, error: Failure, { colors, safe }: Style): string[] {
  const facts = [
    error.phase && `phase ${error.phase}`,
    error.exitCode !== undefined && `exit code ${error.exitCode}`,
    error.code,
  ].filter((fact) => typeof fact === 'string');
  const heading = `${target ? `${target} failed` : 'Failed'} (${facts.map(safe).join(', ')})`;
  const last = error.lastLines ?? [];
  return [
    colors.red(colors.bold(heading)),
    ...error.message.split('\n').map((line) => `  ${safe(line)}`),
    ...(last.length > 0 ? [colors.dim('  last lines:'), ...last.map((line) => `  │ ${safe(line)}`)] : []),
  ];
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
