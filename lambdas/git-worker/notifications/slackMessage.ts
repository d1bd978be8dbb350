import type { Notice, NoticeType } from '../../../contract/notifications.ts';
import { cutText } from '../../shared/gitHosts/hostAdapter.ts';

const TITLES: Readonly<Record<NoticeType, string>> = {
  'deployment.succeeded': '✅ Deployment succeeded',
  'deployment.failed': '❌ Deployment failed',
  'deployment.canceled': '🚫 Deployment canceled',
  'production.released': '🚀 Production was released',
  'production.rolledBack': '↩️ Production was rolled back',
  'notification.test': '👋 This is a test',
};
const MAX_TEXT = 300;

/**
 * A notice as a message of Slack's incoming webhooks. Names and sentences may be a stranger's, so they stand in a block
 * of plain text, where they mention nobody, link nowhere and format nothing; `text`, which is shown where blocks are
 * not, has none of them. Source: Slack's documentation, "Text object", "Escaping text".
 */
export function slackMessage({ type, data }: Notice): string {
  const { projectId, environment, branch, url, error, by, reason, deploymentId } = data;
  const commit = COMMIT.exec(data.commit ?? '')?.[0];
  const of = [environment, commit].filter((part) => part !== undefined);
  const title = `${TITLES[type]}: *${escapeText(projectId)}*${of.length > 0 ? ` (${of.join(', ')})` : ''}`;
  const foreign = [
    ...(branch === undefined ? [] : [escapeText(branch)]),
    ...(error ? [escapeText(error.message)] : []),
    ...(by === undefined ? [] : [`by ${escapeText(by)}${reason === undefined ? '' : `: ${escapeText(reason)}`}`]),
  ].filter((line) => line !== '');
  const more = [
    ...(url === undefined ? [] : [`<${url.replaceAll(/[<>|\s]/g, encodeURIComponent)}>`]),
    ...(deploymentId === undefined ? [] : [`Deployment ${escapeText(deploymentId)}`]),
  ];
  const blocks = [
    ownBlock(title),
    ...(foreign.length > 0 ? [blockOf({ type: 'plain_text', text: foreign.join('\n'), emoji: false })] : []),
    ...(more.length > 0 ? [ownBlock(more.join('\n'))] : []),
  ];
  return JSON.stringify({ text: [title, ...more].join('\n'), blocks, unfurl_links: false });
}

const COMMIT = /^[0-9a-f]{7,12}/;

const blockOf = (text: object) => ({ type: 'section', text });
const ownBlock = (text: string) => blockOf({ type: 'mrkdwn', text, verbatim: true });

const escapeText = (text: string) =>
  cutText(text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim(), MAX_TEXT)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
