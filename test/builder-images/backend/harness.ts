import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deploymentId, ROOT, type World } from '../harness.ts';

export interface BackendJob {
  readonly projectId?: string;
  readonly deploymentId?: string;
  readonly url: string;
  readonly commit: string;
}

/** The backend builder's entry point as the laptop's task runner starts it; its folders, broker and git are the world's. */
export async function buildBackend(world: World, job: BackendJob, env: Record<string, string | undefined> = {}) {
  const id = job.deploymentId ?? deploymentId();
  const projectId = job.projectId ?? 'service';
  const variables = {
    ...world.environment({ ...job, projectId, deploymentId: id }, 'backend'),
    BACKEND_PATH: '.',
    STARTCOMMAND: 'npm start',
    ECR_URI: 'localhost/my-backend',
    ...env,
  };
  const child = spawn('bash', [join(ROOT, 'builder-images/build-image-backend/main.sh')], { env: variables, cwd: '/' });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const started = performance.now();
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { id, projectId, code, output, ms: performance.now() - started, child, ...world.told(id) };
}

/** A folder with programs that stand in for others, and with `sh` tools that main.sh needs. */
export function folderOfPrograms(folder: string, programs: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), script);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}
