import { parseCommands } from '../../../../../lambdas/clone-worker/services/detector/commandLine.ts';

const programs = (line: string) => parseCommands(line).map(({ program }) => program);
const args = (line: string) => parseCommands(line)[0]?.args;

test.each([
  ['vite build', ['vite']],
  ['tsc -b && vite build', ['tsc', 'vite']],
  ['NODE_ENV=production npx --yes vite build', ['vite']],
  ['cross-env A=1 B="x y" vite build', ['vite']],
  ['dotenv -e .env.prod -- vite build', ['vite']],
  ['node --max-old-space-size=4096 ./node_modules/vite/bin/vite.js build', ['vite']],
  ['node_modules/.bin/vite build', ['vite']],
  ['pnpm exec vite build; yarn vite build', ['vite', 'vite']],
  ['bunx --bun vite build', ['vite']],
  ['(cd web && vite build) > out.log 2>&1', ['cd', 'vite']],
  ['node server.js | pino-pretty', ['node', 'pino-pretty']],
  ['echo "a && b; c" && node app.js', ['echo', 'node']],
  ['npm run build && node .', ['npm', 'node']],
  ['', []],
  ['&& ;; "', []],
])('%j runs %j', (line, expected) => expect(programs(line)).toEqual(expected));

test('quotes and escapes are taken off, and a redirection is no argument', () => {
  expect(args(`x --a='b c' "d e" f\\ g > h`)).toEqual(['--a=b c', 'd e', 'f g']);
});

test.each([
  ['cd docs && vitepress build', ['.', 'docs']],
  ['(cd server && tsc) && vite build', ['.', 'server', '.']],
  ['cd a && cd ../b && x', ['.', 'a', 'b']],
  ['cd ../.. && x', ['.', '.']],
  [')))) x ((((', ['.']],
])('%j runs in %j', (line, expected) => expect(parseCommands(line).map(({ folder }) => folder)).toEqual(expected));
