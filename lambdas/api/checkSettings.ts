import { Cron } from 'croner';
import type { z } from 'zod';
import { type ProjectSettings, ProjectSettingsSchema } from '../../contract/project.ts';
import { isNameAtHost, isUrlOfRepository } from '../shared/gitHosts/repositoryUrl.ts';

/** Why a schedule cannot be kept to; null where it can. Five fields, in UTC. */
function faultOfSchedule(schedule: string): string | null {
  try {
    const timer = new Cron(schedule, { mode: '5-part', timezone: 'UTC', paused: true });
    return timer.nextRun() === null ? 'never comes' : null;
  } catch (error) {
    return `is no schedule of five fields: ${(error as Error).message}`;
  }
}

/** A delivery is told by the name of its repository, and a fork found by the address: the two must be of one repository. */
function faultOfConnection({ connection, gitUrl }: ProjectSettings): string | null {
  if (!connection) return null;
  if (gitUrl === undefined) return 'needs the setting "gitUrl"';
  if (connection.host === 'git' && !connection.watch) return 'is on no host that sends webhooks: it needs "watch"';
  if (!isNameAtHost(connection.host, connection.repository)) return `is no name of a repository at ${connection.host}`;
  return isUrlOfRepository(gitUrl, connection.repository) ? null : 'is not the repository of "gitUrl"';
}

/** Settings whose schedules can be kept to, and whose connection is one with their repository. */
export const CheckedSettingsSchema: typeof ProjectSettingsSchema = ProjectSettingsSchema.superRefine(
  (settings: z.output<typeof ProjectSettingsSchema>, ctx) => {
    const unconnected = faultOfConnection(settings);
    if (unconnected !== null)
      ctx.addIssue({ code: 'custom', path: ['connection', 'repository'], message: unconnected });
    // HEAD of a folder is what somebody has checked out there.
    if (settings.connection?.watch && settings.gitUrl?.startsWith('file:') && settings.productionBranch === undefined)
      ctx.addIssue({ code: 'custom', path: ['productionBranch'], message: 'is needed where a folder is watched' });
    if (settings.connection?.app && settings.connection.host !== 'github')
      ctx.addIssue({ code: 'custom', path: ['connection', 'app'], message: 'is for the host "github" alone' });
    const { crons = [] } = settings;
    crons.forEach(({ schedule }, i) => {
      const message = faultOfSchedule(schedule);
      if (message !== null) ctx.addIssue({ code: 'custom', path: ['crons', i, 'schedule'], message });
    });
  },
);
