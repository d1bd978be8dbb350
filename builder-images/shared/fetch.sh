# Fetching one commit, for the entry points of both builders. Sourced, never run. Works with bash 3.2 (macOS) and git 2.25.
#
# The repository is the first hostile thing that a builder meets, so git runs without any configuration but ours, without
# prompts, hooks, submodules or credential helpers, with a protocol allow-list, and where the builder is root as the user
# that will run the build. The token is given by GIT_ASKPASS out of git's environment: no file and no argument holds it.

# as_builder <command…>: as the build user where there is one (VEREN_BUILD_UID and root), otherwise as we are.
as_builder() {
  if [ -n "${VEREN_BUILD_UID:-}" ] && [ "$(id -u)" = 0 ]; then
    setpriv --reuid "$VEREN_BUILD_UID" --regid "${VEREN_BUILD_GID:-$VEREN_BUILD_UID}" --clear-groups --no-new-privs -- "$@"
  else
    "$@"
  fi
}

# make_work: a fresh folder below VEREN_WORKDIR, its path in $work. `control` is ours alone, the rest the build user's.
# A project's builds get the same path where it is free: build tools put absolute paths into their caches.
make_work() {
  mkdir -p "$VEREN_WORKDIR" || return 1
  work=$VEREN_WORKDIR/${PROJECT_ID:-build}
  [[ $work == "$VEREN_WORKDIR"/[a-z0-9]* && ${PROJECT_ID:-build} != */* ]] && mkdir "$work" 2>/dev/null ||
    work=$(mktemp -d "$VEREN_WORKDIR/build.XXXXXX") || return 1
  chmod 755 "$work" || return 1
  mkdir -m 700 "$work/control" "$work/git" && mkdir "$work/source" "$work/home" "$work/tmp" "$work/cache" "$work/tools" || return 1
  if [ -n "${VEREN_BUILD_UID:-}" ] && [ "$(id -u)" = 0 ]; then
    chown "$VEREN_BUILD_UID:${VEREN_BUILD_GID:-$VEREN_BUILD_UID}" \
      "$work/git" "$work/source" "$work/home" "$work/tmp" "$work/cache" "$work/tools" || return 1
  fi
}

# run_git <arguments…>: git in the work tree with nothing of this process's environment but what is named here.
run_git() {
  as_builder env -i PATH="$PATH" HOME="$work/git" LC_ALL=C TMPDIR="$work/tmp" \
    GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL="${GIT_ALLOW_PROTOCOL:-https}" GIT_LFS_SKIP_SMUDGE=1 \
    ${GIT_TOKEN:+"GIT_TOKEN=$GIT_TOKEN" "GIT_ASKPASS=$work/git/askpass"} \
    ${SSL_CERT_FILE:+"GIT_SSL_CAINFO=$SSL_CERT_FILE"} ${SSL_CERT_DIR:+"GIT_SSL_CAPATH=$SSL_CERT_DIR"} \
    ${HTTPS_PROXY:+"HTTPS_PROXY=$HTTPS_PROXY"} ${HTTP_PROXY:+"http_proxy=$HTTP_PROXY"} ${NO_PROXY:+"NO_PROXY=$NO_PROXY"} \
    git -C "$work/source" "$@"
}

# Only $HOME/.gitconfig reaches the upload-pack that git starts for a file:// URL; safe.directory is for that one.
write_git_home() {
  # A redirect could carry the token to another host, so a private repository must be named by its own URL.
  local redirects=initial
  [ -z "${GIT_TOKEN:-}" ] || redirects=false
  as_builder sh -c '
    cat >"$1/.gitconfig" <<CONFIG &&
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
[advice]
	detachedHead = false
[http]
	followRedirects = $2
	lowSpeedLimit = 1000
	lowSpeedTime = 60
CONFIG
    cat >"$1/askpass" <<"ASKPASS" &&
#!/bin/sh
case "$1" in Username*) echo x-access-token ;; *) printf "%s\n" "$GIT_TOKEN" ;; esac
ASKPASS
    chmod 700 "$1/askpass"' sh "$work/git" "$redirects"
}

# fetch_commit: $work/source at GIT_COMMIT. Prints what git prints.
fetch_commit() {
  write_git_home || return 1
  run_git init --quiet || return
  if ! run_git fetch --quiet --depth 1 --no-tags --no-recurse-submodules -- "$GIT_REPOSITORY__URL" "$GIT_COMMIT"; then
    # Servers of the plain-files kind, and old ones, hand out branches and tags only.
    echo 'The server does not hand out single commits: fetching its branches and tags.'
    run_git fetch --quiet --no-tags --no-recurse-submodules -- "$GIT_REPOSITORY__URL" \
      '+refs/heads/*:refs/veren/heads/*' '+refs/tags/*:refs/veren/tags/*' || return
  fi
  run_git checkout --quiet --detach "$GIT_COMMIT^{commit}" --
}

# Seconds since the epoch, with fractions where bash (5) can tell them.
now() { printf '%s' "${EPOCHREALTIME:-$(date +%s)}"; }

# recorded_fetch: fetch_commit, with its start, end and exit code in control/fetch ("<start> <end> <code>").
recorded_fetch() {
  local started code
  started=$(now)
  # The script reads the hand-over, and with it the token.
  [ -z "${HANDOVER_GIT_TOKEN:-}" ] || GIT_TOKEN=$(cat "$HANDOVER_GIT_TOKEN")
  fetch_commit
  code=$?
  rm -rf "$work/git"
  printf '%s %s %s\n' "$started" "$(now)" "$code" >"$work/control/fetch"
}

# handover: every exported variable as NAME=value NUL, for the script's file descriptor 3.
handover() {
  local name
  while IFS= read -r name; do printf '%s=%s\0' "$name" "${!name-}"; done < <(compgen -e)
}

# misconfigured <reason>: BUILDER_MISCONFIGURED of contract/errors.ts.
misconfigured() {
  printf 'veren: the builder was started with a wrong environment: %s\n' "$1" >&2
  exit 31
}

# check_environment <name…>: every missing one at once.
check_environment() {
  local name missing=''
  for name in "$@"; do [ -n "${!name:-}" ] || missing="$missing $name"; done
  [ -z "$missing" ] || misconfigured "missing:$missing"
  [[ $GIT_COMMIT =~ ^[0-9a-f]{40}([0-9a-f]{24})?$ ]] || misconfigured 'GIT_COMMIT is not a commit id'
  [[ $GIT_REPOSITORY__URL != -* ]] || misconfigured 'GIT_REPOSITORY__URL looks like an option'
  [ -x "$VEREN_NODE" ] || misconfigured 'VEREN_NODE cannot be run'
  [ -r "$VEREN_SCRIPT" ] || misconfigured 'VEREN_SCRIPT cannot be read'
}

# fetch_and_exec_script: fetches in the background and becomes the script, which reads git's output as it comes.
#
# Both at once, so that starting Node, loading the SDK and reaching the broker cost no time. The script gets its
# environment through a pipe: then neither its /proc/<pid>/environ nor that of anything it starts ever holds a secret.
fetch_and_exec_script() {
  make_work || misconfigured "no work folder can be made in $VEREN_WORKDIR"
  mkfifo -m 600 "$work/control/fetch.log" || misconfigured "no pipe can be made in $VEREN_WORKDIR"
  if [ -n "${HANDOVER_URL:-}" ]; then
    mkfifo -m 600 "$work/control/git-token" || misconfigured "no pipe can be made in $VEREN_WORKDIR"
    export HANDOVER_GIT_TOKEN=$work/control/git-token
  fi
  set -m # its own process group, to be ended as a whole
  recorded_fetch >"$work/control/fetch.log" 2>&1 </dev/null 3>&- &
  export VEREN_FETCH_PID=$! VEREN_WORK=$work VEREN_STARTED
  VEREN_STARTED=$(now)
  set +m
  exec 3< <(handover) 4<"$work/control/fetch.log"
  # What Node itself reads at its start, and HOME. Without that the SDK asks for root's home folder in /etc/passwd: after
  # Kaniko has put another system's files in place, glibc cannot load what reads it, and libuv asks again for ever. Ours is
  # one where nobody else can leave a .aws/config.
  exec env -i PATH="$PATH" HOME="$work/control" VEREN_HANDOVER=3 \
    ${NODE_EXTRA_CA_CERTS:+"NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS"} \
    ${SSL_CERT_FILE:+"SSL_CERT_FILE=$SSL_CERT_FILE"} ${SSL_CERT_DIR:+"SSL_CERT_DIR=$SSL_CERT_DIR"} \
    "$VEREN_NODE" --no-warnings "$VEREN_SCRIPT"
}
