import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { BUCKET, commitAll, git } from '../builder-images/harness.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { type PrivateRegistry, startPrivateRegistry } from '../support/privateRegistry.ts';
import { KanikoWorld, missingKaniko } from './kanikoWorld.ts';

/** A secret that the installation alone sees: a real image, with everything that the build has left anywhere. */
const TOKEN = 'npm_t0kenOfThePrivateRegistry';
const FORMS = [TOKEN, Buffer.from(TOKEN).toString('base64').replaceAll('=', '')];
const SEEN_BY_BUILD = 'plain-variable-of-the-build-command';

const SERVER = `require('node:http')
  .createServer((_, response) => response.end(require('@acme/pad')('ok') + (process.env.NPM_TOKEN ?? '')))
  .listen(process.env.PORT);`;
/** What the build command sees. The marker shows that the search finds what is there. */
const BUILD = `const fs = require('node:fs');
fs.writeFileSync('seen.json', JSON.stringify({ token: process.env.NPM_TOKEN ?? null, plain: process.env.PLAIN }));`;

describeWith(
  tooSlow ?? missingKaniko(),
  'a secret that the installation alone sees is in nothing that Kaniko makes',
  () => {
    let kaniko: KanikoWorld;
    let registry: PrivateRegistry;
    beforeAll(async () => {
      kaniko = await new KanikoWorld().start();
      registry = await startPrivateRegistry(TOKEN);
    }, 60_000);
    afterAll(async () => {
      await registry.close();
      await kaniko.close();
    });

    /** Names of what holds the text: a file, an archive in it, and so on to the innermost. */
    function search(name: string, bytes: Buffer, text: string): string[] {
      const found = bytes.includes(text) ? [name] : [];
      if (bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b)
        return [...found, ...search(`${name} (gzip)`, gunzipSync(bytes), text)];
      if (bytes.length < 512 || bytes.toString('latin1', 257, 262) !== 'ustar') return found;
      const folder = mkdtempSync(join(kaniko.dir, 'unpacked-'));
      try {
        execFileSync('tar', ['-C', folder, '--no-same-owner', '--delay-directory-restore', '-xf', '-'], {
          input: bytes,
          stdio: ['pipe', 'ignore', 'ignore'],
        });
        return [...found, ...searchFolder(name, folder, text)];
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    /** Archives within archives: layers in the cache of layers. Plain files were searched with the archive they are in. */
    function searchFolder(name: string, folder: string, text: string): string[] {
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .flatMap((entry) => {
          const path = join(entry.parentPath, entry.name);
          const bytes = readFileSync(path);
          const isArchive = bytes[0] === 0x1f && bytes[1] === 0x8b;
          return isArchive ? search(`${name}: ${path.slice(folder.length)}`, bytes, text) : [];
        });
    }

    /** Everything that holds the text: layers, configuration and history of the image, the caches, the log and events. */
    async function whereIs(text: string, built: Awaited<ReturnType<KanikoWorld['build']>>): Promise<string[]> {
      const image = kaniko.image(built.tag);
      const manifest = kaniko.crane('manifest', '--insecure', image);
      const { layers } = JSON.parse(manifest) as { layers: { digest: string }[] };
      const repository = image.slice(0, image.lastIndexOf(':'));
      const found = [...search('manifest', Buffer.from(manifest), text)];
      // The history is a part of the configuration.
      found.push(...search('config', Buffer.from(kaniko.crane('config', '--insecure', image)), text));
      for (const { digest } of layers) {
        const bytes = execFileSync(join(kaniko.home, 'bin/crane'), ['blob', '--insecure', `${repository}@${digest}`], {
          maxBuffer: 1_024 * 1_024 * 1_024,
        });
        found.push(...search(`layer ${digest.slice(7, 19)}`, bytes, text));
      }
      for (const name of await kaniko.world.keys('__cache/')) {
        const place = { Bucket: BUCKET, Key: `__cache/${name}` };
        const { Body } = await kaniko.world.s3.send(new GetObjectCommand(place));
        found.push(...search(name, Buffer.from(await Body!.transformToByteArray()), text));
      }
      const said = [built.log, built.output, JSON.stringify(built.events)].join('\n');
      return [...found, ...search('log', Buffer.from(said), text)];
    }

    test('no layer, configuration, history, cache, log or event has it, and the build command did not see it', async () => {
      const folder = join(kaniko.world.dir, 'with-token');
      mkdirSync(folder);
      for (const [name, text] of Object.entries(registry.project)) writeFileSync(join(folder, name), text);
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const scripts = { build: 'node build.cjs', start: 'node server.js' };
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, scripts }));
      git(folder, 'init', '--quiet');
      const commit = commitAll(folder, { 'build.cjs': BUILD, 'server.js': SERVER });
      const env = {
        INSTALL_ONLY_ENV: JSON.stringify({ NPM_TOKEN: TOKEN }),
        BUILD_ENV: JSON.stringify({ PLAIN: SEEN_BY_BUILD }),
        BUILDCOMMAND: 'npm run build',
      };
      const built = await kaniko.build({ url: `file://${folder}`, commit, projectId: 'with-token', env });
      expect(built.last).toMatchObject({ type: 'build.succeeded' });
      expect(registry.given).toBe(1);
      // The search finds what is there: in a layer of the image, and in that of the cache.
      const marked = await whereIs(SEEN_BY_BUILD, built);
      expect(marked).toEqual([expect.stringMatching(/^layer /), expect.stringMatching(/layers-.*\.tar: \/layers\//)]);
      expect((await kaniko.world.keys('__cache/with-token/')).length).toBeGreaterThan(0);
      for (const form of FORMS) expect(await whereIs(form, built)).toEqual([]);
      const pulled = kaniko.pull(built.tag);
      expect(JSON.parse(readFileSync(join(pulled.root, 'app/seen.json'), 'utf8'))).toEqual({
        ...{ token: null, plain: SEEN_BY_BUILD },
      });
      const running = await kaniko.run(pulled);
      expect([running.answer.status, running.answer.body.trim()]).toEqual([200, 'ok']);
      await kaniko.stop(running);
      rmSync(pulled.root, { recursive: true, force: true });

      // From the cache of layers, and with another token, which installs again.
      const again = await kaniko.build({ url: `file://${folder}`, commit, projectId: 'with-token', env });
      expect(again.last).toMatchObject({ type: 'build.succeeded' });
      for (const form of FORMS) expect(await whereIs(form, again)).toEqual([]);
    }, 400_000);
  },
);
