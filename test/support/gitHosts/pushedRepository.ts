import { execFile } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AUTHOR_ENV, type GitServer, git, startGitServer } from '../gitServer.ts';
import { type HostDouble, hostDouble, RIGHT_TOKEN } from './hostDouble.ts';

/** Where deliveries go, as our API answers when a webhook is made. */
export interface Hook {
  readonly url: string;
  readonly secret: string;
}

interface Pushed {
  readonly before: string;
  readonly after: string;
  readonly ref: string;
}

const run = promisify(execFile);

/**
 * A private repository as Gitea has it, where no Gitea can be had: git's own `http-backend` with a token, a double of the
 * API, and deliveries in the form of Gitea's documentation, signed as it signs them.
 */
export async function pushedRepository(folder: string, repository: string) {
  const bare = join(folder, 'repositories', `${repository}.git`);
  const work = join(folder, 'work', repository);
  for (const path of [bare, work]) mkdirSync(path, { recursive: true });
  git(bare, ['init', '-q', '--bare', '-b', 'main']);
  git(bare, ['config', 'http.receivepack', 'true']);
  git(work, ['init', '-q', '-b', 'main']);
  const server: GitServer = await startGitServer({ repos: join(folder, 'repositories'), token: RIGHT_TOKEN });
  const double: HostDouble = await hostDouble('gitea', { repository });
  const gitUrl = `${server.url}/${repository}.git`;
  const described = { id: 7, full_name: repository, clone_url: gitUrl };
  const pushUrl = gitUrl.replace('//', `//ada:${RIGHT_TOKEN}@`);

  async function deliver(hook: Hook, event: string, payload: object, secret = hook.secret) {
    const body = JSON.stringify(payload);
    const answer = await fetch(hook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-gitea-event': event,
        'x-gitea-delivery': randomUUID(),
        'x-gitea-signature': createHmac('sha256', secret).update(body).digest('hex'),
      },
      body,
    });
    return { status: answer.status, body: (await answer.json()) as { status?: string } };
  }
  const tips = new Map<string, string>();
  const sideOf = (ref: string, sha: string) => ({ ref, sha, repo: described });

  return {
    ...{ gitUrl, double, deliver },
    /** Commits these files and pushes the branch over HTTP, as a user does. */
    async push(branch: string, files: Record<string, string>): Promise<Pushed> {
      for (const [path, text] of Object.entries(files)) writeFileSync(join(work, path), text);
      git(work, ['add', '-A']);
      git(work, ['commit', '-q', '-m', `change of ${branch}`]);
      const ref = `refs/heads/${branch}`;
      const before = tips.get(ref) ?? '0'.repeat(40);
      const after = git(work, ['rev-parse', 'HEAD']);
      // Not `git()`, which waits: the server is in this process.
      await run('git', ['push', '-q', pushUrl, `HEAD:${ref}`], {
        cwd: work,
        env: { PATH: process.env.PATH, ...AUTHOR_ENV },
      });
      tips.set(ref, after);
      return { before, after, ref };
    },
    tellPush: (hook: Hook, pushed: Pushed, secret?: string) =>
      deliver(
        hook,
        'push',
        {
          ...pushed,
          head_commit: { id: pushed.after, message: 'change' },
          repository: described,
          sender: { login: 'ada' },
        },
        secret,
      ),
    tellPull: (hook: Hook, action: string, number: number, head: { branch: string; commit: string }) =>
      deliver(hook, 'pull_request', {
        ...{ action, number, repository: described },
        pull_request: {
          ...{ title: 'Topic', draft: false, user: { login: 'ada' } },
          head: sideOf(head.branch, head.commit),
          base: sideOf('main', '1'.repeat(40)),
        },
      }),
    async close() {
      await Promise.all([server.close(), double.close()]);
    },
  };
}
