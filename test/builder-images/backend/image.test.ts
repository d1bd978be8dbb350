import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackendImageEnvSchema } from '../../../builder-images/build-image-backend/utils/env.ts';
import { BUILDERS, DOCKERFILE_BUILDER } from '../../../contract/builders.ts';
import { ROOT } from '../harness.ts';

/** The builder's own image cannot be built here: what can be said of its Dockerfile without that. */
const IMAGES = join(ROOT, 'builder-images');
const { dockerfile } = BUILDERS.find((builder) => builder.target === 'backend')!;
const text = readFileSync(join(IMAGES, dockerfile), 'utf8').replaceAll('\\\n', ' ');
const last = text.slice(text.lastIndexOf('\nFROM '));

test('its environment is what the script and main.sh expect', () => {
  const env = Object.fromEntries([...last.matchAll(/\b(\w+)=(\S+)/g)].map(([, name, value]) => [name!, value!]));
  const image = BackendImageEnvSchema.parse({
    ...env,
    PATH: '/bin',
    VEREN_WORK: '/w',
    VEREN_TEMPLATES: '/kaniko/x',
  });
  expect(image.VEREN_KANIKO).toBe('/kaniko/executor');
  expect(image.VEREN_REGISTRY_MIRRORS).toEqual(['public.ecr.aws/docker']);
  // Another user than `node`, who runs the steps.
  expect(image.VEREN_BUILD_UID).not.toBe(1_000);
  const main = readFileSync(join(IMAGES, 'shared/handover.sh'), 'utf8');
  const required = [...main.matchAll(/\$\{(VEREN_\w+):-\}/g)].map(([, name]) => name!);
  expect(required).toEqual(['VEREN_NODE', 'VEREN_SCRIPT']);
  // The fetch is begun before the schemas are asked.
  expect([...required, 'VEREN_WORKDIR', 'VEREN_TOOLS'].filter((name) => env[name] === undefined)).toEqual([]);
});

test('the Kaniko in it is the maintained fork, at a version in which CVE-2026-28406 is fixed', () => {
  const version = /^ARG KANIKO_VERSION=v(\d+)\.(\d+)\.(\d+)$/m.exec(text)!.slice(1).map(Number) as [
    number,
    number,
    number,
  ];
  expect(text).toMatch(/"github\.com\/osscontainertools\/kaniko\/cmd\/executor@\$\{KANIKO_VERSION\}"/);
  expect(version[0] * 1_000 + version[1]).toBeGreaterThanOrEqual(1_028);
});

test('everything that has to outlive a build lies below /kaniko', () => {
  const targets = [...last.matchAll(/^COPY (?:--\S+ )*(?:\S+ )+(\S+)$/gm)].map(([, target]) => target!);
  const paths = [...last.matchAll(/\bVEREN_\w+=(\/\S+)/g)].map(([, path]) => path!);
  expect(targets.length).toBeGreaterThan(4);
  for (const path of [...targets, ...paths, ...[/ENTRYPOINT \["(\S+?)"/.exec(last)![1]!]])
    expect(path).toMatch(/^\/kaniko\//);
  expect(last).toMatch(/chmod -R go-w \/kaniko/);
});

test('the second container of a Dockerfile’s build starts what is in it, and both know their folder', () => {
  const { entryPoint, channel } = DOCKERFILE_BUILDER.isolated!;
  expect(last).toContain(` VEREN_CHANNEL=${channel} `);
  expect(last).toContain(`ENTRYPOINT ["${entryPoint[0]}", "--"`);
  expect(last).toContain(` ${entryPoint[2]}\n`);
  const dist = /COPY build-image-backend\/dist (\S+)/.exec(last)![1];
  expect(entryPoint.at(-1)).toBe(`${dist}/isolated.mjs`);
  const bundles = readFileSync(join(IMAGES, 'bundle.ts'), 'utf8');
  expect(bundles).toContain('build-image-backend/dist/isolated.mjs');
});

test('what it copies of the context is there', () => {
  const sources = [...last.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, list]) => list!.split(' '));
  // Written by bundle.ts before an image is built.
  const written = 'build-image-backend/dist';
  expect(sources).toContain(written);
  expect(sources.filter((path) => path !== written && !existsSync(join(IMAGES, path)))).toEqual([]);
});
