import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { DeploymentView } from '../../contract/api.ts';
import { TARGETS } from '../../contract/builders.ts';
import { ERRORS, isErrorCode } from '../../contract/errors.ts';
import { addressOf } from '../output/addresses.ts';
import { shownUpload } from '../output/describeSource.ts';
import { markAsMaterial } from './material.ts';

export const textAnswer = (...parts: readonly string[]): CallToolResult => ({
  content: parts.map((text) => ({ type: 'text', text })),
});
export const jsonAnswer = (value: unknown): CallToolResult => textAnswer(JSON.stringify(value, null, 1));

/** By name: the client's classes are of another bundle than this file, so nothing is an instance of what this one has. */
const TOLD: readonly unknown[] = ['VerenError', 'ProblemError', 'UnreachableError'];

/** What the platform or the command refuses is an answer for the model; a fault of ours is not. */
export async function answering(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    const { name, message } = error as Error;
    if (!TOLD.includes(name)) throw error;
    return { ...textAnswer(message), isError: true };
  }
}

/** The facts of a deployment that a model needs; texts of its build are not among them. */
export function summarise(record: DeploymentView) {
  const { deploymentId, projectId, status, environment, commit, ref, createdAt, finishedAt, released } = record;
  const upload = shownUpload(record);
  return {
    ...{ deploymentId, projectId, status, environment, ...(upload === undefined ? { commit, ref } : { upload }) },
    ...{ createdAt, finishedAt },
    isLive: released !== undefined,
    address: record.status === 'succeeded' ? addressOf(record, { production: released !== undefined }) : undefined,
    errors: failuresOf(record).map(({ target, error }) => ({ target, code: error.code, phase: error.phase })),
  };
}

/** Of the deployment itself only what none of its builds has said. */
function failuresOf({ builds, error: ofAll }: DeploymentView) {
  const ofBuilds = TARGETS.flatMap((target) => {
    const error = builds[target]?.error;
    return error ? [{ target, error }] : [];
  });
  const isSaid = ofBuilds.some(({ error }) => error.code === ofAll?.code && error.message === ofAll.message);
  return ofAll && !isSaid ? [...ofBuilds, { target: 'deployment' as const, error: ofAll }] : ofBuilds;
}

/** Why a deployment failed: what Veren says of it, and apart from that what the build has written. */
export function explainFailure(record: DeploymentView): CallToolResult {
  const failures = failuresOf(record);
  if (failures.length === 0)
    return textAnswer(`The deployment ${record.deploymentId} is ${record.status}: no failure.`);
  const known = failures.map(({ target, error: { code, phase, exitCode } }) => ({
    ...{ target, code, phase, exitCode },
    ...(isErrorCode(code) && { fault: ERRORS[code].fault, whatToDo: ERRORS[code].action }),
  }));
  const said = failures.flatMap(({ error }) => [...error.message.split('\n'), ...(error.lastLines ?? [])]);
  return textAnswer(JSON.stringify(known, null, 1), markAsMaterial([...new Set(said)]));
}
