import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readRepoFile } from '../../../shared/repo-files.ts';
import { type BuilderLanguage, inside, type LanguageManifests, LIBRARIES, wholeSource } from './language.ts';

/** Environment of a project's packages, made at the installation. Moved to where the image has it under the same name. */
const VENV = '/opt/veren/tools/venv';
const PYTHON_SURROUNDINGS = `. ${VENV}/bin/activate
export UV_PROJECT_ENVIRONMENT=${VENV} UV_LINK_MODE=copy UV_CACHE_DIR="/tmp/veren-$VEREN_LANGUAGE_STEP/uv" PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 POETRY_VIRTUALENVS_CREATE=false POETRY_CACHE_DIR="/tmp/veren-$VEREN_LANGUAGE_STEP/poetry" PIPENV_NOSPIN=1`;

/** Lines of a list of requirements that are a folder, a file or an option that names one. */
const LOCAL = /^\s*(?:-e|--editable|-f|--find-links|\.|\/)|(?:^|@)\s*file:|\.(?:whl|zip|tar\.gz)\s*(?:$|[;#])/;
/** No line of a real list is longer; one that is may name anything. */
const MAX_LINE = 1_000;
const namesFiles = (text: string) => text.split(/\r?\n/).some((line) => line.length > MAX_LINE || LOCAL.test(line));

async function pythonManifests(root: string, installCommand: string): Promise<LanguageManifests> {
  if (!/^pip install -r requirements\.txt(?: [a-z0-9-]+)*$/.test(installCommand))
    return wholeSource('its command may read more than a list of requirements');
  const paths: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true }))
    if (entry.isFile() && /^(?:requirements|constraints)[\w.-]{0,60}\.(?:txt|in)$/.test(entry.name))
      paths.push(entry.name);
  const below = await readdir(join(root, 'requirements'), { withFileTypes: true }).catch(() => []);
  for (const entry of below) if (entry.isFile()) paths.push(join('requirements', entry.name));
  for (const path of paths) {
    const text = await readRepoFile(join(root, path)).catch(() => null);
    if (text === null || namesFiles(text)) return wholeSource(`${path} names files of the repository`);
  }
  return { paths: paths.sort(), needsSource: null };
}

export const python: BuilderLanguage = {
  stepsOf: (install, build) => ({
    install: `python3 -m venv ${VENV} || exit\n${inside('install', PYTHON_SURROUNDINGS, install)}`,
    build: build === '' ? '' : inside('build', PYTHON_SURROUNDINGS, build),
    prune: `${LIBRARIES}; mv ${VENV} /opt/veren/runtime/venv`,
  }),
  manifestsOf: pythonManifests,
};
