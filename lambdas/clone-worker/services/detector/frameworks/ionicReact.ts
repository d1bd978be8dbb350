import type { ParsedCommand } from '../commandLine.ts';
import type { Configured, FrameworkRules } from '../framework.ts';
import { dependencyVersion, type Project } from '../project.ts';
import { viteOutput } from './vite.ts';

/** The library's row means Create React App; newer Ionic apps are built by Vite. */
function ionicOutput(project: Project, commands: readonly ParsedCommand[]): Configured | undefined {
  if (dependencyVersion(project, 'vite') === undefined) return undefined;
  const said = viteOutput(project, commands);
  return said?.path === undefined ? { ...said, path: 'dist', rule: 'default of Vite', file: undefined } : said;
}

export const ionicReact: FrameworkRules = {
  slug: 'ionic-react',
  output: ionicOutput,
  programs: ['vite', 'ionic', 'react-app-rewired', 'craco'],
};
