import type { Target } from '../../contract/builders.ts';
import { CORRELATION_ID } from '../../contract/correlation.ts';
import { DEPLOYMENT_ID } from '../../contract/events.ts';
import { jsonOf, type LogFields, type LogLevel, logRecord } from '../../contract/log.ts';

/** Fields of every line. A process runs one build. */
let build: LogFields = { function: 'builder' };

/** Adds the build's fields to all later lines, as far as the values in its environment are valid. */
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

/** Sets which of the two builders this is, which the bundle knows and the environment does not contain. */
export function nameTarget(target: Target): void {
  build = { ...build, target };
}

/**
 * Writes a line for operators to the container's own output, as JSON like the functions' lines. Messages for the user
 * go to the deployment's log instead (`Reporter.say`). The caller masks texts that come from elsewhere.
 */
export function logOwn(level: LogLevel, message: string, fields: LogFields = {}): void {
  (level === 'INFO' ? console.log : console.error)(jsonOf(logRecord(level, message, { ...build, ...fields })));
}
