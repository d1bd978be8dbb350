import { createHmac } from 'node:crypto';
import type { SiteAddresses } from '../../../contract/api.ts';
import type { CommitReport, CommitState } from '../../../contract/gitHosts.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { addressOf } from './describeReport.ts';

const SIGNS: Readonly<Record<CommitState, string>> = { pending: '⏳', success: '✅', failure: '❌', canceled: '🚫' };
const MAX_LINES = 20;
const MAX_LINE = 300;

/**
 * By which a project's comment is found again. It is derived from the project's key, so nobody can write a comment that
 * is taken for ours before ours is there.
 */
export const commentMarker = ({ projectId, addressKey }: ProjectDocument, number: number): string =>
  `veren:${projectId}:${createHmac('sha256', addressKey).update(`comment:${number}`).digest('hex').slice(0, 32)}`;

/**
 * The comment of a pull request, as Markdown. Text that a repository or its build has a hand in is shown as code, where
 * it can neither mention anybody nor link anywhere.
 */
export function describeComment(
  record: DeploymentRecord,
  report: Pick<CommitReport, 'state' | 'description'> & { readonly commit?: string | undefined },
  addresses: SiteAddresses | null,
): string {
  const isShown = record.status === 'succeeded' && !record.expired;
  const rows: [string, string][] = [
    ['Project', asCode(record.projectId)],
    ['State', `${record.expired ? '🧹' : SIGNS[report.state]} ${stateText(record, report)}`],
  ];
  if (report.commit !== undefined) rows.push(['Commit', asCode(report.commit.slice(0, 12))]);
  const address = addressOf(record, addresses);
  if (isShown && address !== undefined) rows.push(['Address', asLink(address)]);
  const branchUrl = addresses?.branchUrl;
  if (isShown && branchUrl !== undefined && branchUrl !== address)
    rows.push(['Newest of the branch', asLink(branchUrl)]);
  rows.push(['Deployment', asCode(record.deploymentId)]);
  const error = record.status === 'failed' && !record.expired ? failureBlock(record) : [];
  return [...tableOf(rows), ...error].join('\n');
}

/** The comment of a stranger's pull request that is not built yet. */
export const describeHeld = (projectId: string, commit: string): string =>
  tableOf([
    ['Project', asCode(projectId)],
    ['State', '✋ Waits for a member to approve this commit: it comes from a fork'],
    ['Commit', asCode(commit.slice(0, 12))],
  ]).join('\n');

const tableOf = (rows: readonly (readonly [string, string])[]): string[] => [
  ...['**Veren**', '', '| | |', '|---|---|'],
  ...rows.map(([name, value]) => `| ${name} | ${value} |`),
];

function stateText({ expired, status }: DeploymentRecord, { description }: Pick<CommitReport, 'description'>): string {
  if (expired?.reason === 'closed') return 'The preview was removed, since the pull request or branch was closed';
  if (expired) return 'The preview is not kept any more';
  return status === 'failed' ? 'The deployment failed' : description;
}

/** Lines of the log are left out: a pull request may be public, and the log is not. */
function failureBlock({ error, builds }: DeploymentRecord): string[] {
  const failed = error ?? builds.frontend?.error ?? builds.backend?.error;
  if (!failed) return [];
  return ['', '```text', ...failed.message.split('\n').slice(0, MAX_LINES).map(plainLine), '```'];
}

/** No line of it can end the block. */
const plainLine = (line: string) =>
  line
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
    .replaceAll('`', "'")
    .slice(0, MAX_LINE);
const asCode = (text: string) => `\`${text.replaceAll(/[`|\s]/g, ' ')}\``;
/** An address has none of these characters unless somebody wants it to be more than one. */
const asLink = (url: string) => `<${url.replaceAll(/[<>|\s`]/g, encodeURIComponent)}>`;
