import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { BUILDERS } from '../../contract/builders.ts';
import { BuilderImage, copiedFiles } from '../../lib/constructs/builder-image.ts';
import { ROOT } from '../../lib/constructs/bundle.ts';

const settings = {
  stage: 'dev',
  removalPolicy: RemovalPolicy.DESTROY,
  logRetentionDays: 30,
} as unknown as ConstructorParameters<typeof BuilderImage>[2]['settings'];

let context: string;
beforeEach(() => {
  context = mkdtempSync(join(tmpdir(), 'veren-context-'));
  cpSync(join(ROOT, 'builder-images'), context, { recursive: true });
  for (const builder of ['builder-image-frontend', 'build-image-backend']) {
    rmSync(join(context, builder, 'dist'), { recursive: true, force: true });
    mkdirSync(join(context, builder, 'dist', 'chunks'), { recursive: true });
    write(`${builder}/dist/script.mjs`, `// of ${builder}`);
  }
});
afterEach(() => rmSync(context, { recursive: true, force: true }));

const write = (path: string, text: string) => writeFileSync(join(context, path), text);

interface Image {
  readonly tag: string;
  /** What CodeBuild gets. */
  readonly files: string[];
}

function images(): Record<string, Image> {
  const outdir = mkdtempSync(join(tmpdir(), 'veren-assembly-'));
  try {
    const stack = new Stack(new App({ outdir }), 'Images');
    for (const { family, dockerfile } of BUILDERS)
      new BuilderImage(stack, family, {
        settings,
        dockerfile,
        context,
        repository: new Repository(stack, `${family}-r`),
      });
    const { template } = (stack.node.root as App).synth().getStackByName('Images');
    const builds = Object.values(
      template.Resources as Record<string, { Type: string; Properties: Record<string, string> }>,
    )
      .filter(({ Type }) => Type === 'Custom::CDKContainerImageBuild')
      .map(({ Properties }) => Properties);
    return Object.fromEntries(
      builds.map(({ imageTag = '', sourceS3Url }, i) => {
        const files = filesOf(join(outdir, `asset.${/([0-9a-f]{64})\.zip/.exec(JSON.stringify(sourceS3Url))?.[1]}`));
        return [BUILDERS[i]?.family as string, { tag: imageTag, files }];
      }),
    );
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name).slice(folder.length + 1))
    .toSorted();
}

const changed = (before: Record<string, Image>, after: Record<string, Image>) =>
  Object.keys(before).filter((family) => before[family]?.tag !== after[family]?.tag);

const FRONTENDS = BUILDERS.filter((b) => b.target === 'frontend').map((b) => b.family);
const BACKENDS = BUILDERS.filter((b) => b.target === 'backend').map((b) => b.family);

test('a change rebuilds the images that it is in, and no others', () => {
  const first = images();
  expect(images()).toEqual(first);
  const after = (path: string) => {
    write(path, '# changed');
    return changed(first, images());
  };
  const restore = (path: string) => cpSync(join(ROOT, 'builder-images', path), join(context, path));

  for (const path of ['build-image-backend/dist/script.mjs', 'build-image-backend/main.sh'])
    expect(after(path)).toEqual(BACKENDS);
  write('build-image-backend/dist/script.mjs', '// of build-image-backend');
  restore('build-image-backend/main.sh');
  expect(after('build-image-backend/dockerbackend/Dockerfile_node22/Dockerfile')).toEqual(BACKENDS);
  restore('build-image-backend/dockerbackend/Dockerfile_node22/Dockerfile');
  expect(after('builder-image-frontend/dist/chunks/a.mjs')).toEqual(FRONTENDS);
  rmSync(join(context, 'builder-image-frontend/dist/chunks/a.mjs'));
  expect(after('builder-image-frontend/dockerfiles/install.sh')).toEqual(FRONTENDS);
  restore('builder-image-frontend/dockerfiles/install.sh');
  // What both copy; what one has for itself; what is in none.
  expect(after('shared/handover.sh')).toEqual([...FRONTENDS, ...BACKENDS]);
  restore('shared/handover.sh');
  const only20 = BUILDERS.filter((b) => b.dockerfile.includes('Dockerfile.20x')).map((b) => b.family);
  write('builder-image-frontend/dockerfiles/Dockerfile.20x.dev', 'FROM scratch\nCOPY shared/handover.sh /x\n');
  expect(changed(first, images())).toEqual(only20);
  restore('builder-image-frontend/dockerfiles/Dockerfile.20x.dev');
  for (const path of ['shared/entry.ts', 'README', 'builder-image-frontend/notes.txt', 'shared/other.sh'])
    expect(after(path)).toEqual([]);
});

test('a context holds its Dockerfile and what that copies, and nothing else', () => {
  const made = images();
  for (const { family, dockerfile } of BUILDERS) {
    const files = made[family]?.files ?? [];
    expect(files).toContain(dockerfile);
    expect(files).toContain('shared/handover.sh');
    expect(files.filter((f) => /(^|\/)(Dockerfile\.\d+x\.dev)$/.test(f) && f !== dockerfile)).toEqual([]);
    expect(files.filter((f) => f.endsWith('.ts'))).toEqual([]);
  }
  const backend = made[BACKENDS[0] as string]?.files ?? [];
  expect(backend.filter((f) => f.startsWith('builder-image-frontend/'))).toEqual(['builder-image-frontend/kafka.pem']);
  expect(backend).toContain('build-image-backend/dist/script.mjs');
  expect(backend).toContain('build-image-backend/dockerbackend/Dockerfile_node22/Dockerfile');
});

test.each([
  ['COPY . /veren', 'name what it copies'],
  ['COPY shared/*.sh /veren/', 'name what it copies'],
  ['COPY ["a b", "/c"]', 'name what it copies'],
  ['COPY ../x /y', 'name what it copies'],
  ['ADD https://example.com/x /y', 'COPY, not ADD'],
])('%s is refused, since its files cannot be told from the text', (line, why) => {
  expect(() => copiedFiles(`FROM scratch\n${line}\n`)).toThrow(why);
});

test('what is copied out of other stages is no part of the context', () => {
  expect(copiedFiles('FROM a\nCOPY --from=b /x /y\nCOPY --chmod=755 \\\n  c/d.sh e /f/\ncopy g /h')).toEqual([
    'c/d.sh',
    'e',
    'g',
  ]);
});
