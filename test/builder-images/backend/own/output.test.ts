import { diagnoseOwnEnding } from '../../../../builder-images/build-image-backend/utils/own/diagnose.ts';
import { OutputFollower } from '../../../../builder-images/build-image-backend/utils/own/follow.ts';
import { parseOwnLine } from '../../../../builder-images/build-image-backend/utils/own/output.ts';
import { createMasker } from '../../../../builder-images/shared/masker.ts';
import type { Reporter } from '../../../../builder-images/shared/reporter.ts';
import type { ErrorCode } from '../../../../contract/errors.ts';

const info = (msg: string) => JSON.stringify({ level: 'info', msg, time: '2026-11-28T07:00:00Z' });

test.each([
  ['kaniko', info('RUN npm ci'), { kind: 'instruction', text: 'RUN npm ci' }],
  ['kaniko', info('Unpacking rootfs as cmd RUN x requires it.'), { kind: 'silence' }],
  ['kaniko', info('RUN --mount=type=secret /opt/veren/run install'), { kind: 'instruction' }],
  ['kaniko', 'added 72 packages', { kind: 'output', line: 'added 72 packages' }],
  ['kaniko', '{"level":"info","msg":"cut', { kind: 'silence' }],
  ['kaniko', 'error building image: x', { kind: 'error', message: 'error building image: x' }],
  ['docker', '#7 [build 3/9] RUN npm ci', { kind: 'instruction', text: 'RUN npm ci' }],
  ['docker', '#7 1.5 added', { kind: 'output', line: 'added' }],
  ['buildah', '[1/2] STEP 3/9: RUN npm ci', { kind: 'instruction', text: 'RUN npm ci' }],
  ['podman', 'STEP 1/2: FROM x', { kind: 'instruction', text: 'FROM x' }],
  ['buildah', 'Error: building at STEP "RUN x": exit status 7', { kind: 'error' }],
  ['buildah', 'veren: step install begins', { kind: 'silence' }],
] as const)('%s says %s', (engine, line, said) => {
  expect(parseOwnLine(engine, line, 'stderr')).toMatchObject(said);
});

test.each<[string, { step?: string; errors?: string[]; lastLines?: string[]; exitCode?: number }, ErrorCode, number?]>([
  [
    'a step',
    { step: 'RUN x', errors: ['error building image: waiting for process to exit: exit status 7'] },
    'DOCKERFILE_STEP_FAILED',
    7,
  ],
  [
    'a step that the kernel killed',
    { step: 'RUN x', errors: ['waiting for process to exit: signal: killed'] },
    'BUILD_OUT_OF_MEMORY',
    137,
  ],
  ['the builder was killed', { exitCode: 137 }, 'BUILD_OUT_OF_MEMORY', 137],
  [
    'the disk',
    { step: 'RUN x', errors: ['exit status 1'], lastLines: ['write: no space left on device'] },
    'BUILD_DISK_FULL',
  ],
  [
    'no such tag',
    { errors: ['error building image: GET https://r/v2/x/manifests/y: MANIFEST_UNKNOWN: manifest unknown'] },
    'DOCKERFILE_BASE_MISSING',
  ],
  [
    'a private image',
    { step: 'FROM x', errors: ['GET https://r: UNAUTHORIZED: authentication required'] },
    'DOCKERFILE_BASE_MISSING',
  ],
  [
    'BuildKit: no such image',
    { step: 'FROM x', errors: ['failed to resolve source metadata for docker.io/x: not found'] },
    'DOCKERFILE_BASE_MISSING',
  ],
  [
    'a registry that limits',
    { errors: ['TOOMANYREQUESTS: You have reached your pull rate limit'] },
    'BASE_IMAGE_UNAVAILABLE',
  ],
  ['a registry that is away', { errors: ['Get "https://r/v2/": dial tcp: i/o timeout'] }, 'BASE_IMAGE_UNAVAILABLE'],
  [
    'a step that reaches nothing',
    { step: 'RUN curl x', errors: ['exit status 6'], lastLines: ['dial tcp: no such host'] },
    'DOCKERFILE_STEP_FAILED',
    6,
  ],
  [
    'a file that is not there',
    { step: 'COPY a b', errors: ['failed to get fileinfo for a: lstat a: no such file or directory'] },
    'DOCKERFILE_STEP_FAILED',
    1,
  ],
  [
    'an instruction that is none',
    { errors: ['error building image: parsing dockerfile: dockerfile parse error on line 2: unknown instruction: X'] },
    'DOCKERFILE_INVALID',
  ],
])('%s', (_, ending, code, exitCode: number | undefined = undefined) => {
  const fault = diagnoseOwnEnding({
    exitCode: 1,
    dockerfile: 'Dockerfile',
    ...ending,
    step: ending.step ?? null,
    errors: ending.errors ?? [],
    lastLines: ending.lastLines ?? [],
  });
  expect(fault.error.code).toBe(code);
  expect(fault.exitCode).toBe(exitCode);
});

test('a secret is masked in whatever spelling a builder names an instruction', async () => {
  const lines: string[] = [];
  const reporter = { presented: (_: string, line: string) => lines.push(line), room: async () => undefined };
  const follower = new OutputFollower('kaniko', reporter as unknown as Reporter, createMasker(['pass<word>&more']));
  await follower.write('stderr', Buffer.from('{"level":"info","msg":"RUN login pass\\u003cword\\u003e\\u0026more"}\n'));
  await follower.write('stdout', Buffer.from('pass<word>&more\n'));
  expect(follower.end()).toMatchObject({ step: 'RUN login pass<word>&more', errors: [] });
  expect(lines).toEqual(['$ RUN login ***', '***']);
});
