import { closeSync, readFileSync } from 'node:fs';

/**
 * Reads the environment that main.sh was started with, which it passes through a pipe (NAME=value NUL …) so that no
 * process of the builder keeps a secret in /proc/<pid>/environ. Without main.sh it is the process's own environment.
 */
export function readHandover(own: NodeJS.ProcessEnv): Record<string, string> {
  if (own.VEREN_HANDOVER === undefined) return { ...own } as Record<string, string>;
  const fd = Number(own.VEREN_HANDOVER);
  const text = readFileSync(fd, 'utf8');
  closeSync(fd);
  const entries = text.split('\0').filter((entry) => entry.includes('='));
  return Object.fromEntries(entries.map((e) => [e.slice(0, e.indexOf('=')), e.slice(e.indexOf('=') + 1)]));
}
