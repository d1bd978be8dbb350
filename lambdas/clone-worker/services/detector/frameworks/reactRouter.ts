import type { FrameworkRules, Rendering } from '../framework.ts';
import { serverRendering, staticRendering } from '../frameworkSettings.ts';
import { dependencyVersion, type Project, projectConfig } from '../project.ts';

/** https://reactrouter.com/how-to/spa: `ssr: false` gives `build/client`. */
function judgeReactRouter(project: Project): Rendering {
  const config = projectConfig(project, 'react-router.config');
  const folder = config?.path('buildDirectory') ?? 'build';
  if (config?.isSet(false, 'ssr')) return staticRendering(`${folder}/client`, 'ssr: false', config.file);
  const serves = dependencyVersion(project, '@react-router/serve') !== undefined;
  return serverRendering({
    start: serves ? `npx react-router-serve ./${folder}/server/index.js` : undefined,
    rule: 'server rendering is the default of React Router as a framework',
    file: config?.file,
    remedy: `Set ssr: false in react-router.config${serves ? '' : ', or add @react-router/serve (or a start script that runs a Node server) to deploy it as a backend'}`,
  });
}

export const reactRouter: FrameworkRules = {
  slug: 'react-router',
  rows: [
    {
      name: 'React Router',
      dependencies: ['@react-router/dev'],
      buildCommand: 'react-router build',
      outputDirectory: 'build/client',
      supersedes: ['vite'],
    },
  ],
  configs: ['react-router.config', 'vite.config'],
  rendering: judgeReactRouter,
};
