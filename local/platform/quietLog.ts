import type { Log } from '../../lambdas/shared/logger.ts';

/**
 * The same log without warnings from the moment on that the platform stops: the engines end one after the other, what is
 * still at work fails by that, and is done again after the next start.
 */
export const quietLog = (log: Log, isStopping: () => boolean): Log => ({
  info: (message, fields) => log.info(message, fields),
  warn(message, fields) {
    if (!isStopping()) log.warn(message, fields);
  },
  error: (message, fields) => log.error(message, fields),
  with: (fields) => quietLog(log.with(fields), isStopping),
});
