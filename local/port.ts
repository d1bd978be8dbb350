import { VerenError } from '../contract/errors.ts';
import type { HostEnv } from './platform/images.ts';

/** PORT of the environment. 0 is any free port. Throws PORT_INVALID. */
export function portOf(env: HostEnv, fallback: number): number {
  const given = env.PORT;
  if (given === undefined || given === '') return fallback;
  const port = Number(given);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new VerenError('PORT_INVALID', { port: given });
  return port;
}
