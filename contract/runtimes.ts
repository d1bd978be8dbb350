/**
 * The one table of runtimes: what a target is built with and, where it is a service, runs on. A language is one row here, one
 * file of the detector and its builder's files; a version of one is an entry of its row.
 */
import type { Target } from './builders.ts';
import { DEFAULT_NODE_MAJOR, GENERATORS_NODE_MAJOR, NODE_LINES, NODE_MAJORS, type NodeMajor } from './node-lines.ts';

interface RuntimeRow {
  /** What can be built with it. */
  readonly targets: readonly Target[];
  /** Versions that there is a builder for, oldest first. Null: any that the repository names, or none at all. */
  readonly versions: readonly string[] | null;
  /** What a repository gets that says nothing; null where the builder's own is taken, or where there is no version. */
  readonly defaultVersion: string | null;
  /** Day of the last security fix, by version, where it is known. */
  readonly endOfLife: Readonly<Record<string, string>>;
  /** Files of the builder, relative to `builder-images/`; `{version}` stands for one of `versions`. */
  readonly builderFiles: readonly string[];
}

const TEMPLATES = 'build-image-backend/dockerbackend';

const ROWS = {
  node: {
    targets: ['frontend', 'backend'],
    versions: NODE_MAJORS.map(String),
    defaultVersion: String(DEFAULT_NODE_MAJOR),
    endOfLife: Object.fromEntries(NODE_MAJORS.map((major) => [major, NODE_LINES[major].endOfLife])),
    builderFiles: [`${TEMPLATES}/Dockerfile_node{version}/Dockerfile`],
  },
  python: {
    targets: ['backend'],
    versions: ['3.9', '3.10', '3.11', '3.12', '3.13', '3.14'],
    defaultVersion: '3.13',
    // Source: https://devguide.python.org/versions/
    endOfLife: {
      3.9: '2025-10-31',
      '3.10': '2026-10-31',
      3.11: '2027-10-31',
      3.12: '2028-10-31',
      3.13: '2029-10-31',
      3.14: '2030-10-31',
    },
    builderFiles: [`${TEMPLATES}/Dockerfile_python/Dockerfile`],
  },
  go: {
    targets: ['backend'],
    // One compiler serves every older module; a newer one is fetched by `go` itself, which checks its checksum.
    versions: ['1.25', '1.26'],
    defaultVersion: '1.26',
    endOfLife: {},
    builderFiles: [`${TEMPLATES}/Dockerfile_go/Dockerfile`],
  },
  hugo: { targets: ['frontend'], versions: null, defaultVersion: null, endOfLife: {}, builderFiles: [] },
  jekyll: { targets: ['frontend'], versions: null, defaultVersion: null, endOfLife: {}, builderFiles: [] },
  mkdocs: { targets: ['frontend'], versions: null, defaultVersion: null, endOfLife: {}, builderFiles: [] },
  zola: { targets: ['frontend'], versions: null, defaultVersion: null, endOfLife: {}, builderFiles: [] },
  // A Dockerfile of the repository's own: asked for by `backend.dockerfile`, never by a runtime's name.
  docker: { targets: [], versions: null, defaultVersion: null, endOfLife: {}, builderFiles: [] },
} as const satisfies Readonly<Record<string, RuntimeRow>>;

export type RuntimeName = keyof typeof ROWS;
export const RUNTIMES: Readonly<Record<RuntimeName, RuntimeRow>> = ROWS;
export const RUNTIME_NAMES = Object.keys(ROWS) as [RuntimeName, ...RuntimeName[]];

/** Runtimes besides Node that services are built in. */
export type ServiceLanguageName = {
  [Name in RuntimeName]: 'backend' extends (typeof ROWS)[Name]['targets'][number] ? Name : never;
}[Exclude<RuntimeName, 'node'>];

/** Generators of sites, which are in the image of one Node line alone: no other build waits for their bytes. */
export const SITE_GENERATORS = ['hugo', 'jekyll', 'mkdocs', 'zola'] as const satisfies readonly RuntimeName[];
export type SiteGenerator = (typeof SITE_GENERATORS)[number];

/** The Node line of the image that builds a target. */
export const imageMajorOf = (runtime: RuntimeName, nodeMajor: NodeMajor): NodeMajor =>
  (SITE_GENERATORS as readonly RuntimeName[]).includes(runtime) ? GENERATORS_NODE_MAJOR : nodeMajor;

/** The runtimes that one kind of target can have. */
export const runtimesOf = (target: Target): readonly RuntimeName[] =>
  RUNTIME_NAMES.filter((name) => RUNTIMES[name].targets.includes(target));
