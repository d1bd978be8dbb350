import { basename, join } from 'node:path';
import { depthOf } from './fetch-depth.ts';
import { reachableUrl } from './local-source.ts';
import type { Program, RunningProgram } from './processes.ts';
import { programPath, SYSTEM_PATH } from './programs.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import { sendPack } from './source-pack.ts';
import { makeWorkFolder } from './work-folder.ts';

/**
 * Fetches one commit; this starts before any other module of a builder is loaded. The repository may be hostile, so git
 * runs as the user that will run the build, with our configuration only, without prompts, hooks, submodules or
 * credential helpers, and with an allow-list of protocols. GIT_ASKPASS gives git the token from its environment, so no
 * file and no argument holds it. Works with git 2.25.
 */
export interface Fetching {
  readonly work: string;
  readonly program: RunningProgram;
  /** When the builder was started (ms). */
  readonly startedAt: number;
  readonly sandbox: Sandbox;
  /** Of an uploaded folder: why its pack could not be read; null where it was. */
  readonly source?: Promise<string | null> | undefined;
}

type Variables = Readonly<Record<string, string>>;

/**
 * POSIX shell, run by the build user in the work tree, with the git home as HOME:
 * `sh <git> <url> <commit> <redirects> <depth, 0: all> <tags, 0 or 1> <pinned addresses, or empty> <blocks of a file, or empty>`.
 * Without a URL the commit is in the pack on standard input, which is that of an uploaded folder.
 * A commit that is stored under a name brings the tags of what is fetched with it.
 */
const FETCH = String.raw`
git=$1 url=$2 commit=$3
history="--depth $5" tags=--no-tags want=$commit all='refs/veren/tags/*'
[ "$5" != 0 ] || history=
[ "$6" != 1 ] || { tags=; want="+$commit:refs/veren/commit" all='refs/tags/*'; }
[ -z "$8" ] || ulimit -f "$8"
# What is received stays one pack, so that limits on the size of a file and of packs hold for all of it.
# Only $HOME/.gitconfig reaches the upload-pack that git starts for a file:// URL; safe.directory is for that one.
cat >"$HOME/.gitconfig" <<CONFIG || exit 1
[safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
[protocol]
	version = 2
[submodule]
	recurse = false
[credential]
	helper =
[gc]
	auto = 0
[fetch]
	unpackLimit = 1
[advice]
	detachedHead = false
[http]
	followRedirects = $4
	lowSpeedLimit = 1000
	lowSpeedTime = 60
	curloptResolve = "$7"
CONFIG
cat >"$HOME/askpass" <<"ASKPASS" || exit 1
#!/bin/sh
case "$1" in Username*) echo x-access-token ;; *) printf "%s\n" "$GIT_TOKEN" ;; esac
ASKPASS
chmod 700 "$HOME/askpass" || exit 1
fetch() {
  "$git" init --quiet || return
  if [ -z "$url" ]; then
    "$git" index-pack --stdin --strict >/dev/null && "$git" checkout --quiet --detach "$commit" --
    return
  fi
  # shellcheck disable=SC2086 # options, or nothing
  if ! "$git" fetch --quiet $history $tags --no-recurse-submodules -- "$url" "$want"; then
    # Servers that only serve files, and old servers, give out branches and tags only.
    echo 'The server does not hand out single commits: fetching its branches and tags.'
    "$git" fetch --quiet --no-tags --no-recurse-submodules -- "$url" \
      '+refs/heads/*:refs/veren/heads/*' "+refs/tags/*:$all" || return
  fi
  "$git" checkout --quiet --detach "$commit^{commit}" -- || return
  [ -n "$tags" ] || "$git" update-ref -d refs/veren/commit
}
fetch 2>&1
code=$?
rm -f "$HOME/.gitconfig" "$HOME/askpass"
exit "$code"
`;

