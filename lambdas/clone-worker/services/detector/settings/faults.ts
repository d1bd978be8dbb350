import type { SettingsIssue } from '../../../../../contract/settings-file.ts';
import { adviseOnKey } from './settingNames.ts';

/** One thing that is wrong with a settings file: where, and what to do. */
export interface SettingsFault {
  readonly field: string;
  readonly advice: string;
}

/** So many faults are told, the rest is counted. */
const MAX_FAULTS = 20;

/** Every fault that the schema has found, with the field's path. */
export const faultsOf = (issues: readonly SettingsIssue[]): SettingsFault[] =>
  issues.flatMap((issue) => explainIssue(issue));

function explainIssue(issue: SettingsIssue): SettingsFault[] {
  const path = issue.path.map(String);
  const field = path.join('.');
  switch (issue.code) {
    case 'unrecognized_keys':
      // A file may hold thousands: the rest is only counted.
      return issue.keys.map((key, i) => ({
        field: [...path, key].join('.'),
        advice: i < MAX_FAULTS ? adviseOnKey(path, key) : '',
      }));
    case 'invalid_union':
      return explainUnion(issue, path);
    case 'invalid_type':
      return [{ field, advice: `must be ${withArticle(issue.expected)}` }];
    case 'invalid_value':
      return [{ field, advice: `must be ${listChoices(issue.values)}` }];
    case 'too_big':
      return [{ field, advice: `must ${measureOf(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin)}` }];
    case 'too_small':
      return [{ field, advice: `must ${measureOf(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin)}` }];
    default:
      return [{ field, advice: issue.message }];
  }
}

/** Of a value that may be `false` or an object the faults inside of the object; of a choice its values. */
function explainUnion(
  issue: Extract<SettingsIssue, { code: 'invalid_union' }>,
  path: readonly string[],
): SettingsFault[] {
  const field = path.join('.');
  const inside = issue.errors.find((branch) => branch.some((inner) => inner.path.length > 0 || isUnknownKey(inner)));
  if (inside) return faultsOf(inside.map((inner) => ({ ...inner, path: [...path, ...inner.path] }) as SettingsIssue));
  const all = issue.errors.flat();
  const values = all.flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []));
  const types = all.flatMap((inner) => (inner.code === 'invalid_type' ? [withArticle(inner.expected)] : []));
  const choices = [...(values.length > 0 ? [listChoices(values)] : []), ...types];
  return [{ field, advice: choices.length > 0 ? `must be ${choices.join(' or ')}` : issue.message }];
}

const isUnknownKey = (issue: SettingsIssue) => issue.code === 'unrecognized_keys' || issue.code === 'custom';
const withArticle = (type: string): string => `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`;
const listChoices = (values: readonly unknown[]): string =>
  values
    .map((value) => JSON.stringify(value) ?? String(value))
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
const measureOf = (origin: string) => (origin === 'string' || origin === 'array' ? 'have' : 'be');
const unitOf = (origin: string) => (origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '');

const MAX_NAME = 120;
const MAX_ADVICE = 360;

/** A text that a stranger wrote, without what could not be printed. */
const cleanText = (text: string, length: number): string => {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '?');
  return clean.length > length ? `${clean.slice(0, length)}…` : clean;
};

/** All faults as one text. */
export function joinFaults(faults: readonly SettingsFault[]): string {
  const told = faults
    .slice(0, MAX_FAULTS)
    .map(({ field, advice }) =>
      field === '' ? cleanText(advice, MAX_ADVICE) : `"${cleanText(field, MAX_NAME)}" ${cleanText(advice, MAX_ADVICE)}`,
    );
  const more = faults.length > told.length ? [`${faults.length - told.length} more`] : [];
  return [...told, ...more].join('; ');
}
