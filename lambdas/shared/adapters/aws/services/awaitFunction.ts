import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { VerenError } from '../../../../../contract/errors.ts';
import type { LambdaCalls } from '../clients.ts';

/** Lambda optimises an image after every change; a large one takes some minutes. */
const LONGEST_WAIT_MS = 300_000;
const LOOK_MS = 1_000;

export interface LambdaAccess {
  readonly lambda: LambdaCalls;
  readonly sleep: (ms: number) => Promise<void>;
}

export const nameOf = (error: unknown): string => (error as Error).name;
export const isMissing = (error: unknown): boolean => nameOf(error) === 'ResourceNotFoundException';
/** Something of this name is there already, or a change is under way. */
export const isConflict = (error: unknown): boolean => nameOf(error) === 'ResourceConflictException';

/** A function's configuration, of a version or alias where one is named; null where it is not there. */
export async function findFunction(
  { lambda }: LambdaAccess,
  FunctionName: string,
  Qualifier?: string,
): Promise<FunctionConfiguration | null> {
  const { GetFunctionConfigurationCommand } = await import('@aws-sdk/client-lambda');
  try {
    return await lambda.send(new GetFunctionConfigurationCommand({ FunctionName, ...(Qualifier && { Qualifier }) }));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

const isSettled = ({ State, LastUpdateStatus }: FunctionConfiguration): boolean =>
  State !== 'Pending' && LastUpdateStatus !== 'InProgress';

/**
 * Waits until no change of a function is under way.
 * @throws VerenError where Lambda could not make it or gives up
 */
export async function awaitFunction(
  access: LambdaAccess,
  name: string,
  qualifier?: string,
): Promise<FunctionConfiguration> {
  for (let waited = 0; ; waited += LOOK_MS) {
    const found = await findFunction(access, name, qualifier);
    if (!found) throw new VerenError('SERVICE_START_FAILED', { reason: `the function ${name} is not there` });
    if (isSettled(found)) {
      refuseBroken(found);
      return found;
    }
    if (waited >= LONGEST_WAIT_MS)
      throw new VerenError('SERVICE_START_FAILED', {
        reason: 'Lambda has not finished with the image in five minutes',
      });
    await access.sleep(LOOK_MS);
  }
}

/** Reasons of a failed state that are about the image. Source: Lambda API reference, `StateReasonCode`. */
const OF_IMAGE = ['InvalidImage', 'ImageDeleted', 'ImageAccessDenied'];

function refuseBroken(found: FunctionConfiguration): void {
  const { State, StateReasonCode = '', StateReason, LastUpdateStatus, LastUpdateStatusReasonCode = '' } = found;
  const isUpdate = LastUpdateStatus === 'Failed';
  if (State !== 'Failed' && !isUpdate) return;
  const code = isUpdate ? LastUpdateStatusReasonCode : StateReasonCode;
  const reason = (isUpdate ? found.LastUpdateStatusReason : StateReason) ?? code;
  if (/size|too large|exceed/i.test(reason)) throw new VerenError('SERVICE_TOO_LARGE', { reason });
  throw new VerenError('SERVICE_START_FAILED', {
    reason: OF_IMAGE.includes(code) ? `Lambda cannot use the image: ${reason}` : reason,
  });
}
