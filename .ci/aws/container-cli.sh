#!/usr/bin/env bash
# What the emulator calls as `docker`: adds to the containers that it makes what AWS gives them by itself, and what this
# machine needs. Authorities to trust; the engine, for builds of images; a TLS certificate, for Redis; ports of the brokers.
set -euo pipefail
world=$VEREN_AWS
readonly TRUSTED=/etc/ssl/certs/ca-certificates.crt
arguments=("$@")
trust=(-v "$world/trusted.pem:$TRUSTED:ro" -e "NODE_EXTRA_CA_CERTS=$TRUSTED")

# A port that the engine chooses differs for IPv4 and IPv6, and the emulator reads the second where it uses the first. Redis is
# reached from other containers, by the address of the bridge.
for i in "${!arguments[@]}"; do
  case ${arguments[i]} in
    :8080) arguments[i]=127.0.0.1::8080 ;;
    :6379) arguments[i]=0.0.0.0::6379 ;;
  esac
done

# The emulator pulls from itself without TLS, past the place that tells a registry's Basic from a broken signature: by ECR's
# name it goes through the front, as an engine of AWS would go.
readonly registry=123456789012.dkr.ecr.ap-south-1.amazonaws.com/
pull_by_name() {
  local image=$1
  config=$(mktemp -d) # seen by the trap, so no local
  trap 'rm -rf "$config"' EXIT
  sed "s,127\.0\.0\.1:4566,${registry%/},g" "${DOCKER_CONFIG:-$HOME/.docker}/config.json" >"$config/config.json"
  DOCKER_CONFIG=$config /usr/bin/docker pull "$registry${image#*/}" || return 1
  # What is named by a digest can have no other name.
  [[ "$image" == *@* ]] || /usr/bin/docker tag "$registry${image#*/}" "$image"
}

case "${1:-} $*" in
  pull\ *127.0.0.1:4566/*)
    for argument in "$@"; do [[ "$argument" != 127.0.0.1:4566/* ]] || { pull_by_name "$argument"; exit; }; done ;;
  create\ *fakecloud-lambda=veren-*-service-*)
    # A service's image knows nothing of Lambda: what Lambda has around it is mounted, and starts its own command, as a user
    # without rights that can write to /tmp alone.
    image=${arguments[-1]/#127.0.0.1:4566\//$registry}
    command=$(/usr/bin/docker image inspect --format '{{json .Config.Entrypoint}}{{"\n"}}{{json .Config.Cmd}}' "$image")
    extra=(-v "$world/around-service:/lambda:ro" -e "IMAGE_COMMAND=$command" --read-only --user 993:990 --entrypoint /lambda/node)
    arguments=("${arguments[@]:0:$((${#arguments[@]} - 1))}" "$image" /lambda/around.mjs) ;;
  create\ *fakecloud-lambda=*)
    extra=("${trust[@]}") ;;
  create\ *fakecloud-elasticache=*)
    extra=(-p 127.0.0.1:26379:6379 -v "$world/redis.pem:/etc/redis/tls.pem:ro" --label veren-redis=yes) ;;
  create\ *fakecloud-kafka=*)
    extra=(-p 127.0.0.1:29191:9191 -p 127.0.0.1:29192:9192 --label veren-kafka=yes) ;;
  run\ *fakecloud-codebuild=*)
    extra=("${trust[@]}" -v "$world/docker.sock:/var/run/docker.sock" -e "AWS_CA_BUNDLE=$TRUSTED" \
      -e AWS_ACCESS_KEY_ID=test -e AWS_SECRET_ACCESS_KEY=test -e "AWS_REGION=ap-south-1" -e AWS_DEFAULT_REGION=ap-south-1) ;;
  run\ *fakecloud-ecs-task=*)
    # At a path of its own, since Kaniko unpacks base images over the others. What builders trust for MSK are Amazon's own
    # authorities, in a file of their image.
    task=/kaniko/trusted.pem
    extra=(-v "$world/trusted.pem:$task:ro" -e "NODE_EXTRA_CA_CERTS=$task" -e "SSL_CERT_FILE=$task" \
      -v "$world/trusted.pem:/veren/builder-image-frontend/kafka.pem:ro" -v "$world/trusted.pem:/kaniko/veren/kafka.pem:ro") ;;
  exec\ *'@@FCB@@S POST_BUILD'*)
    # CodeBuild tells the last phase whether the ones before have failed; the emulator's script knows, and does not say.
    phase="printf '@@FCB@@S POST_BUILD"
    arguments[-1]=${arguments[-1]/"$phase"/"export CODEBUILD_BUILD_SUCCEEDING=\$((1 - FC_FAILED)); $phase"}
    exec /usr/bin/docker "${arguments[@]}" ;;
  *) exec /usr/bin/docker "${arguments[@]}" ;;
esac
exec /usr/bin/docker "$1" "${extra[@]}" "${arguments[@]:1}"
