import { entryOf, isTable, readData, tableOf, textOf } from '../dataFile.ts';
import type { Findings } from '../findings.ts';
import { type GeneratorSite, isUsable, proposeGenerator } from '../generatorPlan.ts';
import { generatorIn } from '../generators.ts';
import type { Forced, Language } from '../language.ts';
import { findRequirements } from '../mkdocsRequirements.ts';
import type { Snapshot } from '../snapshot.ts';
import { versionIn } from '../statedVersion.ts';

/** It documents a program, mostly beside it: `unsure` keeps it from the place of anything that is known to be a site. */
const STRENGTH = 30;
const KEYS = ['site_dir', 'site_url', 'docs_dir', 'theme', 'plugins', 'INHERIT'];
/** Part of MkDocs itself, or of Material. */
const OWN_THEMES = ['mkdocs', 'readthedocs'];
const OWN_PLUGINS = ['search'];
const MATERIAL_PLUGINS = [
  'blog',
  'group',
  'info',
  'meta',
  'offline',
  'optimize',
  'privacy',
  'projects',
  'search',
  'social',
  'tags',
  'typeset',
];

/** Sites of MkDocs. Source: https://www.mkdocs.org/user-guide/configuration/ */
export const mkdocs: Language = {
  name: 'mkdocs',
  propose(dir, context) {
    const { repo } = context;
    const found = generatorIn(repo, dir);
    if (found?.name !== 'MkDocs') return [];
    const site = (findings: Findings, forced: Forced) => describeSite(repo, dir, found.file, findings, forced);
    return [
      proposeGenerator(
        { dir, runtime: 'mkdocs', strength: STRENGTH, reason: `has ${found.file}`, unsure: true, site },
        context,
      ),
    ];
  },
};

function describeSite(repo: Snapshot, dir: string, file: string, findings: Findings, forced: Forced): GeneratorSite {
  const config = readData(repo, file, KEYS);
  if (config === undefined) findings.warn(`${file} cannot be read here; what MkDocs does without it is expected.`);
  const requirements = findRequirements(repo, dir);
  const asked = forced.runtime?.version;
  const install = requirements ?? installWithout(config, asked, file, findings);
  const folder = textOf(config, 'site_dir');
  const unclear = folder === undefined && entryOf(config, 'site_dir') !== undefined;
  if (unclear)
    findings.warn(
      `${file} says where the files are written (site_dir), but not in a way that can be read without running it; "site" is expected. "frontend.outputDirectory" can name it.`,
    );
  const usable = folder === undefined || isUsable(folder, dir);
  if (!usable)
    findings.warn(`${file}: site_dir is "${folder.slice(0, 60)}", which cannot be published; "site" takes its place.`);
  const version = requirements?.version;
  return {
    runtime: 'mkdocs',
    name: 'MkDocs',
    dir,
    file,
    version: version === undefined ? undefined : { version, file: requirements!.file, rule: requirements!.rule },
    install,
    command: [
      file.endsWith('mkdocs.yaml') ? 'mkdocs build --config-file mkdocs.yaml' : 'mkdocs build',
      !usable && '--site-dir site',
    ]
      .filter(Boolean)
      .join(' '),
    output:
      usable && folder !== undefined
        ? { path: folder, rule: 'site_dir', file }
        : { path: 'site', rule: 'default of MkDocs' },
    variables: '',
    runs: ({ program, args }) => program === 'mkdocs' && args.includes('build'),
    outputOptions: ['--site-dir', '-d'],
    usesPackage: 'never',
  };
}

/** Nothing in the repository says what MkDocs needs: its own theme and plugins are there, Material is known by its name. */
function installWithout(
  config: ReturnType<typeof readData>,
  asked: string | undefined,
  file: string,
  findings: Findings,
): GeneratorSite['install'] {
  const theme = textOf(config, 'theme') ?? textOf(tableOf(config, 'theme'), 'name') ?? 'mkdocs';
  const material = theme === 'material';
  const known = material ? MATERIAL_PLUGINS : OWN_PLUGINS;
  const plugins = pluginNames(entryOf(config, 'plugins')).filter(
    (name) => !known.includes(name.replace(/^material\//, '')),
  );
  const missing = [
    ...(material || OWN_THEMES.includes(theme) ? [] : [`the theme "${theme.slice(0, 40)}"`]),
    ...plugins.slice(0, 5).map((name) => `the plugin "${name.slice(0, 40)}"`),
  ];
  if (missing.length > 0)
    findings.warn(
      `${file} uses ${missing.join(', ')}, and no requirements file brings ${missing.length === 1 ? 'it' : 'them'}. Add a requirements.txt with mkdocs and what it needs.`,
    );
  const version = asked === undefined ? undefined : versionIn(asked);
  const packages = [
    version === undefined ? undefined : `mkdocs==${version}`,
    material ? 'mkdocs-material' : undefined,
  ].filter((one) => one !== undefined);
  if (packages.length === 0) return null;
  if (material)
    findings.warn(
      `${file} uses the theme "material", of which no requirements file states a version: the newest one is installed.`,
    );
  return {
    command: `pip install ${packages.join(' ')}`,
    rule: material ? 'theme' : 'the version that is asked for',
    file,
  };
}

/** `- search`, `- tags: {…}`, or a mapping. */
function pluginNames(plugins: unknown): string[] {
  const list = Array.isArray(plugins) ? plugins : isTable(plugins) ? Object.keys(plugins) : [];
  return list
    .slice(0, 100)
    .flatMap((one: unknown) => (typeof one === 'string' ? [one] : isTable(one) ? Object.keys(one).slice(0, 1) : []));
}
