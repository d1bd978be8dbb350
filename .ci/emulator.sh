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
