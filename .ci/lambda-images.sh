#!/usr/bin/env bash
# Builds the images of the functions that run git with buildah, from the build contexts that synth makes:
#   lambda-images.sh <folder>
# No image is pulled: public.ecr.aws/lambda/nodejs:24 is Debian bookworm with a `dnf` that takes what microdnf takes
# (lambda-dnf.sh). Says what it saw, and ends with 1 where an image lacks something.
#
# Needs root, Debian or Ubuntu with buildah and debootstrap, the project's node_modules. What is in the folder is used again.
set -euo pipefail
if [[ "${1:-}" != --inside ]]; then
  # buildah leaves mounts behind: in a mount namespace of our own they end with us.
  exec unshare --mount bash "${BASH_SOURCE[0]}" --inside "$@"
fi
folder=$(mkdir -p "$2" && cd "$2" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$here/.ci/stand-ins.sh"

readonly BASE=public.ecr.aws/lambda/nodejs:24
mkdir -p "$folder/lambda-storage"
cat >"$folder/lambda-storage.conf" <<CONFIG
[storage]
driver = "overlay"
runroot = "$folder/lambda-run"
graphroot = "$folder/lambda-storage"
CONFIG
export CONTAINERS_STORAGE_CONF=$folder/lambda-storage.conf BUILDAH_ISOLATION=chroot

# Debian's git stands in for the package git-core: out of the way until `dnf install` puts it in place.
lambda_base() {
  local container mount
  debian lambda bookworm ca-certificates,git
  container=$(buildah from scratch)
  mount=$(buildah mount "$container")
  cp -a "$folder/lambda/." "$mount/"
  mkdir -p "$mount/opt/packages" "$mount/var/task"
  mv "$mount/usr/bin/git" "$mount/opt/packages/git"
  rm -f "$mount/usr/bin/python3" # nothing of Debian's is to stand in by accident for what the real base lacks
  install -m 755 "$here/.ci/lambda-dnf.sh" "$mount/usr/bin/dnf"
  buildah config --env LAMBDA_TASK_ROOT=/var/task --env LAMBDA_RUNTIME_DIR=/var/runtime --workingdir /var/task "$container"
  buildah commit --quiet --rm "$container" "$BASE" >/dev/null
}

# build <tag> <build context>
build() { buildah build --quiet --pull-never --tag "localhost/$1" "$2" >/dev/null; }

fail() { echo "$1" >&2; exit 1; }

lambda_base
(cd "$here" && npx tsx .ci/lambdaContexts.ts "$folder/lambda-contexts")

for context in "$folder"/lambda-contexts/*/; do
  name=$(basename "$context")
  build "$name" "$context" || fail "$name: its image cannot be built"
  container=$(buildah from --pull-never "localhost/$name")
  version=$(buildah run "$container" -- git --version) || fail "$name: its image has no git"
  buildah run "$container" -- test -f /var/task/index.mjs || fail "$name: its image has no handler"
  command=$(buildah inspect --type container --format '{{.OCIv1.Config.Cmd}}' "$container")
  [[ "$command" == '[index.handler]' ]] || fail "$name: its command is $command"
  buildah rm "$container" >/dev/null
  echo "$name: built, $version, handler in place"
done

# The guard of the guard: the spelling that real microdnf refuses is refused here too.
wrong=$folder/lambda-wrong
rm -rf "$wrong" && cp -r "$folder/lambda-contexts/clone-worker" "$wrong"
sed -i 's/install_weak_deps=0/install_weak_deps=False/' "$wrong/Dockerfile"
grep -q 'install_weak_deps=False' "$wrong/Dockerfile" || fail 'the Dockerfile no longer has the option that this script checks'
if build wrong "$wrong" 2>"$folder/lambda-wrong.out"; then fail 'the stand-in for microdnf takes what microdnf refuses'; fi
grep -q 'Invalid boolean value' "$folder/lambda-wrong.out" || { cat "$folder/lambda-wrong.out" >&2; fail 'refused for another reason'; }
echo 'microdnf: install_weak_deps=False is refused'
