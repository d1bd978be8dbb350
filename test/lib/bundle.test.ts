import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mirroredBases } from '../../lib/constructs/builder-image.ts';
import {
  bundleFunction,
  preparedBundle,
  refuseForbidden,
  refuseLateCommonJs,
  writeBundle,
} from '../../lib/constructs/bundle.ts';

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

test('a CommonJS package is not imported late: its names would be undefined in the function', async () => {
  const from = (path: string, kind: 'dynamic-import' | 'import-statement', format: 'cjs' | 'esm') => ({
    inputs: { 'lambdas/a.ts': { bytes: 1, imports: [{ path, kind }] }, [path]: { bytes: 1, imports: [], format } },
  });
  const kafka = 'node_modules/kafkajs/index.js';
  expect(() => refuseLateCommonJs('x', from(kafka, 'dynamic-import', 'cjs'))).toThrow(`lambdas/a.ts → ${kafka}`);
  expect(() => refuseLateCommonJs('x', from(kafka, 'import-statement', 'cjs'))).not.toThrow();
  expect(() => refuseLateCommonJs('x', from('node_modules/zod/index.js', 'dynamic-import', 'esm'))).not.toThrow();
  // The one that every publishing function needs: loaded late, with its name.
  const { files } = await bundleFunction('clone-worker');
  const folder = mkdtempSync(join(tmpdir(), 'veren-bundle-'));
  try {
    writeBundle({ files }, folder);
    const clients = [...files.keys()].filter((name) => /^parts\/client-\w+\.mjs$/.test(name));
    const urls = clients.map((name) => pathToFileURL(join(folder, name)).href);
    const names = `Promise.all(${JSON.stringify(urls)}.map((url) => import(url))).then((all) => console.log(all.map((m) => typeof m.Kafka).join()))`;
    expect(execFileSync(process.execPath, ['-e', names], { encoding: 'utf8' })).toContain('function');
  } finally {
    rmSync(folder, { recursive: true });
  }
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
