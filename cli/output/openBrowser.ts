import { spawn } from 'node:child_process';
import type { Shell } from '../shell.ts';

/** The program that opens an address, and its arguments. No shell reads the address. */
export function browserCommand(platform: NodeJS.Platform, url: string): readonly [string, ...string[]] {
  if (platform === 'darwin') return ['open', url];
  if (platform === 'win32') return ['rundll32.exe', 'url.dll,FileProtocolHandler', url];
  return ['xdg-open', url];
}

/** The address as it may be given to another program: http or https alone; undefined for anything else. */
export function browsableAddress(text: string): string | undefined {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Opens an address in the user's browser, and waits for nothing. False where there is no program for it. */
export function openBrowser({ platform, env }: Pick<Shell, 'platform' | 'env'>, url: string): Promise<boolean> {
  const [program, ...args] = browserCommand(platform, url);
  const { VEREN_TOKEN: _token, VEREN_GIT_TOKEN: _gitToken, ...rest } = env;
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: rest, stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
