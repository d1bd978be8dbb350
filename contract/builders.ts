/** The one table of builders. The stacks, the build-worker, the laptop and the tests all read it. */
import { NODE_LINES, NODE_MAJORS, type NodeMajor } from './node-lines.ts';

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
  /** Absent: the task has one container. */
  readonly isolated?: IsolatedContainer;
}

/**
 * A second container of a task, from the same image: it is given nothing, runs what is not to be trusted, and the task goes on
 * without it.
 */
export interface IsolatedContainer {
  readonly container: string;
  readonly entryPoint: readonly string[];
  /** Folder that both containers have, and this one cannot write. `VEREN_CHANNEL` of the image. */
  readonly channel: string;
}

const FRONTEND_CLUSTER = { name: 'builder', env: 'AWS_FRONTEND_CLUSTER' } as const;
const BACKEND_CLUSTER = { name: 'backend-builder', env: 'AWS_BACKEND_CLUSTER' } as const;

const sameName = (name: string) => ({ family: name, container: name, repository: name });

function frontendBuilder(nodeMajor: NodeMajor): Builder {
  const { task } = NODE_LINES[nodeMajor];
  const names = task ?? sameName(`frontend-builder-${nodeMajor}`);
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

/** Task family of builds from a repository's own Dockerfile. */
const DOCKERFILE_FAMILY = 'backend-dockerfile-builder';

export const BUILDERS: readonly Builder[] = [
  ...NODE_MAJORS.map(frontendBuilder),
  {
    target: 'backend',
    nodeMajors: NODE_MAJORS,
    cluster: BACKEND_CLUSTER.name,
    ...sameName('backend-build-worker'),
    dockerfile: 'build-image-backend/Dockerfile',
    env: { cluster: BACKEND_CLUSTER.env, task: 'TASKBACKEND', container: 'BACKEND_CONTAINER' },
  },
  // Repositories with a Dockerfile of their own: the image of all backends, in a task with two containers.
  {
    target: 'backend',
    nodeMajors: [],
    cluster: BACKEND_CLUSTER.name,
    ...sameName('backend-build-worker'),
    family: DOCKERFILE_FAMILY,
    dockerfile: 'build-image-backend/Dockerfile',
    env: { cluster: BACKEND_CLUSTER.env, task: 'TASKDOCKERFILE', container: 'BACKEND_CONTAINER' },
    isolated: {
      container: 'dockerfile-build',
      entryPoint: [
        '/kaniko/tini',
        '--',
        '/kaniko/node/bin/node',
        '--no-warnings',
        '/kaniko/veren/build-image-backend/dist/isolated.mjs',
      ],
      channel: '/kaniko/channel',
    },
  },
];

/**
 * The builder for a target and Node major. Throws a plain Error, since the callers' types make a missing row
 * impossible.
 */
export function builderFor(target: Target, nodeMajor: NodeMajor): Builder {
  const row = BUILDERS.find((b) => b.target === target && (b.nodeMajors as readonly NodeMajor[]).includes(nodeMajor));
  if (!row) throw new Error(`No builder for ${target} on Node ${nodeMajor}`);
  return row;
}

/**
 * Capabilities that the isolated container does without: those to read or forge the other container's packets (one network is
 * shared), to make devices, and to change what a process may regain. Unpacking images and installing packages needs none of them.
 */
export const ISOLATED_DROPS = ['NET_RAW', 'NET_BIND_SERVICE', 'MKNOD', 'SYS_CHROOT', 'SETPCAP', 'AUDIT_WRITE'] as const;

/** The builder of backends that have a Dockerfile of their own. */
export const DOCKERFILE_BUILDER: Builder = BUILDERS.find((b) => b.family === DOCKERFILE_FAMILY)!;

/** ECR repository of the users' backend images (configurable on AWS). */
export const USER_IMAGE_REPOSITORY = 'my-backend';
