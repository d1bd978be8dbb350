#!/usr/bin/env bash
# Prepares what test/engines/kaniko*.test.ts and `npm run bench -- image` need, in a folder: kaniko.sh <folder>
# Then: KANIKO_HOME=<folder> VEREN_SLOW=1 npx jest test/engines/kaniko
#
#   bin/executor, bin/crane   built from their Go modules (build-kaniko.sh); kaniko-version says which Kaniko it is
#   registry/                 storage of a docker-registry with stand-ins for node:<major>-<suite> and -slim, made of
#                             Debian packages and the npm package `node`: no image has to be pulled
#                             Likewise for python:3.11-bookworm, golang:1.26-bookworm and debian:bookworm-slim
#   root/                     file system of the builder's own image (build-image-backend/Dockerfile), likewise
#
# Needs root, Debian or Ubuntu with docker-registry and debootstrap, Go, Node with npm.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
majors=${VEREN_TEST_MAJORS:-18 20 22 24}
source "$here/.ci/stand-ins.sh"
bash "$here/.ci/build-kaniko.sh" "$folder" "$here/builder-images/build-image-backend/Dockerfile"

# suite_of <major>: the Debian release that its template names.
suite_of() { sed -n 's/^FROM node:[0-9]*-\([a-z]*\) AS build$/\1/p' "$here/builder-images/build-image-backend/dockerbackend/Dockerfile_node$1/Dockerfile"; }
# base_of <suite> <slim or full>: the folder of that Debian; frontend-images.sh has the full ones under the same names. Its
# slim ones hold more than the official slim images of Node do, which have neither OpenSSL nor certificates.
base_of() {
  case $1-$2 in
    *-slim) echo "bare-$1" ;;
    bullseye-*) echo "$2" ;;
    *) echo "full-$1" ;;
  esac
}

for suite in $(for major in 20 $majors; do suite_of "$major"; done | sort -u); do
  debian "$(base_of "$suite" slim)" "$suite" passwd
  debian "$(base_of "$suite" full)" "$suite" ca-certificates,git,curl,procps,python3,make,g++,pkg-config
  for flavour in slim full; do
    base=$folder/$(base_of "$suite" "$flavour")
    grep -q '^node:' "$base/etc/passwd" || chroot "$base" useradd --uid 1000 --user-group --create-home --shell /bin/bash node
  done
done

# Below the ports that the system gives to clients.
port=$((10000 + RANDOM % 20000))
start_registry "$port" registry
for major in $majors; do
  node "$major"
  suite=$(suite_of "$major")
  for flavour in slim full; do
    tag=node:$major-$suite$([ "$flavour" = full ] || echo -slim)
    image=127.0.0.1:$port/library/$tag
    made=$folder/made/$tag-of-$(base_of "$suite" "$flavour")
    [ -e "$made" ] && continue
    tar -C "$folder/$(base_of "$suite" "$flavour")" --numeric-owner --one-file-system -czf "$folder/base.tar.gz" .
    tar -C "$folder/node-$major" --owner=0 --group=0 --numeric-owner -czf "$folder/node.tar.gz" .
    "$folder/bin/crane" append --insecure --new_layer "$folder/base.tar.gz" --new_layer "$folder/node.tar.gz" --new_tag "$image" >/dev/null
    "$folder/bin/crane" mutate --insecure --set-platform linux/$(dpkg --print-architecture) --tag "$image" --cmd node \
      --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --env "NODE_VERSION=$major" "$image" >/dev/null
    rm -f "$folder/base.tar.gz" "$folder/node.tar.gz"
    mkdir -p "$folder/made" && : >"$made"
  done
done

source "$here/.ci/language-images.sh"
language_images

# The builder's own image: node:20-bullseye with everything trusted under /kaniko, as its Dockerfile puts it there.
if [ ! -x "$folder/root/kaniko/bin/node" ]; then
  rm -rf "$folder/root"
  cp -a "$folder/full" "$folder/root"
  cp -a "$folder/node-20/usr/local/." "$folder/root/usr/local/"
  mkdir -m 755 -p "$folder/root/kaniko/bin"
  cp "$folder/node-20/usr/local/bin/node" "$folder/root/kaniko/bin/node"
fi
# Of another pin perhaps; never written through, since copies of the folder may share its files.
cp --remove-destination "$folder/bin/executor" "$folder/bin/crane" "$folder/root/kaniko/"
echo "Ready: $folder, with $(cat "$folder/kaniko-version")"
