import fc from 'fast-check';
import {
  BackendEnvSchema,
  FrontendEnvSchema,
  HANDOVER_URL,
  MAX_OVERRIDES_LENGTH,
  SDK_ENV,
  SECRET_ENV,
} from '../../../contract/builder-env.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { sessionPolicy } from '../../../lambdas/build-worker/services/credentials.ts';
import type { BuilderRuntime } from '../../../lambdas/build-worker/services/distributionHandler/environment.ts';
import { builderEnvironment, overrideLength, taskOverride } from '../../../lambdas/build-worker/services/overrides.ts';
import { COMMIT, targetPlan } from '../../support/events.ts';

const context: BuilderRuntime = {
  attempt: 2,
  credentials: { accessKeyId: 'ASIAX', secretAccessKey: 'secret', sessionToken: 'session' },
  eventKey: 'e'.repeat(64),
  region: 'ap-south-1',
  bucket: 'veren-v2',
  ecrUri: 'registry.example/my-backend',
  timeoutSeconds: 900,
  kafka: { KAFKA_BROKERS: 'b-1:9098', KAFKA_SECURITY: 'iam' },
  gitProtocols: 'https',
  precompress: false,
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
const variables = (j: BuildJob) => builderEnvironment(j, context);

describe('the environment of a builder', () => {
  it('says whether the output folder is to be found, expected, or the user’s own choice', () => {
    const output = (over: Parameters<typeof targetPlan>[0]) => {
      const { OUTPUT_DIR, OUTPUT_NAMED } = FrontendEnvSchema.parse(variables(job({ plan: targetPlan(over) })));
      return [OUTPUT_DIR, OUTPUT_NAMED];
    };
    const evidence = [{ field: 'outputDirectory', value: 'x', rule: 'request' }];
    expect(output({ outputDirectory: null })).toEqual(['', '0']);
    expect(output({ outputDirectory: 'x' })).toEqual(['x', '0']);
    expect(output({ outputDirectory: 'x', evidence })).toEqual(['x', '1']);
    // Plans of an earlier version.
    expect(output({ outputDirectory: undefined })).toEqual(['.', '0']);
    expect(output({ outputDirectory: null, evidence })).toEqual(['.', '1']);
  });

  it('gives a frontend what its contract reads, and nothing else', () => {
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

  it('gives a page without build steps empty commands, not the defaults', () => {
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

  it('gives a backend what its contract reads, and nothing else', () => {
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
});

const URL = `https://bucket.s3.amazonaws.com/__handover/site/d1/x.json?X-Amz-Security-Token=${'t'.repeat(2_000)}`;
const shown = (j: BuildJob, of = context) => {
  const override = taskOverride('container', builderEnvironment(j, of), URL);
  expect(override.containerOverrides).toHaveLength(1);
  const environment = override.containerOverrides![0]!.environment!;
  return { override, env: Object.fromEntries(environment.map(({ name, value }) => [name!, value!])) };
};

describe('the overrides of RunTask', () => {
  it('show what is no secret, and where the rest is read', () => {
    const { env } = shown(job({ gitToken: 'token' }));
    const all = builderEnvironment(job({ gitToken: 'token' }), context);
    const open = Object.entries(all).filter(([name]) => !(SECRET_ENV as readonly string[]).includes(name));
    expect(env).toEqual({ ...Object.fromEntries(open), [HANDOVER_URL]: URL });
  });

  it('hold no secret, whatever the job and the context are', () => {
    const secret = fc.string({ minLength: 12, maxLength: 60 }).map((s) => `sEcReT${s}`);
    const given = fc.record({
      target: fc.constantFrom('frontend' as const, 'backend' as const),
      gitToken: secret,
      env: fc.dictionary(fc.stringMatching(/^[A-Z]{1,8}$/), secret, { maxKeys: 5 }),
      credentials: fc.record({ accessKeyId: secret, secretAccessKey: secret, sessionToken: secret }),
      eventKey: secret,
      KAFKA_PASSWORD: secret,
    });
    fc.assert(
      fc.property(given, ({ target, gitToken, env, credentials, eventKey, KAFKA_PASSWORD }) => {
        const kafka = { ...context.kafka, KAFKA_SECURITY: 'scram' as const, KAFKA_USERNAME: 'builder', KAFKA_PASSWORD };
        const { override } = shown(job({ target, gitToken, env }), { ...context, credentials, eventKey, kafka });
        expect(JSON.stringify(override)).not.toContain('sEcReT');
      }),
    );
  });

  it('are never longer than RunTask takes: what is too long is in the hand-over alone', () => {
    const long = '"'.repeat(2_000);
    const plan = targetPlan({ installCommand: long, buildCommand: long, path: 'p'.repeat(512) });
    const { override, env } = shown(job({ plan, gitUrl: `https://git.example/${'u'.repeat(2_000)}` }));
    expect(overrideLength(override)).toBeLessThanOrEqual(MAX_OVERRIDES_LENGTH);
    expect(env).not.toHaveProperty('INSTALLCOMMAND');
    expect(env).toMatchObject({ PROJECT_ID: 'site', ATTEMPT: '2', [HANDOVER_URL]: URL });
    expect(env.GIT_REPOSITORY__URL).toHaveLength(2_020);
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

  it('names nothing outside the project, and nothing that production serves', () => {
    const { Statement } = sessionPolicy(
      { projectId: 'p1', deploymentId: 'd1', lane: 'preview', target: 'frontend' },
      resources,
    );
    const arns = Statement.filter((s) => s.Action.some((a) => a.startsWith('s3:') && a !== 's3:ListBucket')).flatMap(
      (s) => s.Resource,
    );
    expect(arns.length).toBeGreaterThan(0);
    for (const arn of arns) expect(arn).toMatch(/\/__(deployments|cache)\/p1\//);
    const list = Statement.find((s) => s.Action.includes('s3:ListBucket'));
    expect(JSON.stringify(list)).toContain('"s3:prefix":["__deployments/p1/*","__cache/p1/preview/*"]');
    const write = Statement.find((s) => s.Action.includes('s3:PutObject'));
    expect(JSON.stringify(write?.Resource)).not.toMatch(/__outputs|promotion/);
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