/** Of the builder's environment: how git reaches a host from here. */
function gitEnvironment(raw: Variables, work: string): Record<string, string> {
  const variableFrom = (name: string, from: string) => (raw[from] ? { [name]: raw[from] } : {});
  return {
    PATH: SYSTEM_PATH,
    HOME: join(work, 'git'),
    LC_ALL: 'C',
    TMPDIR: join(work, 'tmp'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: raw.GIT_ALLOW_PROTOCOL || 'https',
    GIT_LFS_SKIP_SMUDGE: '1',
    ...(raw.GIT_TOKEN && { GIT_TOKEN: raw.GIT_TOKEN, GIT_ASKPASS: join(work, 'git/askpass') }),
    ...variableFrom('GIT_SSL_CAINFO', 'SSL_CERT_FILE'),
    ...variableFrom('GIT_SSL_CAPATH', 'SSL_CERT_DIR'),
    ...variableFrom('HTTPS_PROXY', 'HTTPS_PROXY'),
    ...variableFrom('http_proxy', 'HTTP_PROXY'),
    ...variableFrom('NO_PROXY', 'NO_PROXY'),
  };
}

export interface FetchProgram {
  readonly raw: Variables;
  readonly work: string;
  readonly folder: string;
  readonly url: string;
  readonly commit: string;
  /** git's `http.followRedirects`. */
  readonly redirects: 'false' | 'initial';
  /** Commits of history; 0: all. */
  readonly depth: number;
  readonly tags: boolean;
  /** curl's `host:port:addresses`, to which the host name is pinned (git 2.37 and later); empty: none. */
  readonly addresses?: string;
  /** Of any file that is written. */
  readonly maxBytes?: number;
  /** The commit comes as a pack on standard input, and `url` is empty. */
  readonly hasInput?: boolean;
}

/** The program that fetches and checks out one commit in a folder, for the build's user. */
export function fetchProgram(o: FetchProgram): Program {
  const blocks = o.maxBytes === undefined ? '' : String(Math.ceil(o.maxBytes / 512));
  const options = [o.redirects, String(o.depth), o.tags ? '1' : '0', o.addresses ?? '', blocks];
  return {
    argv: [programPath('sh'), '-c', FETCH, 'sh', programPath('git'), o.url, o.commit, ...options],
    cwd: o.folder,
    env: gitEnvironment(o.raw, o.work),
    ...(o.hasInput && { hasInput: true }),
  };
}

/** Checks before git is started; the schemas check everything else meanwhile. */
const NEEDED: Readonly<Record<string, RegExp>> = {
  GIT_REPOSITORY__URL: /^[^-]/,
  GIT_COMMIT: /^[0-9a-f]{40}([0-9a-f]{24})?$/,
  PROJECT_ID: /^[a-z0-9][a-z0-9-]{0,62}$/,
  DEPLOYMENTID: /^[a-z0-9]{1,40}$/,
  ATTEMPT: /^[1-9]\d{0,9}$/,
  VEREN_WORKDIR: /^\//,
};
const NUMBER = /^[1-9]\d{0,9}$/;

/** Variables that keep the fetch from being begun. */
export const unusableVariables = (raw: Variables): string[] =>
  Object.entries(NEEDED).flatMap(([name, form]) => (form.test(raw[name] ?? '') ? [] : [name]));

/** Id of the attempt that a builder works on, by which its work folder and its processes are marked. */
export const buildIdOf = (raw: Variables) => `${raw.DEPLOYMENTID}-${raw.ATTEMPT}`;

/** `NAME=value` in the environment of every process of a build. */
export const buildCookie = (raw: Variables, work: string) => `VEREN_BUILD=${buildIdOf(raw)}-${basename(work)}`;

/** Makes the work folder and starts the fetch into it. `raw` has no `unusableVariables`. */
export function startFetch(raw: Variables): Fetching {
  const numberOf = (name: string) => (NUMBER.test(raw[name] ?? '') ? Number(raw[name]) : undefined);
  const uid = process.getuid?.() === 0 ? numberOf('VEREN_BUILD_UID') : undefined;
  const gid = numberOf('VEREN_BUILD_GID') ?? uid;
  const work = makeWorkFolder({
    parent: raw.VEREN_WORKDIR!,
    projectId: raw.PROJECT_ID!,
    buildId: buildIdOf(raw),
    owner: uid === undefined ? null : { uid, gid: gid! },
  });
  const maxProcesses = numberOf('VEREN_BUILD_PROCESSES') ?? 4_096;
  const sandbox = createSandbox({ uid, gid, maxProcesses, cookie: buildCookie(raw, work) });
  const pack = raw.SOURCE_PACK_URL;
  const asked = raw.GIT_REPOSITORY__URL!;
  const url = pack !== undefined ? '' : uid === undefined ? asked : reachableUrl(asked, raw, work);
  // A redirect could send the token to another host, so a private repository must be given by its final URL.
  const redirects = raw.GIT_TOKEN ? 'false' : 'initial';
  const program = sandbox.start(
    fetchProgram({
      raw,
      work,
      folder: join(work, 'source'),
      url,
      commit: raw.GIT_COMMIT!,
      redirects,
      depth: depthOf(raw),
      tags: raw.GIT_TAGS === '1',
      hasInput: pack !== undefined,
    }),
  );
  const source = pack === undefined ? undefined : sendPack(pack, program.input!);
  program.stderr.resume();
  const started = Number((raw.VEREN_STARTED ?? '').replace(',', '.'));
  return { work, program, sandbox, source, startedAt: started > 0 ? Math.round(started * 1_000) : Date.now() };
}
