import type { Notice, NoticeType } from '../../../contract/notifications.ts';
import { cutText } from '../../shared/gitHosts/hostAdapter.ts';
import { MAX_SUBJECT, type Mail } from '../../shared/notifications/mails.ts';

/** What happened, of a project, in words. */
const WORDS: Readonly<Record<NoticeType, string>> = {
  'deployment.succeeded': 'Deployed',
  'deployment.failed': 'Deployment failed',
  'deployment.canceled': 'Deployment canceled',
  'production.released': 'Production was released',
  'production.rolledBack': 'Production was rolled back',
  'notification.test': 'This is a test',
};
const MAX_LINE = 300;
const MAX_LINES = 20;

/**
 * A notice as an e-mail of plain text. Names and sentences may be a stranger's: they stand in lines of their own, marked,
 * without what would end a line or a header, and without addresses that a mail reader would make a link of.
 */
export function mailMessage({ type, timestamp, data }: Notice): Mail {
  const { projectId, environment, branch, commit, url, error, by, reason, deploymentId } = data;
  const rows: (readonly [string, string | undefined])[] = [
    ['Project', projectId],
    ['Environment', environment],
    ['Branch', branch && foreign(branch)],
    ['Commit', commit && foreign(commit).slice(0, 12)],
    ['Address', url?.replaceAll(/[^\x21-\x7e]/g, encodeURIComponent)],
    ['Deployment', deploymentId],
    ['Time', timestamp],
    ['By', by && foreign(by)],
    ['Reason', reason && foreign(reason)],
  ];
  const known = rows.flatMap(([name, value]) => (value ? [`${`${name}:`.padEnd(13)}${value}`] : []));
  const failure = error ? ['', 'What went wrong:', ...quote(error.message)] : [];
  const text = [`${WORDS[type]}: ${projectId}`, '', ...known, ...failure, '', ...FOOTER].join('\n');
  return { subject: subjectOf(`${WORDS[type]}: ${projectId}${environment ? ` (${environment})` : ''}`), text };
}

const FOOTER = ['You get this since you have agreed to notifications of this project.'];

/** Source: SNS API reference, "Publish": ASCII, without line breaks and control characters. */
const subjectOf = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_SUBJECT);

const quote = (message: string) =>
  message
    .split('\n')
    .slice(0, MAX_LINES)
    .map((line) => `> ${foreign(line)}`);

/** One line, in which nothing is a link. */
const foreign = (text: string) =>
  cutText(text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim(), MAX_LINE)
    .replaceAll('://', ': //')
    .replaceAll(/\bwww\./gi, 'www ')
    .replaceAll(/\bmailto:/gi, 'mailto ');
