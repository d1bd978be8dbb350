import { BUILDERS, builderFor } from '../../../contract/builders.ts';
import { NODE_MAJORS } from '../../../contract/node-lines.ts';
import { configFor, ECSEnvSchema, readECSConfig } from '../../../lambdas/build-worker/config/ECSconfig.ts';

/** Every variable with its own name as value, so that a mix-up shows. */
const env = Object.fromEntries(Object.keys(ECSEnvSchema.shape).map((name) => [name, `value-of-${name}`]));

describe('ECSconfig', () => {
  it('reads exactly the documented variables', () => {
    expect(Object.keys(ECSEnvSchema.shape).sort()).toEqual(
      [
        'TASK18',
        'TASK20',
        'TASK22',
        'TASK24',
        'TASKBACKEND',
        'TASKDOCKERFILE',
        'AWS_FRONTEND_CLUSTER',
        'AWS_BACKEND_CLUSTER',
        'FRONTEND18CONTAINER',
        'FRONTEND20CONTAINER',
        'FRONTEND22CONTAINER',
        'FRONTEND24CONTAINER',
        'BACKEND_CONTAINER',
      ].sort(),
    );
  });

  it('gives a Dockerfile of the repository’s own a task of its own, and its family where no stack names one', () => {
    const configs = readECSConfig(env);
    expect(configFor(configs, 'backend', 24, 'Dockerfile')).toEqual({
      CLUSTER: 'value-of-AWS_BACKEND_CLUSTER',
      TASK: 'value-of-TASKDOCKERFILE',
      CONTAINERNAME: 'value-of-BACKEND_CONTAINER',
    });
    expect(configFor(configs, 'frontend', 24, 'Dockerfile')).toBe(configs.frontendConfig24);
    const { TASKDOCKERFILE: _, ...earlier } = env;
    expect(readECSConfig(earlier).dockerfileECSConfig.TASK).toBe('backend-dockerfile-builder');
  });

  // An earlier system had frontendConfig20 read FRONTEND18CONTAINER: Node 20 builds failed with "container not found".
  it('gives Node 20 the container of Node 20', () => {
    expect(readECSConfig(env).frontendConfig20).toEqual({
      CLUSTER: 'value-of-AWS_FRONTEND_CLUSTER',
      TASK: 'value-of-TASK20',
      CONTAINERNAME: 'value-of-FRONTEND20CONTAINER',
    });
  });

  it.each(NODE_MAJORS)('gives Node %i frontends their own, backends the one of backends', (major) => {
    const configs = readECSConfig(env);
    expect(configFor(configs, 'frontend', major)).toEqual({
      CLUSTER: 'value-of-AWS_FRONTEND_CLUSTER',
      TASK: `value-of-TASK${major}`,
      CONTAINERNAME: `value-of-FRONTEND${major}CONTAINER`,
    });
    expect(configFor(configs, 'backend', major)).toEqual({
      CLUSTER: 'value-of-AWS_BACKEND_CLUSTER',
      TASK: 'value-of-TASKBACKEND',
      CONTAINERNAME: 'value-of-BACKEND_CONTAINER',
    });
  });

  it('names every variable that is missing', () => {
    const { TASK22: _, BACKEND_CONTAINER: __, ...rest } = env as Record<string, string>;
    expect(() => readECSConfig(rest)).toThrow(/TASK22[\s\S]*BACKEND_CONTAINER|BACKEND_CONTAINER[\s\S]*TASK22/);
  });
});

// Users' scripts and dashboards rely on these names.
describe('the table of builders', () => {
  it.each([
    [18, 'builder', 'frontend-builder-18', 'frontend-builder-18', 'frontend-builder-18', '18x'],
    [20, 'builder', 'builder-task-20', 'builder-task-20-image', 'builder-task-20-image', '20x'],
    [22, 'builder', 'frontend-builder-22', 'frontend-builder-22', 'frontend-builder-22', '22x'],
    [24, 'builder', 'frontend-builder-24', 'frontend-builder-24', 'frontend-builder-24', '24x'],
  ] as const)('has the fixed names for Node %i', (major, cluster, family, container, repository, file) => {
    expect(builderFor('frontend', major)).toMatchObject({
      cluster,
      family,
      container,
      repository,
      dockerfile: `builder-image-frontend/dockerfiles/Dockerfile.${file}.dev`,
    });
  });

  it('builds every backend in one place', () => {
    for (const major of NODE_MAJORS)
      expect(builderFor('backend', major)).toMatchObject({
        cluster: 'backend-builder',
        family: 'backend-build-worker',
        container: 'backend-build-worker',
        repository: 'backend-build-worker',
      });
    expect(BUILDERS).toHaveLength(6);
  });
});
