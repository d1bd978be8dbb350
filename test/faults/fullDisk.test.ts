import { execFileSync } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Accepted, Problem } from '../../contract/api.ts';
import { isTerminal } from '../../contract/record.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

/** A data folder on a small disk of its own. Only root may mount one. */
function mounted(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Takes all that is left, also what was freed since the last time. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'a');
  const block = Buffer.alloc(64 * 1024);
  try {
    for (;;) await file.write(block);
  } catch (e) {
    expect(e).toMatchObject({ code: 'ENOSPC' });
  } finally {
    await file.close();
  }
}

test('a full disk is told in a sentence, loses nothing that was accepted, lists nothing that was refused, and passes', async () => {
  const folder = await temporaryFolder();
  const disk = join(folder.path, 'disk');
  await mkdir(disk);
  if (!mounted(disk)) {
    process.stderr.write('a full disk was not tried: only root may mount a small one\n');
    return;
  }
  const running: Veren[] = [];
  try {
    const veren = await startVeren(join(disk, 'data'));
    running.push(veren);
    const page = pathToFileURL(makeRepo(join(folder.path, 'page'), { 'index.html': 'a page' }).path).href;
    const request = (projectId: string) => ({ projectId, gitUrl: page, frontend: HOST_NODE, backend: false as const });
    const health = async () => {
      const answer = await fetch(`${veren.url}/healthz`);
      return { ...((await answer.json()) as { reason?: string }), status: answer.status };
    };
    const post = async (projectId: string) => {
      const answer = await fetch(`${veren.url}/deployments`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${veren.token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(request(projectId)),
      });
      return { status: answer.status, body: (await answer.json()) as Accepted | Problem };
    };
    expect(await health()).toEqual({ status: 200 });
    expect((await veren.deploy(request('before'))).status).toBe('succeeded');

    // One is under way when the disk is full.
    const meanwhile = await post('meanwhile');
    await fill(join(disk, 'filler'));
    const refused: string[] = [];
    const accepted = [meanwhile];
    // A journal's last page still takes an entry or two, and what is under way frees some of the disk.
    for (let i = 0; i < 40 && refused.length === 0; i++) {
      await fill(join(disk, 'filler'));
      const answer = await post(`full-${i}`);
      if (answer.status === 202) accepted.push(answer);
      else {
        refused.push(`full-${i}`);
        // The project's document is the first that finds no room, and the journal the first where the project is known.
        expect([503, 507]).toContain(answer.status);
        expect(answer.body).toMatchObject({
          code: expect.stringMatching(/^(UNAVAILABLE|DISK_FULL)$/),
          detail: expect.stringMatching(/no space left on the disk of .*(data|platform)/),
        });
      }
    }
    expect(refused.length).toBeGreaterThan(0);
    await fill(join(disk, 'filler'));
    expect(await health()).toMatchObject({ status: 503, reason: expect.stringContaining('no space left') });
    const listed = async () => (await veren.client.listDeployments()).items;
    const projects = (await listed()).map((d) => d.projectId);
    expect(projects.filter((p) => refused.includes(p))).toEqual([]);
    expect(projects.length).toBe(1 + accepted.length);

    await rm(join(disk, 'filler'));
    expect(await health()).toMatchObject({ status: 200 });
    expect((await post('after')).status).toBe(202);
    let records = await listed();
    while (!records.every((r) => isTerminal(r.status))) {
      await new Promise((r) => setTimeout(r, 200));
      records = await listed();
    }
    expect(records.map((r) => [r.projectId, r.status, r.error?.message])).toEqual(
      records.map((r) => [r.projectId, 'succeeded', undefined]),
    );
    expect(await veren.stop()).toBe(0);

    const again = await startVeren(join(disk, 'data'));
    running.push(again);
    expect((await again.client.listDeployments()).items.map((d) => d.deploymentId)).toEqual(
      records.map((d) => d.deploymentId),
    );
    expect(await again.stop()).toBe(0);
    await fill(join(disk, 'filler'));
    await expect(startVeren(join(disk, 'data'))).rejects.toThrow(/DISK_FULL: There is no space left/);
  } catch (e) {
    process.stderr.write(`the platform's last lines:\n${running.at(-1)?.logged.slice(-40).join('\n')}\n`);
    throw e;
  } finally {
    for (const veren of running) await veren.kill();
    execFileSync('umount', ['-l', disk]);
    await folder.remove();
  }
}, 400_000);
