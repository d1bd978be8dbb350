import type { RuntimeOverride } from '../../../../contract/api.ts';
import type { Target } from '../../../../contract/builders.ts';
import type { VerenError } from '../../../../contract/errors.ts';
import type { NodeMajor } from '../../../../contract/node-lines.ts';
import type { Candidate, TargetPlan } from '../../../../contract/plan.ts';
import type { RepoFs } from '../../../../contract/repo-fs.ts';
import type { RuntimeName, ServiceLanguageName } from '../../../../contract/runtimes.ts';
import type { Findings } from './findings.ts';
import type { Snapshot } from './snapshot.ts';

/** What the request fixes; it is not looked for, so that an impossible wish of the repository does not matter. */
export interface Forced {
  readonly runtime?: RuntimeOverride | undefined;
  readonly nodeVersion?: NodeMajor | undefined;
  readonly installCommand?: string | undefined;
  readonly buildCommand?: string | undefined;
  readonly outputDirectory?: string | undefined;
  readonly allowSecrets?: readonly string[] | undefined;
  readonly startCommand?: string | undefined;
  /** Of a proposal for a Dockerfile alone. */
  readonly dockerfile?: string | undefined;
}

/** What a language's rules make of one folder. Everything but the score is worked out only for the folder that is chosen. */
export interface Proposal extends Candidate {
  /** What it is built with. Default: Node. */
  readonly runtime?: RuntimeName;
  /** Fills the plan and says why. Throws a VerenError where the folder was chosen but cannot be built. */
  plan(findings: Findings, forced: Forced): TargetPlan;
  /** Only a start script says that this is a server: it may as well be a tool of the repository's developers. */
  readonly guess?: boolean;
  /** A guess, or a server that nothing starts: it does not take the place of a site that is rendered on a server. */
  readonly weak?: boolean;
  /** Nothing but a build script says that this is a site: it takes no other one's place. */
  readonly unsure?: boolean;
  /** A site that is rendered on a server: the refusal where no server is wanted. */
  readonly needsServer?: VerenError;
}

export interface LanguageContext {
  readonly repo: Snapshot;
  /** Every folder that holds a package or a page, shallow ones first. */
  readonly folders: readonly string[];
  /** Folders that the request wants as this target: there, weaker signs are enough. */
  readonly wanted: Readonly<Partial<Record<Target, string>>>;
  /** ISO date, for ends of life. */
  readonly today: string;
}

/** One language: a file in `languages/`, one line in `registry.ts`. */
export interface Language {
  readonly name: string;
  /** What the folder could be deployed as; nothing where it is not this language's. */
  propose(dir: string, context: LanguageContext): readonly Proposal[];
}

/** A language besides JavaScript that services are built in: the whole of its file, and a line in `serviceLanguages.ts`. */
export interface ServiceLanguage extends Language {
  readonly name: ServiceLanguageName;
  /** As sentences have it: `Python`, `a Python project`. */
  readonly title: string;
  readonly project: string;
  /** Files that make a folder a project of it, and are read. */
  readonly projectFiles: readonly string[];
  /** Files that are a sign of it besides, and are not read for that. */
  readonly signs: readonly string[];
  /** Other files of a project that are read: what says versions and packages. */
  settingsIn(fs: RepoFs, dir: string): readonly string[];
  /** Sources in which an application may begin, the telling ones first. */
  sourcesIn(fs: RepoFs, dir: string): readonly string[];
}
