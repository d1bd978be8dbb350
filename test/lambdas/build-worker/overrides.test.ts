import { BackendEnvSchema, FrontendEnvSchema, MAX_OVERRIDES_LENGTH, SDK_ENV } from '../../../contract/builder-env.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { sessionPolicy } from '../../../lambdas/build-worker/services/credentials.ts';
import type { BuildContext } from '../../../lambdas/build-worker/services/distributionHandler/environment.ts';
import { checkRequestSize, overrideLength, taskOverride } from '../../../lambdas/build-worker/services/overrides.ts';
import { COMMIT, targetPlan } from '../../support/events.ts';

const context: BuildContext = {
  attempt: 2,
  credentials: { accessKeyId: 'ASIAX', secretAccessKey: 'secret', sessionToken: 'session' },
  region: 'ap-south-1',
  bucket: 'veren-v2',
  ecrUri: 'registry.example/my-backend',
  timeoutSeconds: 900,
  kafka: { KAFKA_BROKERS: 'b-1:9098', KAFKA_SECURITY: 'iam' },
  gitProtocols: 'https',
  endpoints: {},
};
const job = (over: Partial<BuildJob> = {}): BuildJob => ({
  deploymentId: '01jd9qv3x5',
  projectId: 'site',
  owner: 'ada',
  target: 'frontend',
  gitUrl: 'https://git.example/me/site.git',
  commit: COMMIT,
  plan: targetPlan({ path: 'web', packageManager: { name: 'pnpm', version: '9.15.0' }, nodeVersion: 20 }),
  env: { API: 'https://api.example' },
  lane: 'production',
  cache: 'use',
  ...over,
});
const variables = (j: BuildJob) => {
  const { containerOverrides } = taskOverride('container', j, context);
  expect(containerOverrides).toHaveLength(1);
  return Object.fromEntries(containerOverrides![0]!.environment!.map(({ name, value }) => [name!, value!]));
};

describe('the overrides of RunTask', () => {
  it('give a frontend what its contract reads, and nothing else', () => {
    const env = variables(job());
    const known = [...Object.keys(FrontendEnvSchema.shape), ...SDK_ENV];
    expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([]);
    expect(FrontendEnvSchema.parse(env)).toMatchObject({
      GIT_REPOSITORY__URL: 'https://git.example/me/site.git',
      GIT_COMMIT: COMMIT,
      FRONTENDPATH: 'web',
      INSTALLCOMMAND: 'npm ci',
      BUILDCOMMAND: 'npm run build',
      OUTPUT_DIR: 'dist',
      PACKAGE_MANAGER: 'pnpm@9.15.0',
      NODE_VERSION: 20,
      ATTEMPT: 2,
      BUILD_ENV: { API: 'https://api.example' },
      BUILD_TIMEOUT: 900,
      KAFKA_SECURITY: 'iam',
    });
    expect(env).not.toHaveProperty('GIT_TOKEN');
  });

  it('give a page without build steps empty commands, not the defaults', () => {
    const env = variables(
      job({
        plan: targetPlan({ installCommand: null, buildCommand: null, packageManager: null, outputDirectory: '.' }),
      }),
    );
    expect(FrontendEnvSchema.parse(env)).toMatchObject({
      INSTALLCOMMAND: '',
      BUILDCOMMAND: '',
      PACKAGE_MANAGER: '',
      OUTPUT_DIR: '.',
    });
  });

  it('give a backend what its contract reads, and nothing else', () => {
    const plan = targetPlan({ path: 'api', outputDirectory: null, startCommand: 'node server.js', port: 8080 });
    const env = variables(job({ target: 'backend', plan, gitToken: 'token' }));
    const known = [...Object.keys(BackendEnvSchema.shape), ...SDK_ENV];
    expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([]);
    expect(BackendEnvSchema.parse(env)).toMatchObject({
      BACKEND_PATH: 'api',
      STARTCOMMAND: 'node server.js',
      PORT: 8080,
      ECR_URI: 'registry.example/my-backend',
      GIT_TOKEN: 'token',
      AWS_REGION: 'ap-south-1',
      BUCKET: 'veren-v2',
    });
  });

  it('fit after the API has let a request pass, whatever is detected and minted', () => {
    const env = { A: '"\\'.repeat(500), B: 'x'.repeat(900) };
    const { credentials: _, attempt: __, ...platform } = context;
    checkRequestSize({ projectId: 'site', gitUrl: 'https://git.example/x', env }, platform);
    const longest = { accessKeyId: 'A'.repeat(20), secretAccessKey: 'A'.repeat(40), sessionToken: 'A'.repeat(1_500) };
    const override = taskOverride('builder-task-20-image', job({ env, gitUrl: 'https://git.example/x' }), {
      ...context,
      credentials: longest,
    });
    expect(overrideLength(override)).toBeLessThanOrEqual(MAX_OVERRIDES_LENGTH);
  });
});

