import fc from 'fast-check';
import { FailureLines } from '../../../builder-images/shared/failure-lines.ts';
import { lockfileFault } from '../../../builder-images/shared/lockfile-fault.ts';

const select = (lines: readonly string[]) => {
  const kept = new FailureLines();
  for (const line of lines) kept.add(line);
  return kept.selected;
};
const noise = (count: number, text = 'help') => Array.from({ length: count }, (_, i) => `${text} ${i}`);
const npmHelp = noise(120).map((line) => `npm error   --${line}`);

/** What the tools print, as they did on 2026-11-27. */
const NPM = [
  'npm error code EUSAGE',
  'npm error',
  'npm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.',
  'npm error',
  'npm error Missing: is-odd@3.0.1 from lock file',
  'npm error Missing: is-number@6.0.0 from lock file',
  'npm error',
  'npm error Clean install a project',
  ...npmHelp,
];
const PNPM_10 = [
  ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/package.json',
  '',
  '  Failure reason:',
  "  specifiers in the lockfile don't match specifiers in package.json:",
  '* 1 dependencies were added: is-odd@3.0.1',
  '',
];
const PNPM_9 = [
  ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/package.json',
  `    specifiers in the lockfile ({"left-pad":"1.3.0"}) don't match specs in package.json ({"left-pad":"1.3.0","is-odd":"3.0.1"})`,
];
const YARN_1 = ['error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.', 'info Visit x'];
const YARN_4 = [
  '➤ YN0000: · Yarn 4.18.1',
  ...noise(60).map((line) => `➤ YN0000: │ ${line}`),
  '\u001b[31m➤\u001b[39m YN0028: │ +"is-odd@npm:3.0.1":',
  '➤ YN0028: │ +  version: 3.0.1',
  ...noise(60).map((line) => `➤ YN0000: │ ${line}`),
  '➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.',
  '➤ YN0000: · Failed with errors in 0s 378ms',
];
const BUN = [
  'Resolved, downloaded and extracted [8]',
  'error: lockfile had changes, but lockfile is frozen',
  'note: dependencies in package.json changed since bun.lock was saved: is-odd was added',
];

test.each([
  ['npm', NPM, 'is-odd@3.0.1', 'npm install'],
  ['pnpm 10', PNPM_10, 'is-odd@3.0.1', 'pnpm install'],
  ['pnpm 9', PNPM_9, '"is-odd":"3.0.1"', 'pnpm install'],
  ['Yarn 1', YARN_1, 'Yarn refuses', 'yarn install'],
  ['Yarn 4', YARN_4, 'is-odd@npm:3.0.1', 'yarn install'],
  ['bun', BUN, 'is-odd was added', 'bun install'],
])('%s: a lockfile out of step is an error of its own, with what does not fit', (_, said, reason, command) => {
  const lines = select([...noise(200, 'downloading'), ...said]);
  const error = lockfileFault(lines);
  expect(error?.code).toBe('LOCKFILE_OUT_OF_STEP');
  expect(error?.message).toContain(reason);
  expect(error?.message).toContain(`"${command}"`);
});

test('other faults of an installation are none of it', () => {
  for (const said of [
    ['npm error code E404', "npm error 404 'no-such-package@1.0.0' is not in this registry."],
    ['npm error code EUSAGE', 'npm error The `npm ci` command can only install with an existing package-lock.json'],
    [' ERR_PNPM_NO_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is absent'],
    ['error: package "lockfile" failed'],
  ])
    expect(lockfileFault(select(said))).toBeNull();
});

test.each([
  ['npm', 'npm error code EUSAGE', npmHelp],
  ['node-gyp', 'npm error gyp ERR! find Python', noise(90).map((line) => `npm error gyp ERR! stack ${line}`)],
  ['pnpm', '[ERR_PNPM_FETCH_404] GET https://r/x: Not Found - 404', noise(90)],
  ['bun', 'error: package "x" not found registry.npmjs.org/x 404', noise(90)],
  ['a shell', 'sh: 1: esbuild: not found', noise(90)],
  ['TypeScript', "src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.", noise(90)],
  ['esbuild', '\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m Could not resolve "x"', noise(90)],
  ['Node', "Error: Cannot find module './x'", noise(90).map((line) => `    at ${line}`)],
  ['a compiler', '../src/a.cc:12:10: fatal error: x.h: No such file or directory', noise(90)],
  ['V8', 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', noise(90)],
  ['Next.js', 'Failed to compile.', noise(90)],
  ['Python', 'Traceback (most recent call last):', noise(90)],
])('%s: the first error is kept however much follows it', (_, first, tail) => {
  const lines = select([...noise(300, 'working'), 'before it', first, 'the reason', ...tail, 'the end']);
  const at = lines.indexOf(first);
  expect(lines.slice(at - 1, at + 2)).toEqual(['before it', first, 'the reason']);
  expect(lines.at(-1)).toBe('the end');
  expect(lines).toContain('…');
});

test("a program's error and the package manager's that follows it are both kept", () => {
  const lines = select([...noise(50), 'a.ts(1,1): error TS1005: x', ...noise(70), 'npm error code 2', ...noise(70)]);
  expect(lines).toEqual(expect.arrayContaining(['a.ts(1,1): error TS1005: x', 'npm error code 2', 'help 69']));
});

test('whatever is printed: at most thirty bounded lines, in order, with the last ones among them', () => {
  const line = fc.oneof(fc.string(), fc.constantFrom('npm error x', 'Error: y', '', 'sh: 1: z: not found'));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 400 }), (printed) => {
      const numbered = printed.map((text, i) => `${text}#${i}`);
      const lines = select(numbered).filter((text) => text !== '…');
      expect(select(numbered).length).toBeLessThanOrEqual(30);
      const order = lines.map((text) => Number(text.slice(text.lastIndexOf('#') + 1)));
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(lines.slice(-4)).toEqual(numbered.slice(-4));
      if (printed.length <= 30) expect(lines).toEqual(numbered);
    }),
  );
  expect(select(['x'.repeat(5_000)])[0]).toHaveLength(1_000);
});
