/** What an installation reads of a project that is not JavaScript: as `Manifests` says it of the others. */
export interface LanguageManifests {
  readonly paths: readonly string[];
  /** Why the whole source is needed for the installation; null where it is not. */
  readonly needsSource: string | null;
}

/** Commands of one language as its template runs them: what the plan says, in the language's surroundings. */
export interface LanguageSteps {
  readonly install: string;
  readonly build: string;
  readonly prune: string;
}

/** A language besides JavaScript that services are built in: a file beside this one, and a line in `index.ts`. */
export interface BuilderLanguage {
  /** An empty command runs nothing, and its surroundings are made all the same. */
  stepsOf(install: string, build: string): LanguageSteps;
  /** What of the project its installation reads. Correct before fast: what cannot be told needs the source. */
  manifestsOf(root: string, installCommand: string): Promise<LanguageManifests>;
}

/** Takes the libraries that a service is linked with into its image. */
export const LIBRARIES = '/opt/veren/libraries.sh';

/** A command of a step, in the surroundings of its language. */
export const inside = (step: string, surroundings: string, command: string): string =>
  `VEREN_LANGUAGE_STEP=${step}\n${surroundings}\nunset VEREN_LANGUAGE_STEP\n${command}`;

/** The whole source is needed for the installation. */
export const wholeSource = (needsSource: string): LanguageManifests => ({ paths: [], needsSource });
