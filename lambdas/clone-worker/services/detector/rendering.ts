import { VerenError } from '../../../../contract/errors.ts';
import { judgeAngular } from './angular.ts';
import type { FoundFramework } from './frameworkTable.ts';
import type { Project } from './project.ts';
import * as rules from './renderingRules.ts';

export interface StaticRendering {
  readonly kind: 'static';
  /** Where the files are written, relative to the package; absent: the framework's default. */
  readonly output?: string | undefined;
  readonly rule: string;
  readonly file?: string | undefined;
}

export interface ServerRendering {
  readonly kind: 'server';
  /** Runs the built server; absent where the framework builds one only for platforms of its own. */
  readonly start?: string | undefined;
  readonly rule: string;
  readonly file?: string | undefined;
  /** The change that would make it a static site, as an imperative without a full stop. */
  readonly remedy: string;
}

/** Whether the build gives files to publish or a server to run. */
export type Rendering = StaticRendering | ServerRendering;
export type RenderingRule = (project: Project) => Rendering;

/** Frameworks that can render on a server. One without a rule here gives static files. */
const RULES: Readonly<Record<string, RenderingRule>> = {
  nextjs: rules.judgeNext,
  blitzjs: rules.judgeNext,
  nuxtjs: rules.judgeNuxt,
  astro: rules.judgeAstro,
  'sveltekit-1': rules.svelteKit,
  'react-router': rules.reactRouter,
  remix: rules.judgeRemix,
  angular: judgeAngular,
  nitro: rules.judgeNitro,
  'solidstart-1': rules.solidStart,
  analog: rules.judgeAnalog,
  'tanstack-start': rules.tanstackStart,
  'tanstack-start-lovable': rules.tanstackStart,
  hydrogen: rules.judgeHydrogen,
  redwoodjs: rules.judgeRedwood,
  waku: rules.judgeWaku,
  vike: rules.judgeVike,
  'qwik-city': rules.qwikCity,
};

export const renderingOf = (project: Project, framework: FoundFramework): Rendering =>
  RULES[framework.slug]?.(project) ?? { kind: 'static', rule: `${framework.name} builds static files` };

/** The refusal to publish as a static site what is none. */
export const needsServer = (framework: string, path: string, { remedy, start }: ServerRendering): VerenError =>
  new VerenError('NEEDS_SERVER', {
    framework,
    path,
    remedy: `${remedy}${start === undefined ? '' : ', or deploy it as a backend'}.`,
  });
