import { join } from '../../../shared/repo/repoFs.ts';
import type { Project } from './project.ts';
import type { Rendering } from './rendering.ts';
import { parseJsonc } from './sourceText.ts';

type Json = Readonly<Record<string, unknown>>;
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});

/**
 * What `ng build` gives, read from angular.json. The `application` builder writes the browser's files to
 * `<outputPath>/browser`, the older `browser` builder to `<outputPath>`. Source: https://angular.dev/reference/configs/workspace-config
 */
export function angularRendering(project: Project): Rendering {
  const file = join(project.dir, 'angular.json');
  const workspace = object(parseJsonc(project.repo.text(file) ?? ''));
  const projects = Object.entries(object(workspace.projects)).map(([name, value]) => ({ name, config: object(value) }));
  const applications = projects.filter(({ config }) => (config.projectType ?? 'application') === 'application');
  const chosen = applications.find(({ name }) => name === workspace.defaultProject) ?? applications[0] ?? projects[0];
  if (!chosen) return { kind: 'static', output: 'dist', rule: 'no project in angular.json', file };
  const build = object(object(chosen.config.architect ?? chosen.config.targets).build);
  const options = object(build.options);
  const modern = typeof build.builder === 'string' && build.builder.endsWith(':application');
  const { base, browser } = outputPath(options.outputPath, `dist/${chosen.name}`);
  const output = modern && browser !== '' ? `${base}/${browser}` : base;
  const renders = options.ssr !== undefined && options.ssr !== false;
  if (renders && options.outputMode !== 'static') return serverSide(base, file);
  return { kind: 'static', output, rule: 'outputPath in angular.json', file };
}

const serverSide = (base: string, file: string): Rendering => ({
  kind: 'server',
  start: `node ${base}/server/server.mjs`,
  rule: 'ssr in angular.json',
  file,
  remedy: 'Set "outputMode": "static" in angular.json, or deploy it as a backend.',
});

/** A text, or `{base, browser}` where `browser` may be empty. */
function outputPath(value: unknown, fallback: string): { base: string; browser: string } {
  const plain = (text: string) => text.replace(/^\.\//, '').replace(/\/+$/, '');
  if (typeof value === 'string') return { base: plain(value), browser: 'browser' };
  const { base, browser } = object(value);
  return {
    base: typeof base === 'string' ? plain(base) : fallback,
    browser: typeof browser === 'string' ? browser : 'browser',
  };
}
