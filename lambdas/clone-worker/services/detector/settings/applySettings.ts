import type { BackendOverrides, FrontendOverrides } from '../../../../../contract/api.ts';
import { TARGETS, type Target } from '../../../../../contract/builders.ts';
import type { GitOptions } from '../../../../../contract/deployment-options.ts';
import { type Evidence, type Plan, PROJECT_RULE, REQUEST_RULE, SETTINGS_RULE } from '../../../../../contract/plan.ts';
import { SETTINGS_FILE, type SettingsFile } from '../../../../../contract/settings-file.ts';
import type { DetectRequest } from '../detectRequest.ts';
import type { Forced, Proposal } from '../language.ts';
import { isWithin, normalisePath } from '../repoPath.ts';
import type { Snapshot } from '../snapshot.ts';
import type { SettingsFault } from './faults.ts';
import { readSettings, requireValid } from './readSettings.ts';

type Overrides = FrontendOverrides & BackendOverrides;

/** Where a value that nobody had to detect comes from: the rule and file of its evidence. */
export type SourceOf = (field: string) => Pick<Evidence, 'rule' | 'file'>;

/** The overrides of one target, and where each is from. */
export interface StatedOverrides {
  readonly overrides: Forced & { readonly path?: string | undefined };
  readonly sourceOf: SourceOf;
}

/** A request together with what the repository's settings files say beneath it. */
export interface SettledRequest {
  /** As if the request had said itself what the file in the root says. */
  readonly request: DetectRequest;
  /** What is fixed for a target in its folder. Throws SETTINGS_FILE_INVALID for the folder's own file. */
  overridesFor(target: Target, dir: string): StatedOverrides;
  /** Whether the folder's own file says that it is no such target, and nothing names it as one. */
  isExcluded(proposal: Proposal): boolean;
  /** Of the plan, what holds for both targets. Empty where no file says anything of it. */
  readonly shared: Pick<Plan, 'git' | 'publication' | 'evidence'>;
  /** What a file says and the plan does not follow. */
  warningsFor(plans: Readonly<Partial<Record<Target, unknown>>>): string[];
}

/**
 * Puts a request over the settings file in the root: field by field the request wins. Throws SETTINGS_FILE_INVALID with
 * every fault of that file.
 */
export function settleRequest(repo: Snapshot, given: DetectRequest): SettledRequest {
  const read = readSettings(repo, '.');
  const file: SettingsFile = read ? requireValid(read, missingFolders(repo, read.settings)) : {};
  const warnings: string[] = [];
  const request: DetectRequest = {
    ...given,
    frontend: mergeTarget('frontend', given, file, warnings),
    backend: mergeTarget('backend', given, file, warnings),
  };
  const shared = mergeShared(given, file, warnings);
  return {
    request: shared.git ? { ...request, git: shared.git } : request,
    shared,
    overridesFor(target, dir) {
      const own = dir === '.' ? undefined : readSettings(repo, dir);
      const stated = own && requireValid(own)[target];
      const asked: Overrides = given[target] || {};
      const rooted: Overrides = request[target] || {};
      const below = stated ? { ...stated, path: rooted.path } : rooted;
      const overrides = dropUnsafe(putOver(asked, below), asked, given, warnings);
      return {
        overrides,
        sourceOf: (field) =>
          asked[field as keyof Overrides] !== undefined
            ? ruleOf(given, `${target}.${field}`)
            : { rule: SETTINGS_RULE, file: stated && field !== 'path' ? own.file : SETTINGS_FILE },
      };
    },
    isExcluded({ target, path }) {
      const asked = request[target];
      const named = asked && (asked.path ?? given.path);
      if (path === '.' || (named && normalisePath(named) === path)) return false;
      return readSettings(repo, path)?.settings[target] === false;
    },
    warningsFor: (plans) => [
      ...warnings,
      ...TARGETS.flatMap((target) =>
        file[target] && request[target] && !plans[target]
          ? [`${SETTINGS_FILE} describes a ${target}, and none was found. "${target}.path" can name its folder.`]
          : [],
      ),
    ],
  };
}

