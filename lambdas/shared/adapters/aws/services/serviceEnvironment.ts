import { VerenError } from '../../../../../contract/errors.ts';
import { SERVICE_SECRET_VARIABLE } from '../../../../../contract/serviceAdapter.ts';
import { serviceVersionText } from '../../../../../contract/services.ts';
import type { ServiceVersion } from '../../../services/servicePort.ts';

/** Lambda's limit for all variables of a function, as JSON. Source: Lambda developer guide, "Lambda quotas". */
const MAX_BYTES = 4_096;
/** Source: Lambda API reference, `Environment`. */
const NAME = /^[a-zA-Z][a-zA-Z0-9_]+$/;
/** Source: Lambda developer guide, "Defined runtime environment variables": those that a function cannot set. */
const RESERVED = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
]);
const RESERVED_PREFIXES = ['AWS_LAMBDA_', 'AWS_LWA_'];
/** By which a version is known while it is not published yet. */
export const VERSION_VARIABLE = 'VEREN_VERSION';

const isRefused = (name: string) =>
  !NAME.test(name) || RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));

/**
 * The variables of a version's function: the user's, and what the adapter in the image reads.
 * @throws VerenError where Lambda would refuse them
 */
export function serviceEnvironment(version: ServiceVersion, secret: string): Record<string, string> {
  const refused = Object.keys(version.environment).filter(isRefused);
  if (refused.length > 0)
    throw new VerenError('SERVICE_VARIABLE_REFUSED', { runner: 'Lambda', names: refused.sort().join(', ') });
  const { settings, port } = version;
  const variables = {
    ...version.environment,
    PORT: String(port),
    AWS_LWA_PORT: String(port),
    AWS_LWA_READINESS_CHECK_PATH: settings.healthPath,
    AWS_LWA_INVOKE_MODE: 'response_stream',
    // A service that takes longer than Lambda's ten seconds of initialisation goes on, and is not started anew.
    AWS_LWA_ASYNC_INIT: 'true',
    [VERSION_VARIABLE]: serviceVersionText(version),
    [SERVICE_SECRET_VARIABLE]: secret,
  };
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes > MAX_BYTES) throw new VerenError('SERVICE_VARIABLES_TOO_LARGE', { bytes, limit: MAX_BYTES });
  return variables;
}
