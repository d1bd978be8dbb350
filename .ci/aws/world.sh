# shellcheck shell=bash disable=SC2154
# Everything below the deployed app of `npm run test:aws`: a Docker engine, AWS's names on this machine, and the emulator.
# Sourced by .ci/test-aws, which runs in a mount namespace of its own and sets $world, an empty folder.

# Debian's client: newer ones build with a plugin that Debian does not have.
docker() { /usr/bin/docker "$@"; }

readonly BRIDGE=veren-aws0 BRIDGE_ADDRESS=10.199.0.1 REGION=ap-south-1
# Where AWS's names, the public registry and the test's git host lead. Our functions and builders refuse addresses that are
# not public, so it is one: in no use on the internet, and led here only while the bridge exists.
readonly INTERNET=11.45.0.1
readonly EMULATOR_PORT=4566 BRIDGE_PORT=4570
readonly NAMES=(amazonaws.com on.aws cloudfront.net global.api.aws public.ecr.aws git.example.com)

# in_background <name> COMMAND…: its output in $world/<name>.log, its process in $world/<name>.pid.
in_background() {
  local name=$1
  shift
  "$@" >"$world/$name.log" 2>&1 </dev/null &
  echo $! >"$world/$name.pid"
}

# until_true <seconds> COMMAND…
until_true() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || { echo "$* is not true yet" >&2; return 1; }
    sleep 0.5
  done
}

# A certificate authority of this run. $world/trusted.pem is what containers trust: this machine's authorities, and ours.
make_authority() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=stand-in for public authorities' \
    -keyout "$world/ca.key" -out "$world/ca.pem" 2>/dev/null || return 1
  cat "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$world/ca.pem" >"$world/trusted.pem"
}

start_network() {
  local name addresses=() servers
  ip link delete "$BRIDGE" 2>/dev/null || true # of a run that was killed
  # An address of its own: a bridge takes that of a container otherwise, and another when that one goes. The others then lose
  # their way to it for ten seconds.
  ip link add "$BRIDGE" address 02:42:0a:c7:00:01 type bridge && ip address add "$BRIDGE_ADDRESS/24" dev "$BRIDGE" &&
    ip address add "$INTERNET/32" dev "$BRIDGE" && ip link set "$BRIDGE" up || return 1
  # Nobody else is asked about these names, for other types of records either.
  for name in "${NAMES[@]}"; do addresses+=("--address=/$name/$INTERNET" "--local=/$name/"); done
  mapfile -t servers < <(sed -n 's/^nameserver \(.*\)/--server=\1/p' /etc/resolv.conf)
  in_background names dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --bind-interfaces \
    --listen-address="$BRIDGE_ADDRESS" --pid-file --user=root "${servers[@]}" "${addresses[@]}"
  echo "nameserver $BRIDGE_ADDRESS" >"$world/resolv.conf"
  # In this mount namespace alone; the machine keeps its own.
  mount --bind "$world/resolv.conf" "$(readlink -f /etc/resolv.conf)" && until_true 10 getent hosts sts.amazonaws.com
}

# Without the proxy for ports, which accepts connections before the container does: the emulator takes that for readiness.
start_engine() {
  export DOCKER_HOST=unix://$world/docker.sock DOCKER_CONFIG=$world/docker
  mkdir -p "$DOCKER_CONFIG" && echo "{}" >"$DOCKER_CONFIG/config.json"
  SSL_CERT_FILE=$world/trusted.pem in_background engine dockerd --data-root "$engine_data" --exec-root "$world/exec" \
    --pidfile "$world/dockerd.pid" --host "$DOCKER_HOST" --bridge "$BRIDGE" \
    --default-address-pool base=10.198.0.0/16,size=24 --userland-proxy=false
  until_true 60 /usr/bin/docker version
}

# The public registry, with what images.sh has put there. The stand-ins' own storage, since it is the one that has the layers.
start_registry() {
  cat >"$world/registry.yml" <<CONFIG
version: 0.1
storage: {filesystem: {rootdirectory: $registry_data}}
http: {addr: "127.0.0.1:$REGISTRY_PORT"}
log: {level: error}
CONFIG
  in_background registry docker-registry serve "$world/registry.yml"
  until_true 20 curl -fs "http://127.0.0.1:$REGISTRY_PORT/v2/"
}

# Redis ends TLS in its own container, for the name that the emulator gives.
make_redis_certificate() {
  openssl req -newkey rsa:2048 -nodes -subj '/CN=redis' -keyout "$world/redis.key" -out "$world/redis.csr" 2>/dev/null
  openssl x509 -req -in "$world/redis.csr" -CA "$world/ca.pem" -CAkey "$world/ca.key" -CAcreateserial -days 30 \
    -extfile <(echo "subjectAltName=DNS:*.fakecloud.ng.0001.$REGION.cache.amazonaws.com,DNS:host.docker.internal") -out "$world/redis.crt" 2>/dev/null
  cat "$world/redis.crt" "$world/redis.key" >"$world/redis.pem"
  chmod 644 "$world/redis.pem"
}

start_emulator() {
  make_redis_certificate
  in_background front node "$here/.ci/aws/front.mjs" "$world" "$INTERNET" "$EMULATOR_PORT" "$REGISTRY_PORT" "$BRIDGE_PORT"
  # Time for a function that is cold on a busy machine; the CLI adds what containers get from this machine.
  VEREN_AWS=$world FAKECLOUD_CONTAINER_CLI=$here/.ci/aws/container-cli.sh FAKECLOUD_REGION=$REGION \
    TMPDIR=$world/tmp \
    in_background emulator "$fakecloud" --addr "0.0.0.0:$EMULATOR_PORT"
  until_true 60 curl -fs --cacert "$world/trusted.pem" "https://sts.$REGION.amazonaws.com/_fakecloud/health"
  # Log in at the brokers as the account's root.
  PORT=$BRIDGE_PORT AWS_REGION=$REGION AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test NODE_EXTRA_CA_CERTS=$world/trusted.pem \
    PATH=/usr/bin:$PATH in_background bridge node --import "$here/bin/tsx.mjs" "$here/bin/emulator.ts" --stage dev
  until_true 60 grep -q 'Bridge of' "$world/bridge.log"
}

# Ends everything that runs here, the last started first, and what it has left on this machine.
stop_world() {
  local name pid
  for name in bridge emulator front registry; do stop_process "$name"; done
  ! docker version >/dev/null 2>&1 || empty_engine || true
  for name in engine names; do stop_process "$name"; done
  ip link delete "$BRIDGE" 2>/dev/null || true
}
# What the next run can use is in the cache of builds: the images themselves would only grow from run to run.
empty_engine() {
  docker ps -aq | xargs -r /usr/bin/docker rm -f >/dev/null
  docker network prune -f >/dev/null
  docker volume prune -f >/dev/null
  docker images --format '{{.Repository}}:{{.Tag}}' | grep -v '<none>' | grep -E '^(artifact|127\.0\.0\.1:[0-9]+/|[0-9]+\.dkr\.ecr\.)' |
    xargs -r /usr/bin/docker rmi -f >/dev/null
}
stop_process() {
  local pid
  pid=$(cat "$world/$1.pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 60); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.5; done
  kill -9 "$pid" 2>/dev/null || true
}
