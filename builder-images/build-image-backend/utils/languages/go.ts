import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readRepoFile } from '../../../shared/repo-files.ts';
import { type BuilderLanguage, inside, type LanguageManifests, LIBRARIES, wholeSource } from './language.ts';

/** `auto`: where a module asks for a newer Go than the image's, Go fetches that and checks its checksum. */
const GO_SURROUNDINGS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell
  'export GOMODCACHE=/opt/veren/tools/go GOCACHE="/tmp/veren-$VEREN_LANGUAGE_STEP/go" GOFLAGS="-modcacherw ${GOFLAGS:-}" GOTOOLCHAIN=auto';

async function goManifests(root: string, installCommand: string): Promise<LanguageManifests> {
  if (installCommand !== 'go mod download') return wholeSource('the module reaches into other folders');
  const text = await readRepoFile(join(root, 'go.mod')).catch(() => null);
  if (text === null || /=>\s*\.{0,2}\//.test(text)) return wholeSource('go.mod names folders of the repository');
  const names = (await readdir(root, { withFileTypes: true })).filter((e) => e.isFile()).map((e) => e.name);
  if (names.includes('go.work')) return wholeSource('go.work names folders of the repository');
  return { paths: ['go.mod', 'go.sum'].filter((name) => names.includes(name)), needsSource: null };
}

export const go: BuilderLanguage = {
  stepsOf: (install, build) => ({
    install: inside('install', GO_SURROUNDINGS, install),
    build: build === '' ? '' : inside('build', GO_SURROUNDINGS, build),
    prune: `${LIBRARIES}; cp "$(go env GOROOT)/lib/time/zoneinfo.zip" /opt/veren/runtime/`,
  }),
  manifestsOf: goManifests,
};
