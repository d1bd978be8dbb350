import type { FollowedEvents } from '../../../cli/client/followEvents.ts';
import { showDeployment } from '../../../cli/client/showDeployment.ts';
import { type DeploymentView, DeploymentViewSchema } from '../../../contract/api.ts';
import type { DeploymentEvent } from '../../../contract/events.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { event, frontendPlan, targetPlan } from '../../support/events.ts';
import { Screen } from './screen.ts';

const build = { target: 'frontend', attempt: 1 } as const;
const START: DeploymentEvent[] = [
  event(0, { type: 'deployment.requested', owner: 'ada', gitUrl: 'https://git.example/a.git', ref: null }),
  event(1, { type: 'deployment.analyzing' }),
  event(2, { type: 'deployment.analyzed', plan: frontendPlan({ framework: 'vite', nodeVersion: 22 }) }),
  event(2.5, { type: 'build.started', ...build, taskArn: 'arn', nodeVersion: 22 }),
  event(2.5, { type: 'build.toolchain', ...build, state: 'started' }),
  event(2.7, { type: 'build.toolchain', ...build, state: 'finished' }),
  event(3, { type: 'build.phase', ...build, phase: 'install', state: 'started' }),
];
const GOOD_END: DeploymentEvent[] = [
  event(5.4, { type: 'build.phase', ...build, phase: 'install', state: 'finished', ok: true }),
  event(5.4, { type: 'build.phase', ...build, phase: 'build', state: 'started' }),
  event(78, { type: 'build.phase', ...build, phase: 'build', state: 'finished', ok: true }),
  event(79, {
    type: 'build.succeeded',
    ...build,
    artifact: { kind: 'static', bucket: 'b', prefix: '__outputs/p1/', files: 3, bytes: 1_234_567 },
    logLines: 1,
  }),
];
const BAD_END: DeploymentEvent[] = [
  event(5, { type: 'build.phase', ...build, phase: 'install', state: 'finished', ok: false }),
  event(5, {
    type: 'build.failed',
    ...build,
    error: {
      code: 'INSTALL_FAILED',
      message: 'The install command failed with exit code 7.',
      phase: 'install',
      exitCode: 7,
      lastLines: ['npm error one', '\u001b]0;owned\u0007npm error two'],
    },
  }),
];

/** As the API gives it. */
function asView(record: DeploymentRecord): DeploymentView {
  const url = 'http://p1.example';
  const { artifact, ...frontend } = record.builds.frontend ?? {};
  return DeploymentViewSchema.parse({
    ...record,
    builds: {
      ...(record.builds.frontend && { frontend: { ...frontend, ...(artifact && { artifact: { ...artifact, url } }) } }),
    },
    links: { self: url, logs: url, cancel: url, redeploy: url, promote: url },
  });
}

type Step = DeploymentEvent | string;

/** A client that tells what a platform would tell while these events happen and these lines are printed. */
function scripted(script: readonly Step[], pauseMs = 0) {
  let final: DeploymentView | undefined;
  async function* followLogs(): AsyncGenerator<FollowedEvents, void, undefined> {
    const { store } = await openMemoryPlatform({ clock: { now: Date.now } });
    let seq = 0;
    for (const step of script) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (typeof step === 'string') {
        seq += 1;
        yield { type: 'log', line: { seq, at: step, target: 'frontend', stream: 'stdout', line: step } };
        continue;
      }
      const record = (await store.fold('d1', [step]))?.after;
      if (!record) throw new Error('the script does not begin with a request');
      yield { type: 'status', record };
      final = asView(record);
    }
    yield { type: 'end', status: final?.status ?? 'queued' };
  }
  return {
    followLogs,
    getDeployment: async () => {
      if (!final) throw new Error('asked for the record before the end');
      return final;
    },
  };
}

const options = { isTTY: false, color: false, clock: { now: () => Date.UTC(2026, 0, 1) + 79_000 } };
const d1 = { deploymentId: 'd1' };

function plain() {
  const written: string[] = [];
  return { out: { write: (s: string) => written.push(s) > 0 }, text: () => written.join('') };
}

