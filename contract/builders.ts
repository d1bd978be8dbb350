/**
 * The one table of builders. The stacks, the build-worker, the laptop and the tests all read it;
 * adding a Node major is one row here and one Dockerfile.
 */

export const NODE_MAJORS = [18, 20, 22, 24] as const;
export type NodeMajor = (typeof NODE_MAJORS)[number];

/** The newest LTS line that has a builder; used for repositories that name no version. */
export const DEFAULT_NODE_MAJOR: NodeMajor = 24;

/** End of life of each line. Source: https://github.com/nodejs/release#release-schedule */
export const NODE_END_OF_LIFE: Readonly<Record<NodeMajor, string>> = {
  18: '2025-04-30',
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
};

/** The npm that comes with each line, and with the laptop's toolchains. Source: the archive of Node's releases. */
export const NPM_OF_NODE: Readonly<Record<NodeMajor, number>> = { 18: 10, 20: 10, 22: 10, 24: 11 };

export const TARGETS = ['frontend', 'backend'] as const;
export type Target = (typeof TARGETS)[number];

export interface Builder {
  readonly target: Target;
  /** Node majors that this builder serves. */
  readonly nodeMajors: readonly NodeMajor[];
  /** ECS cluster name. */
  readonly cluster: string;
  /** ECS task definition family. */
  readonly family: string;
  /** Container name inside the task definition: the name that RunTask overrides must use. */
  readonly container: string;
  /** ECR repository that holds the builder's own image. */
  readonly repository: string;
  /** Dockerfile of the image, relative to `builder-images/`. */
  readonly dockerfile: string;
  /** Names of the build-worker's environment variables that carry cluster, task and container. */
  readonly env: { readonly cluster: string; readonly task: string; readonly container: string };
}

const FRONTEND_CLUSTER = { name: 'builder', env: 'AWS_FRONTEND_CLUSTER' } as const;
const BACKEND_CLUSTER = { name: 'backend-builder', env: 'AWS_BACKEND_CLUSTER' } as const;

function frontendBuilder(nodeMajor: NodeMajor, names: Pick<Builder, 'family' | 'container' | 'repository'>): Builder {
  return {
    target: 'frontend',
    nodeMajors: [nodeMajor],
    cluster: FRONTEND_CLUSTER.name,
    ...names,
    dockerfile: `builder-image-frontend/dockerfiles/Dockerfile.${nodeMajor}x.dev`,
    env: {
      cluster: FRONTEND_CLUSTER.env,
      task: `TASK${nodeMajor}`,
      container: `FRONTEND${nodeMajor}CONTAINER`,
    },
  };
}

const sameName = (name: string) => ({ family: name, container: name, repository: name });

export const BUILDERS = [
  frontendBuilder(18, sameName('frontend-builder-18')),
  frontendBuilder(20, {
    family: 'builder-task-20',
    container: 'builder-task-20-image',
    repository: 'builder-task-20-image',
  }),
  frontendBuilder(22, sameName('frontend-builder-22')),
  frontendBuilder(24, sameName('frontend-builder-24')),
  {
    target: 'backend',
    nodeMajors: NODE_MAJORS,
    cluster: BACKEND_CLUSTER.name,
    ...sameName('backend-build-worker'),
    dockerfile: 'build-image-backend/Dockerfile',
    env: { cluster: BACKEND_CLUSTER.env, task: 'TASKBACKEND', container: 'BACKEND_CONTAINER' },
  },
] as const satisfies readonly Builder[];

/**
 * The builder for a target and Node major. Throws a plain Error, since the callers' types make a missing row
 * impossible.
 */
export function builderFor(target: Target, nodeMajor: NodeMajor): Builder {
  const row = BUILDERS.find((b) => b.target === target && (b.nodeMajors as readonly NodeMajor[]).includes(nodeMajor));
  if (!row) throw new Error(`No builder for ${target} on Node ${nodeMajor}`);
  return row;
}

/** ECR repository of the users' backend images (configurable on AWS). */
export const USER_IMAGE_REPOSITORY = 'my-backend';
