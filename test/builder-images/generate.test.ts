import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeDockerfiles } from '../../builder-images/generate.ts';
import { NODE_MAJORS } from '../../contract/node-lines.ts';

const FOLDER = join(__dirname, '..', '..', 'builder-images');
const made = nodeDockerfiles();

test.each([...made.keys()])('%s is what `npm run generate` writes', (path) => {
  expect(readFileSync(join(FOLDER, path), 'utf8')).toBe(made.get(path));
});

test('every Dockerfile of a Node line comes from a template', () => {
  const frontends = readdirSync(join(FOLDER, 'builder-image-frontend/dockerfiles')).filter((name) =>
    /^Dockerfile\.\d+x\.dev$/.test(name),
  );
  const services = readdirSync(join(FOLDER, 'build-image-backend/dockerbackend')).filter((name) =>
    /^Dockerfile_node\d+$/.test(name),
  );
  expect(frontends).toHaveLength(NODE_MAJORS.length);
  expect(services).toHaveLength(NODE_MAJORS.length);
  expect(made.size).toBe(2 * NODE_MAJORS.length);
});

test('no remark of a template, and no placeholder, is in a Dockerfile', () => {
  for (const text of made.values()) expect(text).not.toMatch(/^#@|\{\{/m);
});
