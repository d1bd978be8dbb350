import { VerenError } from '../../../../../contract/errors.ts';
import { DEFAULT_NODE_MAJOR } from '../../../../../contract/node-lines.ts';
import type { TargetPlan } from '../../../../../contract/plan.ts';
import { join } from '../../../../../contract/repo-fs.ts';
import { RUNTIMES } from '../../../../../contract/runtimes.ts';
import type { Findings } from '../findings.ts';
import { type GoModule, type MainPackage, mainPackages, readModule } from '../go/module.ts';
import type { Forced, LanguageContext, Proposal, ServiceLanguage } from '../language.ts';
import { filesNamed, foldersIn } from '../listedNames.ts';
import { choosePort } from '../port.ts';
import { pathScore } from '../score.ts';

const STRENGTH = { framework: 45, program: 15, start: 5 };
/** Where the built program lies, beside the sources: services read templates and pages from there. */
const PROGRAM = 'veren-service';

/** Web frameworks by the path of their module. */
const FRAMEWORKS: readonly (readonly [module: string, slug: string])[] = [
  ['github.com/gin-gonic/gin', 'gin'],
  ['github.com/labstack/echo', 'echo'],
  ['github.com/gofiber/fiber', 'fiber'],
  ['github.com/go-chi/chi', 'chi'],
  ['github.com/gorilla/mux', 'gorilla-mux'],
  ['github.com/julienschmidt/httprouter', 'httprouter'],
  ['github.com/beego/beego', 'beego'],
  ['github.com/danielgtaylor/huma', 'huma'],
  ['github.com/cloudwego/hertz', 'hertz'],
  ['github.com/valyala/fasthttp', 'fasthttp'],
  ['github.com/pocketbase/pocketbase', 'pocketbase'],
];
const LISTENS = /\b(?:ListenAndServe(?:TLS)?|http\.Serve|net\.Listen)\(|\.(?:Run|Listen|Start|Spin)\(/;

/** Services in Go: a module with a program that listens. */
export const go: ServiceLanguage = {
  name: 'go',
  title: 'Go',
  project: 'a Go module',
  projectFiles: ['go.mod'],
  signs: ['main.go'],
  settingsIn: (fs, dir) => filesNamed(fs, dir, /^go\.work$/),
  sourcesIn: (fs, dir) => {
    const commands = join(dir, 'cmd');
    return [
      ...filesNamed(fs, dir, /^main\.go$/),
      ...filesNamed(fs, commands, /\.go$/),
      ...[dir, join(dir, 'src'), commands]
        .flatMap((at) => foldersIn(fs, at))
        .flatMap((at) => filesNamed(fs, at, /^main\.go$/)),
      ...filesNamed(fs, dir, /^(?!.*_test\.)[\w-]{1,60}\.go$/),
      ...foldersIn(fs, commands).flatMap((at) => filesNamed(fs, at, /^(?!.*_test\.)[\w-]{1,60}\.go$/)),
    ];
  },
  propose(dir, context) {
    const { repo } = context;
    const module = readModule(repo, dir);
    if (!module) return [];
    const isWanted = context.wanted.backend === dir;
    const known = FRAMEWORKS.find(([path]) =>
      module.requires.some((name) => name === path || name.startsWith(`${path}/`)),
    );
    const programs = mainPackages(repo, dir);
    const listening = programs.filter(({ code }) => LISTENS.test(code) && (known || /"net\/http"|"net"/.test(code)));
    const possible = listening.length > 0 ? listening : known || isWanted ? programs : [];
    const main = choose(possible, module);
    if (!main) return isWanted ? [propose(dir, context, module, null, undefined, [])] : [];
    return [propose(dir, context, module, known?.[1] ?? null, main, possible)];
  },
};

/** Of several programs the module's own folder's, then the one that is called as services are. */
function choose(programs: readonly MainPackage[], module: GoModule): MainPackage | undefined {
  const last = module.name.slice(module.name.lastIndexOf('/') + 1);
  const rank = ({ path }: MainPackage) => {
    if (path === '.') return 0;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const at = ['server', 'api', 'web', 'app', 'http', 'backend', 'service', last, 'main'].indexOf(name);
    return at < 0 ? 50 : at + 1;
  };
  return [...programs].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1))[0];
}

