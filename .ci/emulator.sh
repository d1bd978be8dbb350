# shellcheck shell=bash
# The AWS emulator of test/engines/emulator.test.ts. Sourced by .ci/run and .ci/test-emulator.

# Newer releases are tried before they are named here: what an emulator does not do is part of docs/decisions/local-emulator.md.
MINISTACK=ministack==1.5.33

# Sets VEREN_EMULATOR: a Python venv in this folder that has the emulator. Nothing to do where it is there already.
fetch_ministack() {
  if [[ -z "${VEREN_EMULATOR:-}" ]]; then
    if [[ "$("$1/bin/pip" freeze 2>/dev/null | grep -i '^ministack==')" != "$MINISTACK" ]]; then
      python3 -m venv --clear "$1" && "$1/bin/pip" install --quiet --disable-pip-version-check "$MINISTACK" || return 1
    fi
    export VEREN_EMULATOR=$1
  fi
}

# The emulator of stage `dev` (.ci/test-aws), a program that is compiled for a quarter of an hour or more.
FAKECLOUD=fakecloud@0.51.0

# fetch_fakecloud <folder>: bin/fakecloud in it, with no time spent on making it fast. Nothing to do where it is there already.
fetch_fakecloud() {
  [[ -x "$1/bin/fakecloud" ]] && return
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 CARGO_PROFILE_RELEASE_DEBUG=0 \
    CARGO_TARGET_DIR="$1/target" nice -n 19 cargo install "$FAKECLOUD" --locked --quiet --root "$1" || return 1
  rm -rf "$1/target"
}
