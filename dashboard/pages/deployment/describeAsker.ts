import type { DeploymentRecord } from '../../../contract/record.ts';

const TRIGGERS = { push: 'a git push', pullRequest: 'pull request', deployHook: 'deploy hook' } as const;
const CLIENTS = { dashboard: 'in the dashboard', command: 'with the command veren' } as const;

/** Who has asked for a deployment, and by what: `ada, in the dashboard`, `a git push of ada`. */
export function describeAsker({ trigger, askedBy }: Pick<DeploymentRecord, 'trigger' | 'askedBy'>): string {
  if (trigger?.kind === 'deployHook')
    return [TRIGGERS.deployHook, trigger.by && `“${trigger.by}”`].filter(Boolean).join(' ');
  if (trigger) {
    const number = trigger.number && `#${trigger.number}`;
    return [TRIGGERS[trigger.kind], number, trigger.by && `of ${trigger.by}`].filter(Boolean).join(' ');
  }
  if (!askedBy) return 'a call of the API';
  const { token, member, client } = askedBy;
  const who = member === undefined || member === token ? token : `${member} (token ${token})`;
  return `${who}, ${client ? CLIENTS[client] : 'by a call of the API'}`;
}
