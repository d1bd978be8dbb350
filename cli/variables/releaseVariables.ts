import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandContext, CommonOptions } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { printJson, tellUser } from '../shell.ts';

const LOOK_MS = 500;

/** Starts production's backend with the current variables and waits until it serves, or has not started. */
export async function releaseVariables(
  { shell, client, style }: CommandContext,
  projectId: string,
  { json }: CommonOptions,
): Promise<ExitCode> {
  let history = await client.releaseVariables(projectId);
  const { note } = history;
  const asked = history.nextRelease?.releaseId;
  if (asked !== undefined) tellUser(shell, 'The backend starts with the current variables.');
  while (asked !== undefined && history.nextRelease?.releaseId === asked && !history.nextRelease.error) {
    await sleep(LOOK_MS);
    history = await client.getReleases(projectId);
  }
  const error = history.nextRelease?.releaseId === asked ? history.nextRelease?.error : undefined;
  if (json) printJson(shell, history);
  else if (error)
    tellUser(
      shell,
      ...[`Production stays as it is: ${error.message}`, ...(error.lastLines ?? []).map((line) => `  | ${line}`)].map(
        style.safe,
      ),
    );
  else tellUser(shell, `Production of ${projectId} runs with the current variables.`, ...(note ? [note] : []));
  return error ? EXIT.failedBuild : EXIT.ok;
}
