import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMasker } from '../../../builder-images/shared/masker.ts';
import { ContainerEngine } from '../../../local/services/containerEngine.ts';
import { containerLauncher } from '../../../local/services/containerLauncher.ts';
import { RunningContainer } from '../../../local/services/runningContainer.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';

let mockFile = '';
jest.mock('../../../local/platform/images.ts', () => ({
  ...jest.requireActual('../../../local/platform/images.ts'),
  findLaptopEngine: async () => ({ kind: 'docker', file: mockFile, env: { PATH: process.env.PATH } }),
}));
afterAll(removeFolders);

/**
 * Stands in for docker, with one container: `start` takes a while until it runs, and then ends with it; `stop` of one that
 * does not run yet is a success. Source: Docker's Engine API, ContainerStop, status 304.
 */
function engineProgram(firstWords = 'echo 1000:1000') {
  const folder = temporaryFolder();
  const file = join(folder, 'docker');
  writeFileSync(
    file,
    `#!/bin/bash
cd ${folder}
case $1 in
start) touch asked; sleep 0.7; touch running
  for i in {1..250}; do [[ -e killed ]] && exit 137; sleep 0.1; done ;;
stop) [[ -e running ]] && touch killed ;;
rm) [[ -e running ]] && touch killed ;;
image) ${firstWords} ;;
inspect) [[ -e told ]] && cat told || exit 1 ;;
events) printf '%s ' "$@" >events; [[ -e oom ]] && echo oom ;;
esac
exit 0
`,
  );
  chmodSync(file, 0o755);
  return {
    file,
    has: (name: string) => existsSync(join(folder, name)),
    read: (name: string) => readFileSync(join(folder, name), 'utf8'),
    write: (name: string, text: string) => writeFileSync(join(folder, name), text),
  };
}

test('a container that is stopped before it has started is ended when it has', async () => {
  const { file, has } = engineProgram();
  const engine = new ContainerEngine({ kind: 'docker', file, env: { PATH: process.env.PATH! } }, 'x');
  const places = { engine, id: 'i', name: 'n', port: 80, memoryMb: 128, mask: createMasker([], []) };
  const container = new RunningContainer({ ...places, onLine: () => undefined });
  await container.stop();
  expect(has('killed')).toBe(true);
  expect(await container.ended).toBeNull();
}, 10_000);

test('a container that is not wanted any more when it is made is not started', async () => {
  const { file, has } = engineProgram();
  mockFile = file;
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'services'));
  const launcher = containerLauncher({ dataDir, hostEnv: {} });
  const settings = { memoryMb: 128 };
  const artifact = { kind: 'image', uri: 'i', digest: 'sha256:0', bytes: 1 };
  const spec = { version: 'd1-0', artifact, settings, port: 80, secrets: [] };
  const launch = launcher.launch(spec as never, {}, () => undefined, AbortSignal.abort());
  await expect(launch).rejects.toThrow('it is not wanted any more');
  expect(has('asked')).toBe(false);
});

test.each([
  [true, 'oom', true],
  [false, 'oom', true],
  [false, 'none', false],
])('docker’s state says %s of memory and its events %s', async (OOMKilled, event, expected) => {
  const { file, read, write } = engineProgram();
  const times = { StartedAt: '2026-11-28T20:00:00.5Z', FinishedAt: '2026-11-28T20:00:01.123456789Z' };
  write('told', JSON.stringify({ Pid: 0, OOMKilled, ...times }));
  write(event, '');
  const engine = new ContainerEngine({ kind: 'docker', file, env: { PATH: process.env.PATH! } }, 'x');
  expect(await engine.ranOutOfMemory('i')).toBe(expected);
  if (!OOMKilled) expect(read('events')).toContain(`--since ${times.StartedAt} --until 2026-11-28T20:00:03.123Z`);
});
test('an engine that does not answer is not waited for when a container is not wanted any more', async () => {
  const { file, has } = engineProgram('touch waits; sleep 60');
  mockFile = file;
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'services'));
  const launcher = containerLauncher({ dataDir, hostEnv: {} });
  const artifact = { kind: 'image', uri: 'i', digest: 'sha256:0', bytes: 1 };
  const spec = { version: 'd1-0', artifact, settings: { memoryMb: 128 }, port: 80, secrets: [] };
  const unwanted = new AbortController();
  const launch = launcher.launch(spec as never, {}, () => undefined, unwanted.signal);
  launch.catch(() => undefined);
  while (!has('waits')) await new Promise((resolve) => setTimeout(resolve, 20));
  unwanted.abort();
  await expect(launch).rejects.toThrow('it is not wanted any more');
  await launcher.close?.();
  // What the engine was asked for may still come, so that the next start looks for it.
  expect(existsSync(join(dataDir, 'services/containers'))).toBe(true);
}, 10_000);