/** Folders that the file in the root names. */
export const namedFolders = (repo: Snapshot): string[] =>
  TARGETS.flatMap((target) => {
    const stated = readSettings(repo, '.')?.settings[target];
    return stated && stated.path !== undefined ? [normalisePath(stated.path)] : [];
  });

const missingFolders = (repo: Snapshot, settings: SettingsFile): SettingsFault[] =>
  TARGETS.flatMap((target) => {
    const stated = settings[target];
    if (!stated || stated.path === undefined || repo.isDirectory(normalisePath(stated.path))) return [];
    return [{ field: `${target}.path`, advice: `names no folder of the repository ("${stated.path}")` }];
  });

/** What the file says of a target is about the folder that it names: it does not hold for another one of the request's. */
function mergeTarget<T extends Target>(
  target: T,
  given: DetectRequest,
  file: SettingsFile,
  warnings: string[],
): DetectRequest[T] {
  const asked = given[target];
  const stated = file[target];
  if (asked === false || stated === undefined) return asked;
  if (stated === false) return asked ?? stated;
  const wanted = asked?.path ?? given.path;
  const isMeant =
    stated.path === undefined ||
    wanted === undefined ||
    (asked?.path === undefined
      ? isWithin(normalisePath(wanted), normalisePath(stated.path))
      : normalisePath(wanted) === normalisePath(stated.path));
  if (isMeant) return putOver(asked ?? {}, stated);
  warnings.push(
    `What ${SETTINGS_FILE} says of the ${target} is about "${stated.path}" and was left out, since the request names "${wanted}".`,
  );
  return asked;
}

function mergeShared(
  given: DetectRequest,
  file: SettingsFile,
  warnings: string[],
): Pick<Plan, 'git' | 'publication' | 'evidence'> {
  const evidence: Evidence[] = [];
  const explain = (field: string, value: unknown, asked: unknown) =>
    evidence.push(
      asked === undefined
        ? { field, value: String(value), rule: SETTINGS_RULE, file: SETTINGS_FILE }
        : { field, value: String(value), ...ruleOf(given, field) },
    );
  const stated: Record<string, unknown> = { ...file.git };
  // The token reaches every repository of the host that it may read: whoever may push here must not fetch them with it.
  if (file.git?.submodules && given.hasToken && given.git?.submodules === undefined) {
    delete stated.submodules;
    warnings.push(
      `${SETTINGS_FILE}: "git.submodules" was left out, since the deployment has a git token, which could read other repositories too. Set it in the request.`,
    );
  }
  const git: GitOptions = { ...stated, ...definedOf(given.git ?? {}) };
  const hasGit = Object.keys(stated).length > 0;
  if (hasGit)
    for (const [field, value] of Object.entries(git))
      explain(`git.${field}`, value, given.git?.[field as keyof GitOptions]);
  const publication = file.publication && (given.publication ?? file.publication);
  if (publication !== undefined) explain('publication', publication, given.publication);
  return {
    ...(hasGit && { git }),
    ...(publication !== undefined && { publication }),
    ...(evidence.length > 0 && { evidence }),
  };
}

/** Who has decided a field that the settings file has not. */
const ruleOf = ({ fromProject }: DetectRequest, field: string): { rule: string } => ({
  rule: fromProject?.includes(field) ? PROJECT_RULE : REQUEST_RULE,
});

/** What strangers propose may not switch off what guards the owner's secrets. */
function dropUnsafe(overrides: Overrides, asked: Overrides, given: DetectRequest, warnings: string[]): Overrides {
  if (given.lane !== 'untrusted' || overrides.allowSecrets === undefined || asked.allowSecrets !== undefined)
    return overrides;
  warnings.push(
    `${SETTINGS_FILE}: "allowSecrets" was left out, since the deployment is not trusted. Set it in the request.`,
  );
  const { allowSecrets: _left, ...rest } = overrides;
  return rest;
}

/** Field by field what was asked for, else what was stated. `nodeVersion` is Node's runtime by its earlier name. */
function putOver<A extends Overrides, S extends Overrides>(asked: A, stated: S): S {
  const { runtime, nodeVersion, ...others } = stated;
  const isAsked = asked.runtime !== undefined || asked.nodeVersion !== undefined;
  return { ...(isAsked ? others : stated), ...definedOf(asked) } as S;
}

const definedOf = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;
