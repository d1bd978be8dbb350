import type { ProjectSettings } from '../../../contract/project.ts';
import type { SettingsChange } from '../../api/settingsChange.ts';

export type Part = 'detect' | 'off' | 'given';

/** What the form holds: text as it is typed. */
export interface SettingsForm {
  readonly gitUrl: string;
  readonly productionBranch: string;
  readonly rootDirectory: string;
  readonly frontend: Part;
  readonly frontendPath: string;
  readonly installCommand: string;
  readonly buildCommand: string;
  readonly outputDirectory: string;
  readonly backend: Part;
  readonly backendPath: string;
  readonly startCommand: string;
  readonly protection: 'none' | 'link' | 'password';
  readonly previewDays: string;
  readonly keep: string;
  readonly budget: string;
  readonly maintenance: boolean;
}

const partOf = (part: ProjectSettings['frontend'] | ProjectSettings['backend']): Part =>
  part === false ? 'off' : part && Object.keys(part).length > 0 ? 'given' : 'detect';

export function formOf(settings: ProjectSettings): SettingsForm {
  const { frontend, backend, previews, releases } = settings;
  const site = frontend || {};
  const service = backend || {};
  return {
    gitUrl: settings.gitUrl ?? '',
    productionBranch: settings.productionBranch ?? '',
    rootDirectory: settings.rootDirectory ?? '',
    frontend: partOf(frontend),
    frontendPath: site.path ?? '',
    installCommand: site.installCommand ?? '',
    buildCommand: site.buildCommand ?? '',
    outputDirectory: site.outputDirectory ?? '',
    backend: partOf(backend),
    backendPath: service.path ?? '',
    startCommand: service.startCommand ?? '',
    protection: previews?.protection ?? 'none',
    previewDays: previews?.keepDays?.toString() ?? '',
    keep: releases?.keep?.toString() ?? '',
    budget: settings.budget?.monthlyUsd.toString() ?? '',
    maintenance: settings.maintenance ?? false,
  };
}

const text = (given: string) => given.trim() || null;
/** What is no number is sent as it is: the platform says so at its field. */
const number = (given: string) =>
  given.trim() === '' ? null : Number.isNaN(Number(given)) ? (given as unknown as number) : Number(given);

/** What was changed, as a merge patch: what the form does not show is not touched. */
export function changeOf(before: SettingsForm, after: SettingsForm): SettingsChange {
  const isChanged = (...names: (keyof SettingsForm)[]) => names.some((name) => before[name] !== after[name]);
  const part = (kind: Part, given: object) => (kind === 'off' ? false : kind === 'detect' ? null : given);
  const frontend = {
    path: text(after.frontendPath),
    installCommand: text(after.installCommand),
    buildCommand: text(after.buildCommand),
    outputDirectory: text(after.outputDirectory),
  };
  const backend = { path: text(after.backendPath), startCommand: text(after.startCommand) };
  return {
    ...(isChanged('gitUrl') && { gitUrl: text(after.gitUrl) }),
    ...(isChanged('productionBranch') && { productionBranch: text(after.productionBranch) }),
    ...(isChanged('rootDirectory') && { rootDirectory: text(after.rootDirectory) }),
    ...(isChanged('frontend', 'frontendPath', 'installCommand', 'buildCommand', 'outputDirectory') && {
      frontend: part(after.frontend, frontend) as never,
    }),
    ...(isChanged('backend', 'backendPath', 'startCommand') && { backend: part(after.backend, backend) as never }),
    ...(isChanged('protection', 'previewDays') && {
      previews: {
        ...(isChanged('protection') && { protection: after.protection }),
        ...(isChanged('previewDays') && { keepDays: number(after.previewDays) }),
      },
    }),
    ...(isChanged('keep') && { releases: { keep: number(after.keep) } }),
    ...(isChanged('budget') && {
      budget: text(after.budget) === null ? null : { monthlyUsd: number(after.budget) },
    }),
    ...(isChanged('maintenance') && { maintenance: after.maintenance }),
  };
}
