import { join, upward } from '../../../../../contract/repo-fs.ts';
import { type ParsedCommand, scriptCommands } from '../commandLine.ts';
import type { FoundFramework } from '../frameworkTable.ts';
import { generatorAt } from '../generators.ts';
import type { LanguageContext, Proposal } from '../language.ts';
import { holdsOtherLanguage } from '../otherLanguages.ts';
import { workerAssets } from '../outputSettings.ts';
import { packageFile, packagePlan } from '../packagePlan.ts';
import { dependencyVersion, fileIn, type Project, scriptOf } from '../project.ts';
import { keptFolders } from '../rendering.ts';
import { isNamedAsFrontend, pathScore } from '../score.ts';
import { serverFramework } from '../serverFrameworks.ts';
import { goesElsewhere, isForeignProgram, judgeStart } from '../startJudgement.ts';
import { isDesktopOrCommand, isForOtherPlace } from './javascriptServers.ts';

/** Below whatever is known to be a site. */
const STRENGTH = 6;

/**
 * A package whose build script may make a site in a way that nothing else is known of (`node build.mjs`, gulp, a bundler
 * without a page of its own). What it writes is only known once it has run, so the plan names no output folder.
 */
export function unknownBuild(
  project: Project,
  framework: FoundFramework | undefined,
  context: LanguageContext,
): Proposal | undefined {
  if (scriptOf(project, 'build') === '' || isOtherThanSite(project) || !mayMakePage(project)) return undefined;
  return {
    target: 'frontend',
    path: project.dir,
    framework: framework?.slug ?? null,
    score: STRENGTH + pathScore('frontend', project.dir),
    reason: 'has a build script that may make a page',
    unsure: true,
    plan(findings, forced) {
      if (framework) findings.because('framework', framework.slug, framework.match, packageFile(project));
      const plan = {
        ...packagePlan(project, framework, context, findings, forced),
        ...keptFolders(framework),
      };
      findings.because('rendering', 'static', 'no framework that renders on a server');
      if (forced.outputDirectory !== undefined) return plan;
      findings.because('outputDirectory', null, 'the folder with an index.html that the build writes');
      findings.warn(
        `Nothing says what the build of "${project.dir}" makes. The folder that it writes with an index.html is published; "frontend.outputDirectory" can name it.`,
      );
      return { ...plan, outputDirectory: null };
    },
  };
}

/** Fields of what others install or call. */
const LIBRARY_FIELDS = ['main', 'module', 'exports', 'bin', 'types', 'typings', 'publishConfig'];

/** Drivers and bots of programs that nothing starts here: a queue worker, a bot, a job. */
const PROGRAMS =
  /^(?:pg|mysql2?|mongoose|mongodb|redis|ioredis|bullmq|bull|amqplib|kafkajs|nats|mqtt|typeorm|sequelize|knex|better-sqlite3|sqlite3|@prisma\/client|drizzle-orm|@mikro-orm\/core|discord\.js|telegraf|grammy|node-telegram-bot-api|@slack\/bolt|whatsapp-web\.js|node-cron|@grpc\/grpc-js|@modelcontextprotocol\/sdk|nodemailer|@actions\/core|probot|commander|yargs|@oclif\/core|react-native|obsidian|webextension-polyfill|@raycast\/api|homebridge|aws-cdk-lib)$/;
/** What is built with one of these runs in another program: an extension of a browser, a plugin of an editor. */
const BUILT_FOR_OTHERS =
  /^(?:@types\/(?:chrome|firefox-webext-browser|webextension-polyfill|vscode|google-apps-script)|chrome-types|web-ext|wxt|plasmo|webextension-polyfill|obsidian|@figma\/plugin-typings|@google\/clasp|homebridge|react-native|@capacitor\/core|hardhat|truffle|aws-cdk-lib|aws-cdk|node-gyp|@yao-pkg\/pkg|pkg|nexe)$/;

/** Whether a package is known to be something that no visitor opens in a browser. */
function isOtherThanSite(project: Project): boolean {
  const { repo, dir, pkg } = project;
  if (pkg.isLibrary || LIBRARY_FIELDS.some((field) => Object.hasOwn(pkg.raw, field))) return true;
  if (serverFramework(project) || isDesktopOrCommand(project, false) || isForOtherPlace(project)) return true;
  if (workerAssets(project) !== undefined || dependencyVersion(project, 'wrangler') !== undefined) return true;
  if (isWorkspaceRoot(project) || belongsToOtherLanguage(project) || generatorAt(repo, dir)) return true;
  if (['Procfile', 'action.yml', 'action.yaml'].some((name) => fileIn(project, name))) return true;
  if ([...pkg.dependencies.keys()].some((name) => PROGRAMS.test(name))) return true;
  if ([...pkg.dependencies.keys(), ...pkg.devDependencies.keys()].some((name) => BUILT_FOR_OTHERS.test(name)))
    return true;
  return judgeStart(project, scriptOf(project, 'start')) === 'server' || developsProgram(project);
}

/** Assets of a program in another language, such as the theme of a Django site; a folder named as frontends are stands alone. */
function belongsToOtherLanguage({ repo, dir }: Project): boolean {
  if (holdsOtherLanguage(repo, dir)) return true;
  return !isNamedAsFrontend(dir) && [...upward(dir)].some((above) => holdsOtherLanguage(repo, above));
}

