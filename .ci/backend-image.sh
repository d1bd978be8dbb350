#!/usr/bin/env bash
# Builds the backend builder's image with buildah, all of its stages but the one that compiles Kaniko, and looks at it:
#   backend-image.sh <folder that kaniko.sh has prepared>
# Go's module proxy does not have the maintained fork for everybody, so EXECUTOR names an image with the executor that
# kaniko.sh has built. No image is pulled: golang:1.26-bookworm is Debian bookworm with this machine's Go, node:20-bullseye
# Debian bullseye with npm's package `node`.
#
# Needs root, Debian or Ubuntu with buildah and debootstrap, Go, Node with npm, the project's node_modules.
set -euo pipefail
if [[ "${1:-}" != --inside ]]; then
  # buildah leaves mounts behind: in a mount namespace of our own they end with us.
  exec unshare --mount bash "${BASH_SOURCE[0]}" --inside "$@"
fi
folder=$(cd "$2" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
images=$here/builder-images
dockerfile=$images/build-image-backend/Dockerfile
source "$here/.ci/stand-ins.sh"
open_storage

fail() { echo "$1" >&2; exit 1; }

# Go as its official image has it. What this machine's Go asks for modules, and whom it trusts, goes with it.
go_image() {
  local name=docker.io/library/$1 container mount setting
  buildah inspect --type image "$name" >/dev/null 2>&1 && return
  container=$(buildah from scratch)
  mount=$(buildah mount "$container")
  cp -a "$folder/bookworm/." "$mount/"
  cp -a "$(go env GOROOT)" "$mount/usr/local/go"
  if [[ -n "${SSL_CERT_FILE:-}" ]]; then
    cp -L "$SSL_CERT_FILE" "$mount/etc/ssl/certs/stand-in.pem"
    buildah config --env SSL_CERT_FILE=/etc/ssl/certs/stand-in.pem "$container"
  fi
  for setting in GOPROXY GOSUMDB GONOSUMDB GOPRIVATE; do
    [[ -z "$(go env "$setting")" ]] || buildah config --env "$setting=$(go env "$setting")" "$container"
  done
  buildah config --env GOTOOLCHAIN=local --env GOFLAGS=-buildvcs=false \
    --env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet --rm "$container" "$name" >/dev/null
}

# The executor where the stage `kaniko` would have left it. Made anew each time: kaniko.sh may have built another one.
executor_image() {
  local container mount
  container=$(buildah from scratch)
  mount=$(buildah mount "$container")
  mkdir "$mount/out" && install -m 755 "$folder/bin/executor" "$mount/out/executor"
  buildah commit --quiet --rm "$container" localhost/kaniko-executor >/dev/null
}

# The adapter's layer where the stage `service-adapter` would have left it: compiled by this machine's cargo, which links it with
# its own libc; without cargo a layer with an empty folder, which is laid over images all the same.
adapter_image() {
  local container mount layer
  container=$(buildah from scratch)
  mount=$(buildah mount "$container")
  layer=$(mktemp -d)
  mkdir -p "$mount/out" "$layer/opt/extensions"
  if command -v cargo >/dev/null; then
    (cd "$images/service-adapter" && CARGO_TARGET_DIR=$folder/service-adapter cargo build --quiet --release --locked)
    install -m 755 "$folder/service-adapter/release/service-adapter" "$layer/opt/extensions/lambda-adapter"
  else
    echo 'No cargo: the adapter of services is left out.' >&2
  fi
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$layer" -cf - opt | gzip -n >"$mount/out/layer.tar.gz"
  rm -rf "$layer"
  buildah commit --quiet --rm "$container" localhost/service-adapter >/dev/null
}

debian bookworm bookworm ca-certificates
debian full bullseye ca-certificates,git,curl,procps,python3,make,g++,pkg-config
node 20
veren_node=$(dockerfile_arg "$dockerfile" VEREN_NODE)
node "$(sed 's/node:\([0-9]*\).*/\1/' <<<"$veren_node")" "$(sed 's/node:\([0-9.]*\).*/\1/' <<<"$veren_node")"
stand_in "$(dockerfile_arg "$dockerfile" BASE)" "$folder/full" "$folder/node-20"
stand_in "$veren_node" "$folder/node-$(sed 's/node:\([0-9]*\).*/\1/' <<<"$veren_node")"
go_image "$(dockerfile_arg "$dockerfile" GO)"
executor_image
adapter_image
(cd "$here" && npx tsx builder-images/bundle.ts)

tag=localhost/backend-build-worker
buildah build --quiet --layers --pull-never --build-arg EXECUTOR=localhost/kaniko-executor --build-arg ADAPTER=localhost/service-adapter --file "$dockerfile" --tag "$tag" "$images" >/dev/null
container=$(buildah from --pull-never "$tag")
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")

# Everything trusted is root's, and nobody else's to write; what anybody may write elsewhere is what Debian has so.
found=$(find "$root/kaniko" ! -type l \( ! -user 0 -o ! -group 0 -o -perm /022 \))
[[ -z "$found" ]] || fail "not root's alone: $found"
found=$(find "$root" -xdev ! -type l -perm /002 ! -path "$root/tmp" ! -path "$root/var/tmp" ! -path "$root/run/lock" ! -path "$root/dev/*" ! -path "$root/proc/*")
[[ -z "$found" ]] || fail "anybody may write: $found"
for program in tini executor crane node/bin/node veren/build-image-backend/main.sh veren/build-image-backend/dist/script.mjs; do
  [[ -f "$root/kaniko/$program" ]] || fail "/kaniko/$program is missing"
done
buildah run "$container" -- /kaniko/crane version >/dev/null || fail 'crane does not run'
buildah run "$container" -- /kaniko/executor version >/dev/null || fail 'the executor does not run'

# The entry point as ECS starts it, without a job: it comes as far as its script, which says what is missing.
entry=$(buildah inspect --type container "$container" |
  command node -p 'JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).OCIv1.config.Entrypoint)')
[[ "$entry" == '["/kaniko/tini","--","/kaniko/veren/build-image-backend/main.sh"]' ]] || fail "its entry point is $entry"
code=0
said=$(buildah run "$container" -- /kaniko/tini -- /kaniko/veren/build-image-backend/main.sh 2>&1) || code=$?
[[ "$code" -eq 31 && "$said" == *'"code":"BUILDER_MISCONFIGURED"'* ]] || fail "the entry point ended with $code and said: $said"
echo "backend builder: built, $(du -sm "$root" | cut -f1) MB, entry point starts, with $(cat "$folder/kaniko-version" 2>/dev/null || echo 'the executor that was there')"
