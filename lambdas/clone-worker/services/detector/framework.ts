import type { ParsedCommand } from './commandLine.ts';
import type { Project } from './project.ts';

export interface StaticRendering {
  readonly kind: 'static';
  /** Where the files are written, relative to the package; absent: the framework's default. */
  readonly output?: string | undefined;
  readonly rule: string;
  readonly file?: string | undefined;
}

export interface ServerRendering {
  readonly kind: 'server';
  /** Runs the built server; absent where the framework builds one only for platforms of its own. */
  readonly start?: string | undefined;
  readonly rule: string;
  readonly file?: string | undefined;
  /** The change that would make it a static site, as an imperative without a full stop. */
  readonly remedy: string;
}

/** Whether the build gives files to publish or a server to run. */
export type Rendering = StaticRendering | ServerRendering;

/** What the configuration of a framework says of its output. */
export interface Configured {
  /** Relative to the package; absent where only `root` or `unclear` is known. */
  readonly path?: string | undefined;
  /** The folder that options of the command line are relative to. */
  readonly root?: string | undefined;
  readonly rule: string;
  readonly file?: string | undefined;
  readonly unclear?: string | undefined;
}
/** `commands`: those of the framework's own tool in the build script. */
export type OutputSetting = (project: Project, commands: readonly ParsedCommand[]) => Configured | undefined;

/** One way to recognise a framework, and what it does by default. */
export interface FrameworkRow {
  readonly name: string;
  /** Packages that it depends on, all of them. */
  readonly dependencies: readonly string[];
  /** Used where the package has no build script. */
  readonly buildCommand: string;
  /** Relative to the package. */
  readonly outputDirectory: string;
  /** Frameworks that it is made of, which are not named beside it. */
  readonly supersedes?: readonly string[];
}

/**
 * Everything that Veren itself knows of one framework: the whole of a file in `frameworks/`. Where `@vercel/frameworks`
 * has rows of the same slug, this is laid over them; each field may be left out.
 */
export interface FrameworkRules {
  /** Its name in plans. */
  readonly slug: string;
  /** Ways to recognise it that the library does not have. */
  readonly rows?: readonly FrameworkRow[];
  /** Dependencies that stand for the signs of the library's row, where those cannot be judged. */
  readonly signs?: readonly string[];
  /** Stands for the command of the library's row. */
  readonly buildCommand?: string;
  /**
   * Configuration that is a program, without its extension, relative to the package: `next.config`. Nothing else is read of
   * what is not named here. The first that ends in `.config` is the sign that a library or a workspace's root is a site, too.
   */
  readonly configs?: readonly string[];
  /** Other files that are read. */
  readonly files?: readonly string[];
  /** Files that say, as a configuration does, that a library or a workspace's root is a site, too. */
  readonly signFiles?: readonly string[];
  /** Static files or a server. Without it: static files. */
  readonly rendering?: (project: Project) => Rendering;
  /** Where the configuration says that it writes. Without it, and with Vite among the dependencies, Vite's is asked. */
  readonly output?: OutputSetting;
  /** Names of its program besides the first word of its build command. */
  readonly programs?: readonly string[];
  /** A package that depends on it and calls one of these is built by it, as by the first word of its build command. */
  readonly calledAs?: readonly string[];
  /** Options of its program that name the output, besides those that most have. */
  readonly outputOptions?: readonly string[];
  /** Scripts that build it where `build` builds what it stands beside. */
  readonly scripts?: readonly string[];
  /** Script that is run where there is no `build`. */
  readonly otherScript?: string;
  /** The build command where there is no script, if it depends on the project. */
  readonly defaultBuild?: (project: Project) => { readonly command: string; readonly rule: string } | undefined;
  /** A bundler: libraries are built with it too, so a page has to be there. */
  readonly bundles?: boolean;
  /** Files of which one stands for the page, where the bundler writes it. */
  readonly entries?: readonly string[];
  /** Shows the parts of a site that is built by something else. */
  readonly showsParts?: boolean;
  /** Documents what lies beside it, mostly in a folder `docs`. */
  readonly documents?: boolean;
  /** With a server it is an API, not a site. */
  readonly isApi?: boolean;
  /** Its score as a site, where that of its kind does not fit. */
  readonly strength?: number;
  /**
   * Where it keeps compiled code, relative to the package: kept between builds. Never a folder that holds fetched data or
   * finished pages as well, since a page made of those would be as old as the cache.
   */
  readonly compiledFolders?: readonly string[];
}
