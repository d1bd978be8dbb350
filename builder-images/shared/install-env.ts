/**
 * Variables that change what an installation installs. A build needs its build tools, which are dev dependencies as a rule,
 * and people set NODE_ENV=production for the build and the service. Vercel takes NODE_ENV out of its installations, Netlify
 * and Heroku install dev dependencies whatever its value is; the service's image loses them after the build.
 */

/** Settings by which a package manager leaves dev dependencies out, as environment variables in any spelling. */
const SETTING = /^(?:p?npm_config|yarn)_(production|prod|omit|only|dev)$/i;
/** How npm's list settings are written in one variable. Source: @npmcli/config, `env-replace` and `parse-field`. */
const LIST = '\n\n';

/**
 * The value that a variable has during an installation; null where it is left out. `dev` alone is taken off a list of
 * what to omit, since the rest of the list is the user's to choose.
 */
function valueAtInstall(name: string, value: string): string | null {
  if (name.toUpperCase() === 'NODE_ENV') return null;
  const setting = SETTING.exec(name)?.[1]?.toLowerCase();
  if (setting === undefined) return value;
  if (setting === 'dev') return /^(?:false|0|no|null)$/i.test(value.trim()) ? null : value;
  if (setting !== 'omit') return null;
  const kept = value.split(LIST).filter((word) => word.trim() !== 'dev');
  return kept.length === 0 ? null : kept.join(LIST);
}

/** The user's variables as an installation has them. */
export function variablesAtInstall(given: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = Object.entries(given).flatMap(([name, value]) => {
    const kept = valueAtInstall(name, value);
    return kept === null ? [] : [[name, kept] as const];
  });
  return Object.fromEntries(pairs);
}

/**
 * The user's variables for the installation of a package manager. That runs in another folder, where a module that
 * NODE_OPTIONS names would not be found.
 */
export function variablesAtPreparation(given: Readonly<Record<string, string>>): Record<string, string> {
  const { NODE_OPTIONS: _, ...rest } = variablesAtInstall(given);
  return rest;
}

/** Names of the variables that an installation does not get, or gets with another value. */
export const changedAtInstall = (given: Readonly<Record<string, string>>): string[] => {
  const kept = variablesAtInstall(given);
  return Object.keys(given).filter((name) => kept[name] !== given[name]);
};
