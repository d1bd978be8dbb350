import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** Logs of builds as users read them over HTTP. */
const platform = usePlatform();

async function logOf(projectId: string, build: string) {
  const { path } = makeRepo(join(platform.folder, projectId), {
    'package.json': JSON.stringify({ name: 'noisy', private: true, scripts: { build: 'sh build.sh' } }),
    'build.sh': `mkdir -p dist; echo ok > dist/index.html\n${build}`,
  });
  const frontend = { ...HOST_NODE, installCommand: '' };
  const record = await platform.veren.deploy({ projectId, gitUrl: pathToFileURL(path).href, frontend, backend: false });
  expect([record.status, record.error]).toEqual(['succeeded', undefined]);
  const lines = await platform.veren.logs(record.deploymentId);
  return lines.filter(({ stream }) => stream !== 'system').map(({ line }) => line);
}

const turns = (count: number, one: (i: number) => string[]) =>
  Array.from({ length: count }, (_, i) => one(i + 1)).flat();

test('lines stand in the order in which they were written, whatever they were written to', async () => {
  const lines = await logOf(
    'turns',
    `i=1; while [ $i -le 40 ]; do echo "step $i starts"; echo "step $i warns" >&2; i=$((i+1)); done
node -e 'for (let i = 1; i <= 100; i++) { console.log("node", i); console.error("oops", i); }'
(echo sub out; echo sub err >&2; sh -c 'echo deeper err >&2; echo deeper out')
exec 2>&1; printf 'no newline at the end'`,
  );
  const from = lines.indexOf('step 1 starts');
  expect(lines.slice(from)).toEqual([
    ...turns(40, (i) => [`step ${i} starts`, `step ${i} warns`]),
    ...turns(100, (i) => [`node ${i}`, `oops ${i}`]),
    ...['sub out', 'sub err', 'deeper err', 'deeper out', 'no newline at the end'],
  ]);
}, 120_000);

test('a progress line ends with its last text, however long; other odd output does no harm', async () => {
  const bar = (out: string, rewrite: string) =>
    `node -e 'for (let i = 0; i <= 2000; i++) process.${out}.write("${rewrite}[" + "#".repeat(i / 50) + "] " + i + "/2000 modules"); process.${out}.write("${rewrite}DONE 2000 modules built in 3 s\\n")'`;
  const lines = await logOf(
    'bars',
    `node -e 'for (let i = 0; i <= 100; i++) process.stdout.write("\\r" + String(i).padStart(3) + "% short")' ; echo
${bar('stdout', '\\r')}
${bar('stderr', '\\r')}
${bar('stderr', '\\u001b[2K\\u001b[1G')}
node -e 'process.stdout.write("x".repeat(100000) + "THE-END\\n")'
printf '\\033[31mred\\033[0m \\033[2K\\033[1A moved \\033]0;title\\007 bell\\007 nul\\000 end\\n'
printf 'latin1 caf\\351 invalid utf8\\n'
printf 'no newline at the end'`,
  );
  const from = lines.indexOf('100% short');
  expect(from).toBeGreaterThanOrEqual(0);
  const done = 'DONE 2000 modules built in 3 s';
  expect(lines.slice(from + 1, from + 4)).toEqual([done, done, done]);
  expect(lines[from + 4]).toMatch(/^x{8000,} … line cut$/);
  expect(lines.slice(from + 5)).toEqual([
    '\u001b[31mred\u001b[0m  moved  bell\ufffd nul\ufffd end',
    'latin1 caf\ufffd invalid utf8',
    'no newline at the end',
  ]);
}, 120_000);
