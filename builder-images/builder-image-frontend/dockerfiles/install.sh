#!/bin/sh
# What every frontend builder image needs besides Node, whatever its base. Run by the Dockerfiles, as root:
#   install.sh system       packages and the build user: the same layer for all Node lines on a base
#   install.sh managers …   package managers, <package>@<exact version>; the newest of each line that this image's Node runs
set -eu

install_system() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  # python3, make and g++ are for node-gyp: dependencies without a prebuilt binary compile themselves.
  # git fetches, tini reaps what builds leave behind, util-linux has setpriv and prlimit.
  apt-get install -y --no-install-recommends \
    bash ca-certificates g++ git make procps python3 tar tini util-linux xz-utils
  apt-get clean
  rm -rf /var/lib/apt/lists/*

  # The repository's commands run as this user; its number is VEREN_BUILD_UID.
  groupadd --gid 10001 build
  useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin build
  mkdir -p /work
}

# Offline from the image's first use: <name>@<version>/ each, as shared/package-manager.ts looks for them.
install_managers() {
  for spec in "$@"; do
    name=${spec%@*}
    case $name in @yarnpkg/cli-dist) name=yarn ;; esac
    npm install --global=false --no-audit --no-fund --no-update-notifier --no-package-lock --loglevel=error \
      --prefix "/veren/tools/$name@${spec##*@}" "$spec"
  done
  rm -rf /root/.npm /tmp/*
}

what=$1
shift
"install_$what" "$@"
