import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATORS_NODE_MAJOR, NODE_LINES, NODE_MAJORS, type NodeMajor } from '../contract/node-lines.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** Why this release of Ubuntu. */
const REMARKS = {
  focal: `# focal: what sites of this Node line were built on. It left standard support in May 2025, so its tag does not move any
# more; glibc 2.31 is enough for Node 18 to 24 (they ask for 2.28).`,
  noble: '# noble: supported until April 2029, longer than the Node line.',
};
const PNPM_OF_OLD_LINES = ['pnpm@9.15.9', 'pnpm@10.34.9'];
/** pnpm 11 asks for Node 22. */
const PNPM = [...PNPM_OF_OLD_LINES, 'pnpm@11.28.11'];
/** Bun is a program of 107 MB: a build that uses it installs it, like a version that is not here. */
const OTHER_MANAGERS = ['yarn@1.22.22', '@yarnpkg/cli-dist@4.18.1'];

/** In the image of one Node line alone, since no other build should wait for their bytes. */
const GENERATORS = `# Site generators that are not JavaScript: in this image alone (docs/decisions/site-generators.md).
ARG ZOLA=0.21.0
COPY builder-image-frontend/dockerfiles/generators /tmp/generators
RUN /tmp/generators/install.sh "$ZOLA"

`;

const TEMPLATES = {
  'frontend.Dockerfile': (major: NodeMajor) => `builder-image-frontend/dockerfiles/Dockerfile.${major}x.dev`,
  'backend.Dockerfile': (major: NodeMajor) => `build-image-backend/dockerbackend/Dockerfile_node${major}/Dockerfile`,
} as const;

/** The Dockerfiles of all Node lines: path (relative to `builder-images/`) and text. */
export function nodeDockerfiles(): ReadonlyMap<string, string> {
  const made = new Map<string, string>();
  for (const [template, pathOf] of Object.entries(TEMPLATES)) {
    const text = readFileSync(join(FOLDER, 'templates', template), 'utf8');
    for (const major of NODE_MAJORS) made.set(pathOf(major), fillTemplate(text, template, major));
  }
  return made;
}

/** Lines that begin with `#@` are remarks for whoever edits the template. */
function fillTemplate(text: string, template: string, major: NodeMajor): string {
  const { release, ubuntu, debian } = NODE_LINES[major];
  const values: Record<string, string> = {
    version: release,
    base: ubuntu,
    baseRemark: REMARKS[ubuntu],
    serviceBase: debian,
    major: String(major),
    generators: major === GENERATORS_NODE_MAJOR ? GENERATORS : '',
    managers: [...(major < 22 ? PNPM_OF_OLD_LINES : PNPM), ...OTHER_MANAGERS].join(' '),
  };
  return text.replace(/^(?:#@.*\n)+/gm, '').replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template} has {{${name}}}, which no Node line gives.`);
    return value;
  });
}

/** `npm run generate`. */
if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [path, text] of nodeDockerfiles()) {
    mkdirSync(dirname(join(FOLDER, path)), { recursive: true });
    writeFileSync(join(FOLDER, path), text);
  }
