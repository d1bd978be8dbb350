/**
 * The one table of Node's release lines. A new one is a row here and the Dockerfiles that `npm run generate` writes from it:
 * what detection chooses from, builders, stacks, toolchains of the laptop and the tests read the row.
 */
interface NodeLine {
  /** Name of the long-term line: `lts/krypton`. */
  readonly codeName: string;
  /** Day of the last security fix. Source of both: https://github.com/nodejs/release#release-schedule */
  readonly endOfLife: string;
  /** The npm that comes with it, in its image and in the laptop's toolchains. Source: the archive of Node's releases. */
  readonly npm: number;
  /** The release in the builder of sites. */
  readonly release: string;
  /** Release of Ubuntu under the builder of sites. */
  readonly ubuntu: 'focal' | 'noble';
  /** Release of Debian under services. */
  readonly debian: 'bullseye' | 'bookworm';
  /** Names of the builder of sites on AWS, where an earlier system gave it others than `frontend-builder-<major>`. */
  readonly task?: { readonly family: string; readonly container: string; readonly repository: string };
}

/** Oldest first. */
const LINES = {
  18: {
    codeName: 'hydrogen',
    endOfLife: '2025-04-30',
    npm: 10,
    release: '18.20.8',
    ubuntu: 'focal',
    debian: 'bullseye',
  },
  20: {
    codeName: 'iron',
    endOfLife: '2026-04-30',
    npm: 10,
    release: '20.20.2',
    ubuntu: 'focal',
    debian: 'bullseye',
    task: { family: 'builder-task-20', container: 'builder-task-20-image', repository: 'builder-task-20-image' },
  },
  22: { codeName: 'jod', endOfLife: '2027-04-30', npm: 10, release: '22.23.3', ubuntu: 'noble', debian: 'bookworm' },
  24: {
    codeName: 'krypton',
    endOfLife: '2028-04-30',
    npm: 11,
    release: '24.21.0',
    ubuntu: 'noble',
    debian: 'bookworm',
  },
} as const satisfies Readonly<Record<number, NodeLine>>;

export type NodeMajor = keyof typeof LINES;
export const NODE_LINES: Readonly<Record<NodeMajor, NodeLine>> = LINES;
export const NODE_MAJORS = Object.keys(LINES).map(Number) as unknown as readonly [NodeMajor, ...NodeMajor[]];

/** The newest long-term line that has a builder; used for repositories that name no version. */
export const DEFAULT_NODE_MAJOR: NodeMajor = 24;

/**
 * The line whose builder of sites has the generators that are no JavaScript. Not the default one: every build pulls its whole
 * image, and most builds pull that of the default line.
 */
export const GENERATORS_NODE_MAJOR: NodeMajor = 22;
