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
 * A notice as a message of Slack's incoming webhooks. Names and sentences may be a stranger's, so they can neither mention
 * anybody nor link anywhere. Source: Slack's documentation, "Formatting text for app surfaces", "Escaping text".
 */
export function slackMessage({ type, data }: Notice): string {
  const { projectId, environment, branch, commit, url, error, by, reason, deploymentId } = data;
  const of = [environment, branch, commit?.slice(0, 12)].filter((part) => part !== undefined).map(escapeText);
  const lines = [
    `${TITLES[type]}: *${escapeText(projectId)}*${of.length > 0 ? ` (${of.join(', ')})` : ''}`,
    ...(error ? [escapeText(error.message)] : []),
    ...(by === undefined ? [] : [`by ${escapeText(by)}${reason === undefined ? '' : `: ${escapeText(reason)}`}`]),
    ...(url === undefined ? [] : [`<${url.replaceAll(/[<>|\s]/g, encodeURIComponent)}>`]),
    ...(deploymentId === undefined ? [] : [`Deployment ${escapeText(deploymentId)}`]),
  ];
  return JSON.stringify({ text: lines.join('\n'), unfurl_links: false });
}

const escapeText = (text: string) =>
  cutText(text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim(), MAX_TEXT)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