function propose(
  dir: string,
  context: LanguageContext,
  module: GoModule,
  slug: string | null,
  main: MainPackage | undefined,
  all: readonly MainPackage[],
): Proposal {
  const listens = main !== undefined && LISTENS.test(main.code);
  return {
    target: 'backend',
    runtime: 'go',
    path: dir,
    framework: slug,
    score:
      (main && (slug || listens) ? STRENGTH.framework : STRENGTH.program) +
      (listens ? STRENGTH.start : 0) +
      pathScore('backend', dir),
    reason: slug ? `requires ${slug}` : listens ? `${main.file} listens` : 'named in the request',
    weak: !listens,
    plan: (findings, forced) => planOf(dir, context, { module, slug, main, all }, findings, forced),
  };
}

interface Found {
  readonly module: GoModule;
  readonly slug: string | null;
  readonly main: MainPackage | undefined;
  readonly all: readonly MainPackage[];
}

function planOf(dir: string, context: LanguageContext, found: Found, findings: Findings, forced: Forced): TargetPlan {
  const { module, slug, main, all } = found;
  if (!main)
    throw new VerenError('NOTHING_TO_DEPLOY', {
      reason: `"${dir}" holds no program: neither its own Go files nor those of a folder of "cmd" are of package main.`,
    });
  if (slug) findings.because('framework', slug, 'required by the module', module.file);
  const version = forced.runtime?.version ?? RUNTIMES.go.defaultVersion!;
  findings.because(
    'runtime',
    version,
    module.version ? `go ${module.version}, which it builds` : 'default',
    module.file,
  );
  if (all.length > 1)
    findings.warn(
      `"${main.path}" of "${dir}" is built, and ${all
        .filter((other) => other !== main)
        .slice(0, 8)
        .map(({ path }) => `"${path}"`)
        .join(', ')} could be as well. "backend.path" with a module of its own can choose another one.`,
    );
  const below = dir === module.root ? '' : module.root === '.' ? dir : dir.slice(module.root.length + 1);
  const isVendored = context.repo.has(join(dir, 'vendor/modules.txt'));
  const installCommand = isVendored
    ? null
    : `${below ? `cd '${below.replaceAll("'", `'\\''`)}' && ` : ''}go mod download`;
  const buildCommand = `go build -o ${PROGRAM} ${main.path}`;
  const startCommand = `./${PROGRAM}`;
  findings.because(
    'installPath',
    module.root,
    module.root === dir ? 'the module itself' : 'the module reaches out of its folder',
    module.file,
  );
  findings.because('installCommand', installCommand, isVendored ? 'vendored' : 'module', module.file);
  findings.because('buildCommand', buildCommand, 'package main', main.file);
  findings.because('startCommand', startCommand, 'the program that the build makes', main.file);
  return {
    path: dir,
    framework: slug,
    language: 'go',
    packageManager: null,
    runtime: { name: 'go', version },
    nodeVersion: DEFAULT_NODE_MAJOR,
    installPath: module.root,
    installCommand,
    buildCommand,
    startCommand,
    port: fixedPort(main, findings) ?? choosePort(forced.startCommand ?? startCommand, findings),
    evidence: findings.evidence,
  };
}

/** A port that the program listens on whatever PORT says. */
function fixedPort(main: MainPackage, findings: Findings): number | undefined {
  if (/"PORT"/.test(main.code)) return undefined;
  const found = /(?:ListenAndServe|\.Run|\.Listen|\.Start|Addr:)\W{0,20}["'`][\w.]{0,40}:(\d{2,5})["'`]/.exec(
    main.code,
  )?.[1];
  const port = Number(found);
  return found !== undefined && port >= 1 && port <= 65_535
    ? findings.because('port', port, 'the program listens on it', main.file)
    : undefined;
}
