#!/usr/bin/env bash
# schemathesis against the running laptop platform: everything that its OpenAPI document allows and forbids, one request
# at a time and in sequences. 0 answers of 5xx and 0 contradictions with the document, or the exit code is not 0.
# `npm run test:fuzz`; sourced by .ci/run, which calls `fuzz_api VENV_FOLDER`.
# Needs python3 with venv, git, Node. FUZZ_SEED, FUZZ_EXAMPLES and FUZZ_SECONDS change what is tried.

# Newer releases are tried before they are named here: they bring checks of their own.
SCHEMATHESIS=schemathesis==4.32.5

# Makes a Python venv in this folder that has schemathesis. Nothing to do where it is there already.
fetch_schemathesis() {
  [[ "$("$1/bin/pip" freeze 2>/dev/null | grep -i '^schemathesis==')" == "$SCHEMATHESIS" ]] && return 0
  python3 -m venv --clear "$1" && "$1/bin/pip" install --quiet --disable-pip-version-check "$SCHEMATHESIS"
}

# fuzz_api VENV_FOLDER: in the checkout that this file belongs to.
fuzz_api() (
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  work=$(mktemp -d)
  platform=
  trap '[[ -n "$platform" ]] && kill "$platform" 2>/dev/null && wait "$platform" 2>/dev/null; rm -rf "$work"' EXIT
  token=fuzz-$RANDOM$RANDOM$RANDOM
  cd "$root" || return 1
  VEREN_TOKEN=$token PORT=0 node --import tsx bin/local.ts start --data "$work/data" \
    >"$work/stdout" 2>"$work/stderr" </dev/null &
  platform=$!
  for ((i = 0; i < 300; i++)); do
    url=$(grep -om1 'http://127\.0\.0\.1:[0-9]*' "$work/stdout" | head -n 1) && [[ -n "$url" ]] && break
    kill -0 "$platform" 2>/dev/null || break
    sleep 0.2
  done
  [[ -n "$url" ]] || { echo 'the platform did not start:' && cat "$work/stderr"; return 1; }
  mkdir "$work/repository"
  echo '<title>fuzz</title>' >"$work/repository/index.html"
  git -C "$work/repository" init -q && git -C "$work/repository" add . &&
    git -C "$work/repository" -c user.name=fuzz -c user.email=fuzz@localhost commit -qm 'A page' || return 1
  code=0
  # The report and its database go to the temporary folder, not into the checkout.
  (cd "$work" && PYTHONPATH="$root/.ci/fuzz" PYTHONDONTWRITEBYTECODE=1 \
    SCHEMATHESIS_HOOKS=hooks FUZZ_REPOSITORY="file://$work/repository" "$1/bin/schemathesis" \
    --config-file "$root/.ci/fuzz/schemathesis.toml" run "$url/openapi.json" \
    -H "Authorization: Bearer $token" --seed "${FUZZ_SEED:-20261127}" --max-examples "${FUZZ_EXAMPLES:-25}" \
    --max-time "${FUZZ_SECONDS:-240}" --workers 1 --generation-database none --no-color) || code=$?
  kill -0 "$platform" 2>/dev/null || { echo 'the platform has ended:' && code=1; }
  # What the API answers with 500 or cannot handle is in its log with a stack.
  if grep -E 'request failed|could not be (made|handled)' "$work/stderr"; then
    tail -n 60 "$work/stderr"
    code=1
  fi
  return "$code"
)

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
  set -euo pipefail
  venv=${FUZZ_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/veren/schemathesis}
  mkdir -p "$(dirname "$venv")"
  fetch_schemathesis "$venv"
  fuzz_api "$venv"
fi
