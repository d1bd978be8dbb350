import type { PackageManagerName } from '../../shared/package-manager.ts';

export interface PruneInput {
  readonly manager: PackageManagerName;
  /** Major of the manager where it is known. */
  readonly major: number | undefined;
  readonly workspace: boolean;
}

/**
 * The command that takes the dev dependencies out of what was installed, without running any script. It works in place
 * rather than by a second, clean installation, since builds put generated code into node_modules (Prisma's client).
 * Null where the manager has no such command.
 */
export function pruneCommand({ manager, major, workspace }: PruneInput): string | null {
  switch (manager) {
    case 'npm':
      // npm 6 does not know --omit.
      return `npm prune ${major !== undefined && major < 7 ? '--production' : '--omit=dev'} --ignore-scripts --loglevel=error`;
    case 'pnpm':
      // `prune` knows one package only. The store of the installation is still there; what nothing needs any more would
      // otherwise be kept for a week.
      return workspace
        ? 'pnpm install --prod --offline --frozen-lockfile --ignore-scripts --config.modules-cache-max-age=0 --config.confirm-modules-purge=false'
        : 'pnpm prune --prod --ignore-scripts';
    case 'yarn':
      return major === undefined || major < 2
        ? 'yarn install --production --frozen-lockfile --ignore-scripts --non-interactive --prefer-offline --silent'
        : major >= 4
          ? 'yarn workspaces focus --all --production'
          : null;
    case 'bun':
      // An installation without dev dependencies leaves those that are there (seen with 1.4).
      return null;
  }
}
