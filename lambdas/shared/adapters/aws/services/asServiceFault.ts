import { VerenError } from '../../../../../contract/errors.ts';
import { ServiceFault } from '../../../services/serviceFault.ts';

/** The user's own faults carry the lines of their service; what the SDK says is the platform's. */
export function asServiceFault(error: unknown): unknown {
  if (error instanceof ServiceFault) return error;
  if (!(error instanceof VerenError)) {
    const { name, message } = error as Error;
    return new VerenError('SERVICE_START_FAILED', { reason: `${name}: ${message}` }, { cause: error });
  }
  return error.code === 'SERVICE_START_FAILED' ? error : new ServiceFault(error, []);
}
