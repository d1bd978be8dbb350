import { join } from '../../../../../contract/repo-fs.ts';
import { judgeBaseUrl } from '../baseUrl.ts';
import { readData, textOf } from '../dataFile.ts';
import type { Findings } from '../findings.ts';
import { type GeneratorSite, isUsable, proposeGenerator } from '../generatorPlan.ts';
import { generatorIn } from '../generators.ts';
import type { Forced, Language } from '../language.ts';
import type { Snapshot } from '../snapshot.ts';
import { findStatedVersion } from '../statedVersion.ts';

const STRENGTH = 50;
const NAMES = { tools: ['zola'], variable: 'ZOLA_VERSION', workflow: ['zola-version', 'zola_version'] };

/** Sites of Zola. Sources: https://www.getzola.org/documentation/getting-started/configuration/, https://www.getzola.org/documentation/getting-started/cli-usage/ */
export const zola: Language = {
  name: 'zola',
  propose(dir, context) {
    const { repo, wanted } = context;
    const found = generatorIn(repo, dir);
    if (found?.name !== 'Zola' || (wanted.frontend !== dir && whyNoZolaSite(repo, dir) !== undefined)) return [];
    const site = (findings: Findings, forced: Forced) => describeSite(repo, dir, found.file, findings, forced);
    return [proposeGenerator({ dir, runtime: 'zola', strength: STRENGTH, reason: `has ${found.file}`, site }, context)];
  },
};

/** `config.toml` with a `base_url` is a name that other programs use too. */
export function whyNoZolaSite(repo: Snapshot, dir: string): string | undefined {
  if (repo.has(join(dir, 'theme.toml'))) return 'it belongs to a theme, and a theme is no site';
  return ['content', 'templates', 'themes'].some((name) => repo.isDirectory(join(dir, name)))
    ? undefined
    : 'there is neither a content nor a templates folder beside it';
}

function describeSite(repo: Snapshot, dir: string, file: string, findings: Findings, forced: Forced): GeneratorSite {
  const config = readData(repo, file, []);
  const base = textOf(config, 'base_url');
  const judged = judgeBaseUrl(base);
  const shown = (base ?? '').slice(0, 80);
  if (judged.kind === 'other')
    findings.warn(`${file}: base_url is "${shown}", which ${judged.why}. The site is built with "/" in its place.`);
  if (judged.kind === 'own')
    findings.warn(
      `${file}: base_url is "${shown}", so the links of the pages lead there wherever they are served. "frontend.buildCommand": "zola build --base-url /" builds them without an address.`,
    );
  const folder = textOf(config, 'output_dir');
  const usable = folder === undefined || isUsable(folder, dir);
  if (!usable)
    findings.warn(
      `${file}: output_dir is "${folder.slice(0, 60)}", which cannot be published; "public" takes its place.`,
    );
  const configFile = file.endsWith('zola.toml') ? '--config zola.toml ' : '';
  return {
    runtime: 'zola',
    name: 'Zola',
    dir,
    file,
    version: forced.runtime?.version === undefined ? findStatedVersion(repo, dir, NAMES) : undefined,
    install: null,
    command: [`zola ${configFile}build`, judged.kind === 'other' && '--base-url /', !usable && '--output-dir public']
      .filter(Boolean)
      .join(' '),
    output:
      usable && folder !== undefined
        ? { path: folder, rule: 'output_dir', file }
        : { path: 'public', rule: 'default of Zola' },
    variables: '',
    runs: ({ program, args }) => program === 'zola' && args.includes('build'),
    outputOptions: ['--output-dir', '-o'],
    usesPackage: 'script',
  };
}
