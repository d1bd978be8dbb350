import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const EXAMPLES = join(__dirname, '../examples');
/** Lockfile of each package manager. */
const LOCKFILES = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'];

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist', '.git'].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}
const named = (...names: string[]) => files(EXAMPLES).filter((file) => names.includes(file.split('/').at(-1) ?? ''));
const manifest = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

it('holds every kind that the demo and the tests deploy', () => {
  expect(readdirSync(EXAMPLES)).toEqual(expect.arrayContaining(['fullstack', 'pnpm-app', 'react-vite', 'static-page']));
  expect(named('package.json').map((file) => relative(EXAMPLES, file))).toEqual(
    expect.arrayContaining(['fullstack/backend/package.json', 'fullstack/frontend/package.json']),
  );
  expect(files(join(EXAMPLES, 'static-page')).map((file) => relative(EXAMPLES, file))).not.toContain(
    'static-page/package.json',
  );
});

it.each(named('package.json').map((file) => [relative(EXAMPLES, file), file]))(
  '%s has one lockfile, exact versions and a command to run',
  (_, file) => {
    const folder = join(file, '..');
    expect(LOCKFILES.filter((name) => existsSync(join(folder, name)))).toHaveLength(1);
    const { scripts, dependencies = {}, devDependencies = {} } = manifest(file);
    expect(scripts.build ?? scripts.start).toEqual(expect.any(String));
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  },
);

/** The one that wrote a lockfile is not the one of whoever installs from it. */
it.each(named(...LOCKFILES).map((file) => [relative(EXAMPLES, file), file]))('%s names no registry', (_, file) => {
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/integrity|checksum|sha512-/);
  expect(text).not.toMatch(/"?(resolved|tarball)"?:|\.tgz/);
});

/**
 * npm leaves out what its registry does not offer at that moment, and `npm ci` then refuses the lockfile everywhere: no
 * platform's package may be missing.
 */
it.each(
  [join(EXAMPLES, '../package-lock.json'), ...named('package-lock.json')].map((file) => [
    relative(join(EXAMPLES, '..'), file),
    file,
  ]),
)('%s is whole', (_, file) => {
  const packages: Record<string, { optionalDependencies?: Record<string, string> }> = manifest(file).packages;
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !resolves(Object.keys(packages), path, name)),
  );
  expect(missing).toEqual([]);
});

/** Whether Node would find `name` from the folder `path`. */
function resolves(paths: readonly string[], path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (paths.includes(`${folder && `${folder}/`}node_modules/${name}`)) return true;
    if (folder === '') return false;
  }
}

it("names its lockfile's package manager where it is not npm", () => {
  for (const file of named('pnpm-lock.yaml', 'yarn.lock', 'bun.lock'))
    expect(manifest(join(file, '../package.json')).packageManager).toMatch(/^(pnpm|yarn|bun)@\d+\.\d+\.\d+$/);
});
