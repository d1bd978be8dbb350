import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeName } from '../../../contract/runtimes.ts';
import { readRepoFile } from '../../shared/repo-files.ts';

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

/** Environment of a project's packages, made at the installation. Moved to where the image has it under the same name. */
const VENV = '/opt/veren/tools/venv';
const LIBRARIES = '/opt/veren/libraries.sh';

const PYTHON_SURROUNDINGS = `. ${VENV}/bin/activate
export UV_PROJECT_ENVIRONMENT=${VENV} UV_LINK_MODE=copy UV_CACHE_DIR="/tmp/veren-$VEREN_LANGUAGE_STEP/uv" PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 POETRY_VIRTUALENVS_CREATE=false POETRY_CACHE_DIR="/tmp/veren-$VEREN_LANGUAGE_STEP/poetry" PIPENV_NOSPIN=1`;
/** `auto`: where a module asks for a newer Go than the image's, Go fetches that and checks its checksum. */
const GO_SURROUNDINGS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell
  'export GOMODCACHE=/opt/veren/tools/go GOCACHE="/tmp/veren-$VEREN_LANGUAGE_STEP/go" GOFLAGS="-modcacherw ${GOFLAGS:-}" GOTOOLCHAIN=auto';

const inside = (step: string, surroundings: string, command: string) =>
  `VEREN_LANGUAGE_STEP=${step}\n${surroundings}\nunset VEREN_LANGUAGE_STEP\n${command}`;

/** The steps of Python or Go. An empty command runs nothing, and its surroundings are made all the same. */
export function languageSteps(runtime: 'python' | 'go', install: string, build: string): LanguageSteps {
  if (runtime === 'python')
    return {
      install: `python3 -m venv ${VENV} || exit\n${inside('install', PYTHON_SURROUNDINGS, install)}`,
      build: build === '' ? '' : inside('build', PYTHON_SURROUNDINGS, build),
      prune: `${LIBRARIES}; mv ${VENV} /opt/veren/runtime/venv`,
    };
  return {
    install: inside('install', GO_SURROUNDINGS, install),
    build: build === '' ? '' : inside('build', GO_SURROUNDINGS, build),
    prune: `${LIBRARIES}; cp "$(go env GOROOT)/lib/time/zoneinfo.zip" /opt/veren/runtime/`,
  };
}

/** The runtimes besides Node that services have templates for. */
export const isLanguage = (runtime: RuntimeName): runtime is 'python' | 'go' =>
  runtime === 'python' || runtime === 'go';

/** What of the project its installation reads. Correct before fast: what cannot be told needs the source. */
export async function languageManifests(
  root: string,
  runtime: 'python' | 'go',
  installCommand: string,
): Promise<LanguageManifests> {
  return runtime === 'python' ? pythonManifests(root, installCommand) : goManifests(root, installCommand);
}

/** Lines of a list of requirements that are a folder, a file or an option that names one. */
const LOCAL = /^\s*(?:-e|--editable|-f|--find-links|\.|\/)|(?:^|@)\s*file:|\.(?:whl|zip|tar\.gz)\s*(?:$|[;#])/;
/** No line of a real list is longer; one that is may name anything. */
const MAX_LINE = 1_000;
const namesFiles = (text: string) => text.split(/\r?\n/).some((line) => line.length > MAX_LINE || LOCAL.test(line));

async function pythonManifests(root: string, installCommand: string): Promise<LanguageManifests> {
  const all = (needsSource: string): LanguageManifests => ({ paths: [], needsSource });
  if (!/^pip install -r requirements\.txt(?: [a-z0-9-]+)*$/.test(installCommand))
    return all('its command may read more than a list of requirements');
  const paths: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true }))
    if (entry.isFile() && /^(?:requirements|constraints)[\w.-]{0,60}\.(?:txt|in)$/.test(entry.name))
      paths.push(entry.name);
  const below = await readdir(join(root, 'requirements'), { withFileTypes: true }).catch(() => []);
  for (const entry of below) if (entry.isFile()) paths.push(join('requirements', entry.name));
  for (const path of paths) {
    const text = await readRepoFile(join(root, path)).catch(() => null);
    if (text === null || namesFiles(text)) return all(`${path} names files of the repository`);
  }
  return { paths: paths.sort(), needsSource: null };
}

async function goManifests(root: string, installCommand: string): Promise<LanguageManifests> {
  const all = (needsSource: string): LanguageManifests => ({ paths: [], needsSource });
  if (installCommand !== 'go mod download') return all('the module reaches into other folders');
  const text = await readRepoFile(join(root, 'go.mod')).catch(() => null);
  if (text === null || /=>\s*\.{0,2}\//.test(text)) return all('go.mod names folders of the repository');
  const names = (await readdir(root, { withFileTypes: true })).filter((e) => e.isFile()).map((e) => e.name);
  if (names.includes('go.work')) return all('go.work names folders of the repository');
  return { paths: ['go.mod', 'go.sum'].filter((name) => names.includes(name)), needsSource: null };
}
