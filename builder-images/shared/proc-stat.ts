import { readFileSync } from 'node:fs';

/**
 * The fields of `/proc/<pid>/stat` behind the name: [0] is the state (field 3), [1] the parent. Undefined where the process has
 * ended, or where there is no /proc. The name in parentheses may hold anything, so fields count from the last `)`.
 * Source: proc_pid_stat(5). Synchronous: these are reads of memory, and faster than a turn of the thread pool for each.
 */
export function readStatFields(pid: number | string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Ids of all processes that can be seen. */
export const isProcessId = (name: string): boolean => /^\d+$/.test(name);