function isWorkspaceRoot(project: Project): boolean {
  const files = ['pnpm-workspace.yaml', 'lerna.json', 'nx.json', 'turbo.json', 'turbo.jsonc', 'rush.json'];
  return project.pkg.workspaces !== undefined || files.some((name) => fileIn(project, name));
}

/** `tsx watch src/index.ts`, `nodemon server.js`: a program that is started anew at every change of its sources. */
function developsProgram(project: Project): boolean {
  return scriptCommands(project, 'dev').some(({ program, args }) => {
    const file = args.findLast((arg) => /\.[cm]?[jt]s$/.test(arg));
    if (file === undefined || args.some((arg) => /^(?:-x|--exec|-e|--ext)$/.test(arg))) return false;
    return (
      /^(?:tsx|ts-node|ts-node-dev|tsnd|node-dev|nodemon|bun|node)$/.test(program) &&
      /(?:^|\/)(?:src\/[\w-]+|index|server|app|main|bot|worker)\.[cm]?[jt]s$/.test(file)
    );
  });
}

/** Cannot make a page that is complete by itself: compilers of code and styles, checks, packers of programs, runners of other packages' scripts. */
const PAGELESS =
  /^(?:tsc|tspc|vue-tsc|tsc-alias|tsc-watch|tscpaths|tsup|tsdown|swc|babel|unbuild|obuild|pkgroll|ncc|microbundle|bunchee|father|bob|nest|prisma|drizzle-kit|hardhat|truffle|forge|solc|electron-builder|electron-vite|electron-forge|electron-packager|tauri|vsce|ovsx|ng-packagr|svelte-package|wasm-pack|node-gyp|prebuildify|cmake-js|napi|graphql-codegen|openapi-typescript|openapi-generator-cli|buf|protoc|eslint|prettier|biome|oxlint|stylelint|jest|vitest|mocha|tap|ava|playwright|cypress|husky|changeset|semantic-release|api-extractor|sass|node-sass|postcss|lessc|stylus|tailwindcss|tailwind|uglifyjs|terser|cleancss|svgo|imagemin|wrangler|vercel|netlify|firebase|serverless|sls|cdk|sst|clasp|web-ext|wxt|plasmo|pkg|nexe|wp-scripts|mix|echo|printf|exit|true|test|rm|rimraf|del|del-cli|mkdir|mkdirp|chmod|cd|export|set|vite|modern|ng|next|nuxt|nuxi|astro|remix|gatsby|expo|sleep|npx|tar|zip|git|npm|pnpm|yarn|bun|corepack|node-pre-gyp|lint-staged|knip|publint|attw|typedoc|size-limit)$/;
/** Run the builds of other packages. */
const ORCHESTRATORS = /^(?:turbo|nx|lerna|rush|wsrun|ultra|moon|bazel|bazelisk|preconstruct|wireit)$/;
const COPIERS = /^(?:cp|cpx|cpx2|cpy|ncp|copyfiles|mv|shx|rsync|copy)$/;
const BUNDLERS = /^(?:webpack|webpack-cli|rollup|rolldown|rspack|rspack-cli|esbuild|parcel|rsbuild|bun)$/;

/** Whether one of the commands of the build script may write a page, and all of them can be run here. */
function mayMakePage(project: Project): boolean {
  if (goesElsewhere(scriptOf(project, 'build'))) return false;
  const commands = scriptCommands(project, 'build');
  if (commands.some(({ program }) => ORCHESTRATORS.test(program) || isForeignProgram(program))) return false;
  return commands.some((command) => {
    if (COPIERS.test(command.program)) return copiesPage(project, command);
    if (BUNDLERS.test(command.program)) return bundlesPage(project, command);
    return !PAGELESS.test(command.program);
  });
}

const namesPage = ({ args }: ParsedCommand): boolean => args.some((arg) => /\.html?\b|\bhtml\b/i.test(arg));

const copiesPage = (project: Project, command: ParsedCommand): boolean =>
  namesPage(command) ||
  command.args.some((arg) => {
    const folder = arg.replace(/^\.\//, '').replace(/[*./]{1,40}$/, '');
    return /^[\w./-]+$/.test(folder) && fileIn(project, join(folder, 'index.html'));
  });

/** Plugins and template languages that make pages. */
const PAGE_MAKER =
  /html|(?:^|[-/])(?:copy|pug|ejs|handlebars|nunjucks|eta|mustache|liquidjs?|markdown(?:-it)?|marked|posthtml|twig|haml|static-site-generator)(?:$|-)/;
/** Folders that bundlers write to, and that a page may have been put into by hand. */
const WRITTEN = ['dist', 'build', 'out', 'public', 'www', 'docs', '_site', 'static'];

/** A bundler writes code; pages come from a plugin, an entry, or lie where it writes. */
function bundlesPage(project: Project, command: ParsedCommand): boolean {
  if (command.args.some((arg) => /^--(?:platform|target)=node/.test(arg))) return false;
  const { dependencies, devDependencies } = project.pkg;
  return (
    namesPage(command) ||
    [...dependencies.keys(), ...devDependencies.keys()].some(
      (name) => PAGE_MAKER.test(name) && !name.startsWith('@types/') && !/lint|prettier/.test(name),
    ) ||
    WRITTEN.some((folder) => fileIn(project, `${folder}/index.html`))
  );
}
