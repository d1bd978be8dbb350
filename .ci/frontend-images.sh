#!/usr/bin/env bash
# Builds the frontend builder images with buildah, and unpacks them for test/engines/frontendImages.test.ts:
#   frontend-images.sh <folder>
# Then: FRONTEND_IMAGES_HOME=<folder> VEREN_SLOW=1 npx jest test/engines/frontendImages
#
#   storage/                  buildah's, with stand-ins for the base images under their real names: no image is pulled.
#                             ubuntu:focal is Debian bullseye (glibc 2.31 both), ubuntu:noble is Debian bookworm (2.36, older
#                             than noble's 2.39); node:<version>-bookworm-slim holds /usr/local of the npm package `node`
#   images/<major>/           of each image: root/ (its file system), config.json (environment and entrypoint)
#
# Needs root, Debian or Ubuntu with buildah and debootstrap, Node with npm, the project's node_modules. What is there already
# is used again, a changed Dockerfile or bundle is built anew.
set -euo pipefail
if [[ "${1:-}" != --inside ]]; then
  # buildah leaves mounts behind: in a mount namespace of our own they end with us.
  exec unshare --mount bash "${BASH_SOURCE[0]}" --inside "$@"
fi
folder=$(mkdir -p "$2" && cd "$2" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
images=$here/builder-images
majors=${VEREN_TEST_MAJORS:-18 20 22 24}
source "$here/.ci/stand-ins.sh"

open_storage

debian slim bullseye ca-certificates
debian bookworm bookworm ca-certificates
stand_in ubuntu:focal "$folder/slim"
stand_in ubuntu:noble "$folder/bookworm"
(cd "$here" && npx tsx builder-images/bundle.ts)

for major in $majors; do
  dockerfile=$images/builder-image-frontend/dockerfiles/Dockerfile.${major}x.dev
  for wanted in USER_NODE VEREN_NODE; do
    image=$(dockerfile_arg "$dockerfile" "$wanted")
    version=${image#node:}
    node "${version%%.*}" "${version%%-*}"
    stand_in "$image" "$folder/node-${version%%.*}"
  done
  tag=localhost/builder-task-$major
  # The release of Zola comes from a host that not every machine reaches; its checksum is in the image's own script.
  buildah build --quiet --layers --pull-never --build-arg "ZOLA=${VEREN_TEST_ZOLA:-}" --file "$dockerfile" --tag "$tag" "$images" >/dev/null
  target=$folder/images/$major
  id=$(buildah inspect --type image --format '{{.FromImageID}}' "$tag")
  [[ "$(cat "$target/id" 2>/dev/null)" == "$id" ]] && continue
  rm -rf "$target" && mkdir -p "$target/root"
  container=$(buildah from --pull-never "$tag")
  cp -a "$(buildah mount "$container")/." "$target/root/"
  buildah inspect --type image "$tag" |
    command node -e 'console.log(JSON.stringify(JSON.parse(require("node:fs").readFileSync(0)).OCIv1.config))' >"$target/config.json"
  buildah rm "$container" >/dev/null
  echo "$id" >"$target/id"
  echo "Node $major: $(du -sm "$target/root" | cut -f1) MB"
done
echo "Ready: $folder"