it('tells a run in plain lines', async () => {
  const { out, text } = plain();
  const record = await showDeployment(scripted([...START, 'added 16 packages', ...GOOD_END]), d1, { ...options, out });
  expect(record.status).toBe('succeeded');
  expect(text()).toMatchInlineSnapshot(`
"deployment: queued
deployment: analyzing
frontend: vite, Node 22, npm, "npm ci", "npm run build"
frontend: the builder starts
deployment: building
frontend: its toolchain is downloaded (once for each version)
frontend: toolchain downloaded in 0.2 s
frontend: install begins
added 16 packages
frontend: install done in 2.4 s
frontend: build begins
frontend: build done in 1 min 13 s
deployment: succeeded

                            frontend
  queue, analyze               2.5 s
  toolchain download           0.2 s
  start                        0.3 s
  fetch                            -
  install                      2.4 s
  build                   1 min 13 s
  publish                          -
  total                   1 min 19 s

frontend: 3 files, 1.2 MB, at http://p1.example
Succeeded in 1 min 19 s.
"
`);
});

it('tells why a build failed, with harmless last lines', async () => {
  const { out, text } = plain();
  await showDeployment(scripted([...START, ...BAD_END]), d1, { ...options, out });
  expect(text()).toContain(
    [
      'frontend failed (phase install, exit code 7, INSTALL_FAILED)',
      '  The install command failed with exit code 7.',
      '  last lines:',
      '  │ npm error one',
      '  │ npm error two',
      '',
    ].join('\n'),
  );
  expect(text()).not.toContain('\u001b');
  expect(text()).not.toContain('Succeeded');
});

it('tells a failure before any build, and a cancellation', async () => {
  const error = { code: 'REPO_EMPTY', message: 'The repository has no commits. Push a commit first.' };
  const failed = plain();
  await showDeployment(scripted([...START.slice(0, 2), event(2, { type: 'deployment.failed', error })]), d1, {
    ...options,
    out: failed.out,
  });
  expect(failed.text()).toContain(`Failed (REPO_EMPTY)\n  ${error.message}\n`);
  const canceled = plain();
  await showDeployment(scripted([...START, event(4, { type: 'deployment.canceled', reason: 'user' })]), d1, {
    ...options,
    out: canceled.out,
  });
  expect(canceled.text()).toContain('Canceled.\n');
});

it('names the target of each line where a deployment has two', async () => {
  const { out, text } = plain();
  const both = { ...frontendPlan(), backend: targetPlan({ path: 'backend' }) };
  const [requested, analyzing] = START as [DeploymentEvent, DeploymentEvent];
  await showDeployment(
    scripted([requested, analyzing, event(2, { type: 'deployment.analyzed', plan: both }), 'hello']),
    d1,
    { ...options, out },
  );
  expect(text()).toContain('\nfrontend hello\n');
});

it.each([80, 24])('keeps every log line above a block that leaves nothing behind (%i columns)', async (columns) => {
  const screen = new Screen(columns);
  const seen: string[] = [];
  const out = {
    columns,
    rows: screen.rows,
    write: (s: string) => {
      screen.write(s);
      seen.push(screen.lines.join('\n'));
      return true;
    },
  };
  const log = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  const hostile = '\u001b[2J\u001b[5Afrom \u001b[31mthe build';
  const script = [...START, ...log, hostile, ...GOOD_END];
  await showDeployment(scripted(script, 10), d1, { ...options, out, isTTY: true, color: true });
  expect(seen.some((s) => /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] install/.test(s) && s.includes('line 3'))).toBe(true);
  expect(screen.lines.filter((l) => l.startsWith('line '))).toEqual(log);
  expect(screen.lines).toContain('from the build');
  expect(screen.lines.join('\n')).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏✓]/);
  expect(screen.lines.join('\n')).toContain('Succeeded in 1 min 19 s.');
});

it('stops with the signal and leaves the terminal clean', async () => {
  const screen = new Screen();
  const stop = new AbortController();
  const client = scripted([...START, 'x'], 5);
  setTimeout(() => stop.abort(new Error('Ctrl-C')), 20);
  const shown = showDeployment(client, d1, { ...options, out: screen, isTTY: true, signal: stop.signal });
  await expect(shown).rejects.toThrow('Ctrl-C');
  expect(screen.lines.join('\n')).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
});
