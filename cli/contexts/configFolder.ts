import { posix, win32 } from 'node:path';
import type { Shell } from '../shell.ts';

/**
 * Where contexts are kept: `$XDG_CONFIG_HOME/veren`, else `~/.config/veren`; on Windows `%APPDATA%\veren`. Relative
 * paths in XDG_CONFIG_HOME do not count (XDG Base Directory Specification).
 */
export function configFolder({ env, platform, home }: Pick<Shell, 'env' | 'platform' | 'home'>): string {
  const path = platform === 'win32' ? win32 : posix;
  const { XDG_CONFIG_HOME: xdg, APPDATA: appData } = env;
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, 'veren');
  if (platform === 'win32') return path.join(appData || path.join(home, 'AppData', 'Roaming'), 'veren');
  return path.join(home, '.config', 'veren');
}
