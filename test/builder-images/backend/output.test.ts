import { diagnoseEnding } from '../../../builder-images/build-image-backend/utils/diagnose.ts';
import { type BuildStep, parserOf } from '../../../builder-images/build-image-backend/utils/output.ts';
import type { ErrorCode } from '../../../contract/errors.ts';

const RUN =
  'RUN --mount=type=secret,id=variables,target=/kaniko/build/variables,uid=1000,mode=0400     /opt/veren/run install';
const info = (msg: string) => JSON.stringify({ level: 'info', msg, time: '2026-11-23T23:10:21Z' });

describe('what container builders say', () => {
  test.each([
    ['kaniko', info(RUN), { kind: 'step', step: 'tools' }],
    ['kaniko', 'veren: step install begins', { kind: 'step', step: 'install' }],
    ['docker', '#12 3.141 veren: step tools begins', { kind: 'step', step: 'tools' }],
    ['buildah', 'veren: step install begins', { kind: 'step', step: 'install' }],
    ['kaniko', info('COPY veren/build.command veren/prune.command /opt/veren/'), { kind: 'step', step: 'build' }],
    ['kaniko', info('Found cached layer, extracting to filesystem'), { kind: 'cached' }],
    ['kaniko', info('Unpacking rootfs as cmd COPY veren/install.command /x requires it.'), { kind: 'silence' }],
    ['kaniko', 'added 72 packages in 1s', { kind: 'output', line: 'added 72 packages in 1s' }],
    ['kaniko', '{"level":"info","msg":"cut off', { kind: 'silence' }],
    ['kaniko', 'error building image: boom', { kind: 'error', message: 'error building image: boom' }],
    ['docker', `#12 [build 6/14] ${RUN}`, { kind: 'step', step: 'tools' }],
    ['docker', '#12 CACHED', { kind: 'cached' }],
    ['docker', '#12 3.141 added 72 packages', { kind: 'output', line: 'added 72 packages' }],
    ['docker', '#4 [stage-1 2/5] COPY veren/init /opt/veren/init', { kind: 'silence' }],
    [
      'docker',
      '#12 ERROR: process "x" did not complete successfully: exit code: 7',
      { kind: 'error', message: 'process "x" did not complete successfully: exit code: 7' },
    ],
    ['buildah', `[1/2] STEP 9/17: ${RUN}`, { kind: 'step', step: 'tools' }],
    ['podman', '--> Using cache 0f1e', { kind: 'cached' }],
    ['buildah', 'added 72 packages', { kind: 'output', line: 'added 72 packages' }],
    [
      'buildah',
      'Error: building at STEP "RUN x": while running runtime: exit status 7',
      { kind: 'error', message: 'building at STEP "RUN x": while running runtime: exit status 7' },
    ],
    ['buildah', 'Error: Cannot find module express', { kind: 'output', line: 'Error: Cannot find module express' }],
  ] as const)('%s: %s', (engine, line, said) => {
    expect(parserOf[engine](line, 'stderr')).toEqual(said);
  });
});

describe('why it ended', () => {
  const ended = (step: BuildStep, errors: string[], lastLines: string[] = [], exitCode = 1) => {
    const fault = diagnoseEnding({ exitCode, step, errors, lastLines });
    return { code: fault.error.code, exitCode: fault.exitCode, message: fault.message, lastLines: fault.lastLines };
  };
  const kaniko = (status: string) => [
    `error building image: error building stage: failed to execute command: waiting for process to exit: ${status}`,
  ];
  const step = (name: string, code: number) => `veren: step ${name} ended with exit code ${code}`;

  test.each<[string, BuildStep, string[], string[], ErrorCode, number | undefined]>([
    ['npm ci', 'install', kaniko('exit status 1'), ['npm error code EUSAGE', step('install', 1)], 'INSTALL_FAILED', 1],
    ['tsc', 'build', kaniko('exit status 2'), ['error TS2322', step('build', 2)], 'BUILD_FAILED', 2],
    ['docker', 'build', ['process "/bin/sh" did not complete successfully: exit code: 3'], [], 'BUILD_FAILED', 3],
    ['killed', 'build', kaniko('signal: killed'), [], 'BUILD_OUT_OF_MEMORY', 137],
    [
      'heap',
      'build',
      kaniko('exit status 134'),
      ['FATAL ERROR: JavaScript heap out of memory', step('build', 134)],
      'BUILD_OUT_OF_MEMORY',
      137,
    ],
    [
      'disk',
      'install',
      kaniko('exit status 228'),
      ['npm error ENOSPC: no space left on device', step('install', 228)],
      'BUILD_DISK_FULL',
      undefined,
    ],
    [
      'disk of Kaniko',
      'image',
      ['error building image: write /kaniko/x: no space left on device'],
      [],
      'BUILD_DISK_FULL',
      undefined,
    ],
    [
      'pull',
      'base',
      ['error building image: unable to retrieve image: Get "https://r/v2/": dial tcp: connection refused'],
      [],
      'BASE_IMAGE_UNAVAILABLE',
      undefined,
    ],
    ['pnpm', 'tools', kaniko('exit status 1'), ['npm error code E404', step('tools', 1)], 'TOOLCHAIN_UNAVAILABLE', 1],
    ['other', 'image', ['error building image: something odd'], [], 'IMAGE_BUILD_FAILED', undefined],
  ])('%s', (_, at, errors, lastLines, code, exitCode) => {
    expect(ended(at, errors, lastLines)).toMatchObject({ code, exitCode });
  });

  test.each([
    ["Package 'cairo', required by 'virtual:world', not found", 'the library cairo'],
    ['Package vips-cpp was not found in the pkg-config search path.', 'the library vips-cpp'],
    ['../src/binding.cc:1:10: fatal error: sqlite3.h: No such file or directory', 'the header file sqlite3.h'],
    ['/usr/bin/ld: cannot find -lpq', 'the library pq'],
    ['Error: libGL.so.1: cannot open shared object file: No such file or directory', 'the library libGL.so.1'],
    ['sh: 1: ffmpeg: not found', 'the program ffmpeg'],
  ])('a missing system library: %s', (line, library) => {
    const fault = ended('install', kaniko('exit status 1'), [line, step('install', 1)]);
    expect(fault).toMatchObject({ code: 'SYSTEM_LIBRARY_MISSING', exitCode: 1, lastLines: [line] });
    expect(fault.message).toContain(`The install phase needs ${library},`);
  });

  test('a program that the service should have brought is an ordinary failure', () => {
    expect(ended('build', kaniko('exit status 127'), ['sh: 1: tcs: not found', step('build', 127)]).code).toBe(
      'BUILD_FAILED',
    );
  });
});
