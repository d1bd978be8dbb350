/**
 * Resolves at the first SIGINT or SIGTERM, and a second one ends the process at once. Also when the terminal is closed
 * (SIGHUP, which comes more than once), since this process would otherwise end and leave what it runs.
 */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const requestStop = () => {
      if (asked) process.exit(130);
      asked = true;
      resolve();
    };
    process.on('SIGINT', requestStop);
    process.on('SIGTERM', requestStop);
    process.on('SIGHUP', () => {
      asked = true;
      resolve();
    });
  });
}
