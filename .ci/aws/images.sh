# shellcheck shell=bash disable=SC2154
# The images that AWS and its public registry would have, made of Debian packages and npm alone. Sourced by .ci/test-aws after
# world.sh: $stand_ins is a folder that kaniko.sh and frontend-images.sh have prepared, $KAFKA_HOME one with Kafka's jars.

readonly PUBLIC=public.ecr.aws

# import_root <tag> <folder>: a root file system as an image of the engine. Nothing to do where it is there already.
import_root() {
  docker image inspect "$1" >/dev/null 2>&1 || tar -C "$2" --numeric-owner --one-file-system -c . | docker import - "$1" >/dev/null
}

# build_image <tag> <folder> [options of docker build]: with this machine's authorities in the context.
build_image() {
  local tag=$1 context=$2
  shift 2
  cp "$world/machine.pem" "$context/machine.pem"
  DOCKER_BUILDKIT=1 docker build --quiet --tag "$tag" "$@" "$context" >/dev/null
}

# context_of <name>: a fresh build context with the files of .ci/aws/<name>.
context_of() { rm -rf "$world/context-$1" && cp -r "$here/.ci/aws/$1" "$world/context-$1" && echo "$world/context-$1"; }

make_images() {
  local major context
  # The engine keeps layers from run to run; only this machine's own authorities may be in them, ours change with each run.
  cp "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$world/machine.pem"
  import_root veren/bookworm "$stand_ins/bookworm" || return 1

  for major in 22 24; do
    context=$(context_of lambda)
    cp "$here/.ci/lambda-dnf.sh" "$context/dnf"
    cp -r "$stand_ins/node-$major/usr/local" "$context/node"
    build_image "$PUBLIC/lambda/nodejs:$major" "$context" || return 1
  done
  build_image redis:7-alpine "$(context_of redis)" || return 1
  context=$(context_of kafka)
  cp -r "$KAFKA_HOME/libs" "$context/libs"
  build_image apache/kafka:3.8.0 "$context" || return 1
  # What the emulator runs for every image of CodeBuild's own.
  build_image "$PUBLIC/docker/library/ubuntu:22.04" "$(context_of codebuild)"
}

# What Dockerfiles name in FROM is pulled, from the public registry under its real name.
fill_registry() {
  local image name images=$here/builder-images
  local from=127.0.0.1:$REGISTRY_PORT
  for name in node python golang debian; do
    for image in $("$stand_ins/bin/crane" ls --insecure "$from/library/$name"); do
      "$stand_ins/bin/crane" copy --insecure "$from/library/$name:$image" "$from/docker/library/$name:$image" 2>/dev/null || return 1
    done
  done
  for image in $(sed -n 's/^ARG [A-Z_]*=\(\(ubuntu\|node\):.*\)/\1/p' "$images"/builder-image-frontend/dockerfiles/Dockerfile.* "$images/build-image-backend/Dockerfile" | sort -u); do
    [[ "$image" == *bullseye ]] && continue # of kaniko.sh
    CONTAINERS_STORAGE_CONF=$stand_ins/storage.conf buildah push --quiet --tls-verify=false \
      "docker.io/library/$image" "docker://$from/docker/library/$image" || return 1
  done
  tar -C "$stand_ins/bin" --transform 's,^,out/,' --owner=0 --group=0 -czf "$world/executor.tar.gz" executor &&
    "$stand_ins/bin/crane" append --insecure --new_tag "$from/veren/kaniko-executor:prebuilt" \
      --new_layer "$world/executor.tar.gz" >/dev/null 2>&1 &&
    # No image of Rust can be had, so the adapter was compiled by this machine's cargo.
    mkdir -p "$world/adapter/opt/extensions" "$world/adapter/out" &&
    install -m 755 "$adapter" "$world/adapter/opt/extensions/lambda-adapter" &&
    tar -C "$world/adapter" --owner=0 --group=0 -czf "$world/adapter/out/layer.tar.gz" opt &&
    tar -C "$world/adapter" --owner=0 --group=0 -czf "$world/adapter.tar.gz" out &&
    "$stand_ins/bin/crane" append --insecure --new_tag "$from/veren/service-adapter:prebuilt" \
      --new_layer "$world/adapter.tar.gz" >/dev/null 2>&1 &&
    docker tag "$PUBLIC/lambda/nodejs:24" "$from/lambda/nodejs:24" && docker push --quiet "$from/lambda/nodejs:24" >/dev/null
}

# around-service/: what Lambda has around the image of a service, for container-cli.sh.
make_surroundings() {
  local folder=$world/around-service libraries
  mkdir -p "$folder/lib" && cp "$here/.ci/aws/lambda/around.mjs" "$folder/" &&
    cp "$stand_ins/node-22/usr/local/bin/node" "$folder/node" || return 1
  mapfile -t libraries < <(ldd "$adapter" | grep -o '/[^ ]*')
  cp --dereference "${libraries[@]}" "$folder/lib/" && chmod -R a+rX "$folder"
}

# The adapter of services, compiled once.
make_adapter() {
  [[ -x "$adapter" ]] || (cd "$here/builder-images/service-adapter" && CARGO_TARGET_DIR=$stand_ins/service-adapter nice -n 19 cargo build --quiet --release --locked)
}
