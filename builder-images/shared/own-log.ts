import type { Target } from '../../contract/builders.ts';
import { CORRELATION_ID } from '../../contract/correlation.ts';
import { DEPLOYMENT_ID } from '../../contract/events.ts';
import { jsonOf, type LogFields, type LogLevel, logRecord } from '../../contract/log.ts';

/** What every line is found by. A process does one build. */
let build: LogFields = { function: 'builder' };

/** Names the build in all lines from here on, by what its environment says where that is sound. */
export function nameBuild(raw: Readonly<Record<string, string>>): void {
  const { CORRELATION_ID: correlationId = '', DEPLOYMENTID = '', PROJECT_ID = '', ATTEMPT = '' } = raw;
  build = {
    function: 'builder',
    ...(CORRELATION_ID.test(correlationId) && { correlationId }),
    ...(DEPLOYMENT_ID.test(DEPLOYMENTID) && { deploymentId: DEPLOYMENTID }),
    ...(/^[a-z0-9-]{1,63}$/.test(PROJECT_ID) && { projectId: PROJECT_ID }),
    ...(/^\d{1,10}$/.test(ATTEMPT) && { attempt: Number(ATTEMPT) }),
  };
}

/** Which of the two builders it is: one bundle knows, the environment does not say. */
export function nameTarget(target: Target): void {
  build = { ...build, target };
}

/**
 * A line for whoever operates the platform, in the container's own output: a line of JSON as the functions write them. What
 * the user has to know goes to the deployment's log instead (`Reporter.say`). Texts of others are masked by the caller.
 */
export function logOwn(level: LogLevel, message: string, fields: LogFields = {}): void {
  (level === 'INFO' ? console.log : console.error)(jsonOf(logRecord(level, message, { ...build, ...fields })));
}
