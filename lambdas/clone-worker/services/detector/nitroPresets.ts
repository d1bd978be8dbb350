import { optionOf, scriptCommands } from './commandLine.ts';
import type { ServerRendering } from './framework.ts';
import { serverRendering } from './frameworkSettings.ts';
import type { Project } from './project.ts';

/** Presets say what Nitro builds for, by itself and in the frameworks that are built on it. */

/** The preset by the build script or the configuration, where what it builds does not run with Node or Bun. */
export function foreignPreset(project: Project, configured: string | undefined): string | undefined {
  const commands = scriptCommands(project, 'build');
  const said = commands
    .map(
      (command) =>
        command.variables.get('NITRO_PRESET') ??
        command.variables.get('SERVER_PRESET') ??
        optionOf(command, ['--preset']),
    )
    .find((value) => value !== undefined);
  const preset = (said ?? configured)?.replaceAll('-', '_');
  return preset !== undefined &&
    !/^(?:node|bun|static|github_pages|nitro_|base|heroku|render|digital_ocean|koyeb|flight_control|zeabur$|iis|cleavr|platform_sh|genezio)/.test(
      preset,
    )
    ? preset
    : undefined;
}

export const builtForAnotherHost = (preset: string, file: string | undefined): ServerRendering =>
  serverRendering({
    rule: `the preset ${preset.slice(0, 60)} builds for another host`,
    file,
    remedy: 'Take the preset away (or set it to node-server) to deploy it as a backend, or set it to static',
  });

/** Presets that write files only. Source: https://nitro.build/deploy#static */
export const isStaticPreset = (preset: string | undefined): boolean =>
  preset === 'static' || preset === 'github-pages' || preset === 'github_pages';