it('tells a build its lane, and what it does with the caches', () => {
  const env = variables(job({ lane: 'untrusted', cache: 'drop' }));
  expect(FrontendEnvSchema.parse(env)).toMatchObject({ LANE: 'untrusted', BUILD_CACHE: 'drop' });
});

describe('the session policy of a build', () => {
  const resources = {
    buildRoleArn: 'arn:aws:iam::123456789012:role/veren-build',
    bucketArn: 'arn:aws:s3:::veren-v2-123456789012-ap-south-1',
    userImagesArn: 'arn:aws:ecr:ap-south-1:123456789012:repository/my-backend',
    kafkaClusterArn: `arn:aws:kafka:ap-south-1:123456789012:cluster/veren-prod/${'a'.repeat(36)}-12`,
  };
  const longest = { projectId: 'a'.repeat(63), deploymentId: 'b'.repeat(26), lane: 'production' } as const;

  // STS refuses more; the limit counts characters of the plain text.
  it.each(['frontend', 'backend'] as const)('fits into 2,048 characters: %s', (target) => {
    expect(JSON.stringify(sessionPolicy({ ...longest, target }, resources)).length).toBeLessThanOrEqual(2_048);
  });

  it('names nothing outside the project', () => {
    const { Statement } = sessionPolicy(
      { projectId: 'p1', deploymentId: 'd1', lane: 'preview', target: 'frontend' },
      resources,
    );
    const arns = Statement.filter((s) => s.Action.some((a) => a.startsWith('s3:') && a !== 's3:ListBucket')).flatMap(
      (s) => s.Resource,
    );
    expect(arns.length).toBeGreaterThan(0);
    for (const arn of arns) expect(arn).toMatch(/\/__(outputs|deployments|cache)\/p1\//);
    const list = Statement.find((s) => s.Action.includes('s3:ListBucket'));
    expect(JSON.stringify(list)).toContain(
      '"s3:prefix":["__outputs/p1/*","__deployments/p1/*","__cache/p1/preview/*"]',
    );
  });

  it('lets a backend push to one repository and delete nothing', () => {
    const { Statement } = sessionPolicy(
      { projectId: 'p1', deploymentId: 'd1', lane: 'preview', target: 'backend' },
      resources,
    );
    const actions = Statement.flatMap((s) => s.Action);
    expect(actions.filter((a) => /iam:|sts:|ecr:.*Delete/.test(a))).toEqual([]);
    const push = Statement.find((s) => s.Action.includes('ecr:PutImage'));
    expect(push?.Resource).toBe(resources.userImagesArn);
  });

  it('lets a backend write the verdict of its own publication and its project’s cache, and nothing else in the bucket', () => {
    const { Statement } = sessionPolicy(
      { projectId: 'p1', deploymentId: 'd1', lane: 'preview', target: 'backend' },
      resources,
    );
    const verdict = '__deployments/p1/d1/verdict-backend.json';
    const inBucket = Statement.filter((s) => s.Action.some((a) => a.startsWith('s3:')));
    const objects = inBucket.filter((s) => !s.Action.includes('s3:ListBucket')).flatMap((s) => s.Resource);
    const own = [verdict, '__cache/p1/preview/*'].map((key) => `${resources.bucketArn}/${key}`);
    expect([...new Set(objects)].sort()).toEqual(own.sort());
    for (const s of inBucket.filter((s) => s.Action.includes('s3:DeleteObject')))
      expect(s.Resource).toBe(`${resources.bucketArn}/__cache/p1/preview/*`);
    const list = inBucket.find((s) => s.Action.includes('s3:ListBucket'));
    expect(JSON.stringify(list)).toContain(`"s3:prefix":["${verdict}","__cache/p1/preview/*"]`);
  });
});
