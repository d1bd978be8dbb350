import { mirroredBases } from '../../lib/constructs/builder-image.ts';
import { preparedBundle, refuseForbidden } from '../../lib/constructs/bundle.ts';

test.each([
  'node_modules/aws-cdk-lib/core/index.js',
  'node_modules/constructs/lib/construct.js',
  'local/adapters/memory/queue.ts',
  'lib/config.ts',
  'local/start.ts',
  'operator/rebuild/rebuild.ts',
])('a function may not hold %s', (input) => {
  expect(() => refuseForbidden('lambdas/api/api.lambda.ts', ['lambdas/api/app.ts', input])).toThrow(
    `lambdas/api/api.lambda.ts bundles what a function must not hold: ${input}`,
  );
});

test('what functions do hold passes', () => {
  const inputs = ['lambdas/api/app.ts', 'contract/api.ts', 'node_modules/zod/index.js', 'node_modules/x/lib/y.js'];
  expect(() => refuseForbidden('x', inputs)).not.toThrow();
});

test('a function that was not bundled is not deployed as something else', () => {
  expect(() => preparedBundle('api')).toThrow('api is not bundled');
});

test('official base images come from Amazon’s copies; others stay as they are', () => {
  const dockerfile =
    'ARG BASE=ubuntu:focal\nARG USER_NODE=node:18.20.8-bookworm-slim\nARG KANIKO=ghcr.io/x/kaniko:v1\nARG PLAIN\n';
  expect(mirroredBases(dockerfile)).toEqual({
    BASE: 'public.ecr.aws/docker/library/ubuntu:focal',
    USER_NODE: 'public.ecr.aws/docker/library/node:18.20.8-bookworm-slim',
  });
});
