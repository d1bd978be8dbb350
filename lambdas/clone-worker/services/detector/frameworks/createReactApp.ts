import { join } from '../../../../../contract/repo-fs.ts';
import type { ParsedCommand } from '../commandLine.ts';
import type { Configured, FrameworkRules } from '../framework.ts';
import type { Project } from '../project.ts';

/** The variable BUILD_PATH, in the script or in `.env`. Source: https://create-react-app.dev/docs/advanced-configuration/ */
function createReactAppOutput(project: Project, commands: readonly ParsedCommand[]): Configured | undefined {
  const inScript = commands.map(({ variables }) => variables.get('BUILD_PATH')).find((value) => value !== undefined);
  if (inScript !== undefined)
    return { path: inScript, rule: 'BUILD_PATH in the build script', file: join(project.dir, 'package.json') };
  for (const name of ['.env.production', '.env']) {
    const file = join(project.dir, name);
    const value = /^\s{0,9}BUILD_PATH\s{0,9}=\s{0,9}["']?([\w@./-]{1,200})/m.exec(project.repo.text(file) ?? '')?.[1];
    if (value !== undefined) return { path: value, rule: `BUILD_PATH in ${name}`, file };
  }
  return undefined;
}

export const createReactApp: FrameworkRules = {
  slug: 'create-react-app',
  files: ['.env', '.env.production'],
  output: createReactAppOutput,
  programs: ['react-app-rewired', 'craco'],
};
