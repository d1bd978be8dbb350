import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAPTOP_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';
import { startAnalysisProcess } from '../../../local/analysis/startAnalysisProcess.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';

/** Processes that a repository has taken over, or broken: each test is a bundle of its own in the place of the analysis. */

jest.setTimeout(60_000);
afterAll(removeFolders);

const INPUT = { gitUrl: 'https://example.com/a', policy: { ...LAPTOP_POLICY, timeoutMs: 1_000 } };

function start(script: string) {
  const folder = temporaryFolder();
  const file = join(folder, 'analysis.mjs');
  writeFileSync(file, script);
  const workDir = join(folder, 'work');
  mkdirSync(workDir);
  return { analysis: startAnalysisProcess(file, workDir, { PATH: process.env.PATH ?? '' }), workDir };
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('one that needs too much memory ends alone, with a sentence', async () => {
  const { analysis } = start(
    `process.on('message', () => { const all = []; for (;;) all.push({ all: [all.length] }); });`,
  );
  const patient = { ...INPUT, policy: { ...INPUT.policy, timeoutMs: 50_000 } };
  await expect(analysis.analyze(patient)).rejects.toMatchObject({
    code: 'REPO_TOO_LARGE',
    message: expect.stringContaining('more memory than an analysis may have'),
  });
  expect(analysis.usable).toBe(false);
});

test('one that does not listen any more is ended, with what it has started and written', async () => {
  const { analysis, workDir } = start(`
    import { spawn } from 'node:child_process';
    import { writeFileSync } from 'node:fs';
    process.on('message', ({ workDir }) => {
      const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
      writeFileSync(workDir + '/../pid', String(child.pid));
      writeFileSync(workDir + '/veren-git-1-abcdef', 'left');
      process.send({ type: 'child-started', pid: child.pid }, () => { for (;;); });
    });`);
  await expect(analysis.analyze(INPUT)).rejects.toMatchObject({
    code: 'REPO_TOO_LARGE',
    message: expect.stringContaining('longer than an analysis may take'),
  });
  const child = Number(readFileSync(join(workDir, '..', 'pid'), 'utf8'));
  for (let i = 0; i < 600 && alive(child); i++) await new Promise((r) => setTimeout(r, 50));
  expect(alive(child)).toBe(false);
  expect(existsSync(workDir)).toBe(false);
});

test('one that fails says so, and is used again', async () => {
  const { analysis } = start(`
    process.on('message', ({ gitUrl }) => {
      if (gitUrl.endsWith('/a')) process.send({ type: 'failed', stack: 'Error: odd' });
      else process.send({ type: 'refused', code: 'REPO_EMPTY', details: { url: gitUrl } });
    });`);
  await expect(analysis.analyze(INPUT)).rejects.toThrow('Error: odd');
  await expect(analysis.analyze({ ...INPUT, gitUrl: 'https://example.com/b' })).rejects.toMatchObject({
    code: 'REPO_EMPTY',
    message: expect.stringContaining('https://example.com/b'),
  });
  expect(analysis.usable).toBe(true);
  await analysis.end();
});

test('one that cannot be started is an error, not a hang', async () => {
  const { analysis } = start('this is no program');
  await expect(analysis.analyze(INPUT)).rejects.toThrow(/ended with 1/);
});

test('it sees nothing of the platform', async () => {
  process.env.SECRET_OF_THE_PLATFORM = 'x';
  try {
    const { analysis } = start(
      `process.on('message', () => process.send({ type: 'failed', stack: JSON.stringify(Object.keys(process.env)) }));`,
    );
    const names = await analysis.analyze(INPUT).catch((error: Error) => error.message);
    expect(names).toContain('PATH');
    expect(names).not.toContain('SECRET_OF_THE_PLATFORM');
    await analysis.end();
  } finally {
    delete process.env.SECRET_OF_THE_PLATFORM;
  }
});
