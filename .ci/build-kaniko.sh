#!/usr/bin/env bash
# Builds <folder>/bin/executor and bin/crane from the Go modules that a Dockerfile names: build-kaniko.sh <folder> <Dockerfile>
# Which Kaniko it has become stands in <folder>/kaniko-version.
set -euo pipefail
folder=$1 dockerfile=$2
pinned=$(sed -n 's/^ARG KANIKO_VERSION=//p' "$dockerfile")
fork=github.com/osscontainertools/kaniko original=github.com/GoogleContainerTools/kaniko archived=v1.24.0
crane=github.com/google/go-containerregistry/cmd/crane@$(sed -n 's/^ARG CRANE_VERSION=//p' "$dockerfile")
mkdir -p "$folder/bin"

fork_kaniko() { CGO_ENABLED=0 GOBIN=$folder/bin go install -ldflags='-s -w' "$fork/cmd/executor@$pinned" 2>&1 | tee "$folder/fork.out" >&2; }

# The archived original, for a Go module proxy that does not have the fork. Its module is built from a copy, since
# `go install` wants to read the module's list of versions.
archived_kaniko() {
  local source
  rm -rf "$folder/go/src" && mkdir -p "$folder/go" && cd "$folder/go"
  [ -e go.mod ] || go mod init local/download >/dev/null 2>&1
  source=$(go mod download -json "$original@$archived" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  cp -R "$source" "$folder/go/src" && chmod -R u+w "$folder/go/src" && cd "$folder/go/src"
  CGO_ENABLED=0 go build -buildvcs=false -ldflags='-s -w' -o "$folder/bin/executor" ./cmd/executor
}

# Which one it is stands in kaniko-version, and in the last line. What another pin has left is built anew. Only a proxy that
# says that it does not have the fork makes us take the other one: one that cannot be reached is an error.
case $(cat "$folder/kaniko-version" 2>/dev/null) in
  "$fork@$pinned" | "$original@$archived"*"$pinned"*) [ -x "$folder/bin/executor" ] || rm "$folder/kaniko-version" ;;
  *) rm -f "$folder/bin/executor" "$folder/kaniko-version" ;;
esac
if [ ! -e "$folder/kaniko-version" ]; then
  if fork_kaniko; then
    echo "$fork@$pinned" >"$folder/kaniko-version"
  elif grep -qE '40[34] (Forbidden|Not Found)|410 Gone|not available' "$folder/fork.out"; then
    archived_kaniko
    echo "$original@$archived (archived), with --skip-unused-stages as the fork does; this Go module proxy does not have $fork@$pinned" >"$folder/kaniko-version"
  else
    exit 1
  fi
fi
[ -x "$folder/bin/crane" ] || CGO_ENABLED=0 GOBIN=$folder/bin go install -ldflags='-s -w' "$crane"
