import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { git } from '../support/gitServer.ts';
import { HOST_NODE } from '../support/veren.ts';

/** Lines that the build of `main` prints, one after the other. */
export const LINES = 240;
/** What a hostile repository prints: markup, colours, a window's title, a character that reorders text. */
export const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

const build = (steps: string) => `import { mkdirSync, writeFileSync } from 'node:fs';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
${steps}
mkdirSync('dist', { recursive: true });
`;
const site = (text: string) => `writeFileSync('dist/index.html', '<h1>${text}</h1>');\n`;

/** A repository with two sites, of which a deployment has to name one. @returns its URL */
export function repositoryOfSites(folder: string): string {
  mkdirSync(folder, { recursive: true });
  git(folder, ['init', '-q', '-b', 'main']);
  for (const name of ['docs', 'web']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'index.html'), `<h1>${name}</h1>`);
    const frontend = { ...HOST_NODE, installCommand: '', buildCommand: '', outputDirectory: '.' };
    writeFileSync(join(folder, name, 'veren.json'), JSON.stringify({ frontend }));
  }
  git(folder, ['add', '-A']);
  git(folder, ['commit', '-q', '-m', 'Two sites']);
  return pathToFileURL(folder).href;
}

/**
 * A repository whose branches do what deployments do: `main` talks and succeeds (twice, in two commits), `broken` fails,
 * `slow` does not end. @returns its URL, and the way to the second commit of `main`
 */
export function talkativeRepository(folder: string): { readonly url: string; commitAgain(): void } {
  mkdirSync(folder, { recursive: true });
  git(folder, ['init', '-q', '-b', 'main']);
  const commit = (message: string, files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    git(folder, ['add', '-A']);
    git(folder, ['commit', '-q', '-m', message]);
  };
  const talk = build(`for (let i = 1; i <= ${LINES}; i++) { console.log('step ' + i); await pause(20); }
console.log('\\u001b[32mgreen\\u001b[39m and \\u001b]0;title\\u0007plain \\u202etxet');
console.log(${JSON.stringify(HOSTILE)});`);
  commit('First', {
    'package.json': JSON.stringify({ name: 'talk', private: true }),
    'veren.json': JSON.stringify({
      frontend: { ...HOST_NODE, installCommand: '', buildCommand: 'node build.mjs', outputDirectory: 'dist' },
    }),
    'build.mjs': talk + site('first'),
  });
  git(folder, ['checkout', '-q', '-b', 'broken']);
  commit('Broken', {
    'build.mjs': build(`console.log('before'); console.error('Error: cannot find the flux'); process.exit(3);`),
  });
  git(folder, ['checkout', '-q', '-b', 'slow', 'main']);
  commit('Slow', { 'build.mjs': build(`console.log('sleeping'); await pause(600_000);`) });
  git(folder, ['checkout', '-q', 'main']);
  return {
    url: pathToFileURL(folder).href,
    commitAgain: () => commit('Second', { 'build.mjs': build(`console.log('quick');`) + site('second') }),
  };
}
