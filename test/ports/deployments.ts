import type { DeploymentEvent } from '../../contract/events.ts';
import type { DeploymentRequest } from '../../contract/jobs.ts';
import type { Plan } from '../../contract/plan.ts';

type EventOf<T extends DeploymentEvent['type']> = Extract<DeploymentEvent, { type: T }>;

const START = Date.UTC(2026, 0, 1);
/** The time that many seconds into the story. */
export const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString();

const envelope = (deploymentId: string, projectId: string, seconds: number, name: string) =>
  ({ v: 1, id: `${deploymentId}-${name}`, at: at(seconds), deploymentId, projectId }) as const;

export const requested = (
  deploymentId: string,
  { projectId = 'shop', owner = 'ann', seconds = 0 } = {},
): EventOf<'deployment.requested'> => ({
  ...envelope(deploymentId, projectId, seconds, 'requested'),
  type: 'deployment.requested',
  owner,
  gitUrl: 'https://git.example/shop.git',
  ref: null,
});

export const request = (projectId = 'shop'): DeploymentRequest => ({
  projectId,
  gitUrl: 'https://git.example/shop.git',
  env: { GREETING: 'grüß "Gott"' },
});

export const analyzing = (deploymentId: string, seconds = 1): DeploymentEvent => ({
  ...envelope(deploymentId, 'shop', seconds, 'analyzing'),
  type: 'deployment.analyzing',
});

const plan: Plan = {
  commit: 'a'.repeat(40),
  frontend: {
    path: '.',
    framework: 'vite',
    language: 'javascript',
    packageManager: { name: 'npm' },
    nodeVersion: 22,
    installPath: '.',
    installCommand: 'npm ci',
    buildCommand: 'npm run build',
    outputDirectory: 'dist',
    evidence: [],
  },
  candidates: [],
  warnings: [],
};
export const analyzed = (deploymentId: string, seconds = 2): DeploymentEvent => ({
  ...envelope(deploymentId, 'shop', seconds, 'analyzed'),
  type: 'deployment.analyzed',
  plan,
});

export const started = (deploymentId: string, attempt = 1, seconds = 3): DeploymentEvent => ({
  ...envelope(deploymentId, 'shop', seconds, `started-${attempt}`),
  type: 'build.started',
  target: 'frontend',
  attempt,
  taskArn: `arn:task/${attempt}`,
  nodeVersion: 22,
});

export const retrying = (deploymentId: string, attempt: number, seconds = 4): DeploymentEvent => ({
  ...envelope(deploymentId, 'shop', seconds, `retrying-${attempt}`),
  type: 'build.retrying',
  target: 'frontend',
  attempt,
  error: { code: 'TASK_LOST', message: 'gone' },
});

export const canceled = (deploymentId: string, seconds = 9): DeploymentEvent => ({
  ...envelope(deploymentId, 'shop', seconds, 'canceled'),
  type: 'deployment.canceled',
  reason: 'user',
});
