# shellcheck shell=bash disable=SC2034,SC2154
# Engines that suites look for, and how a new Debian machine gets them. Sourced by .ci/run.

# Debian package | program that proves it | who needs it. Only what is missing is installed; adding one is one row.
ENGINES=(
  'redis-server         | redis-server | test/contracts: the ioredis adapters of queue, store, logs and subscriptions'
  'kcat                 | kcat         | test/contracts/eventBus: the mock cluster of librdkafka'
  'default-jre-headless | java         | test/contracts/eventBus: a Kafka broker (Java 17)'
  'maven                | mvn          | the jars of that broker'
  'chromium             | chromium     | test/engines/browser: a page that follows a deployment'
  'docker-registry      | docker-registry | test/engines/kaniko*: stands in for ECR'
  'debootstrap          | debootstrap  | test/engines/kaniko*: stand-ins for base images'
  'golang-go            | go           | test/engines/kaniko*: builds Kaniko and crane from their modules'
  'buildah              | buildah      | test/engines/kanikoBuildah: a laptop that has it'
)

# Suites that run with VEREN_REQUIRE_ENGINES=1: in them a skipped suite is a failure.
ENGINE_SUITES=(test/contracts test/engines test/faults test/lambdas/shared/adapters)

# Variables by which the caller may name engines of their own.
ENGINE_VARIABLES=(REDIS_URL KAFKA_BROKERS KAFKA_HOME KANIKO_HOME)

# Debian has no package of Kafka. Sets KAFKA_HOME where the caller named no broker.
fetch_kafka() {
  [[ -n "${KAFKA_HOME:-}${KAFKA_BROKERS:-}" ]] && return 0
  mvn --quiet --batch-mode --file "$root/.ci/kafka/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$1/libs" -DincludeScope=runtime && export KAFKA_HOME=$1
}

# From 1.21 on Go gets the toolchain that a module asks for by itself; Debian 12 has 1.19. The Go module proxy has the
# toolchains as modules, whose programs have lost their x bit.
recent_go() {
  local minor module="golang.org/toolchain@v0.0.1-go1.26.8.linux-$(dpkg --print-architecture)" folder=$1
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [[ "${minor:-0}" -ge 21 ]] && return 0
  mkdir -p "$folder" && (cd "$folder" && GOMODCACHE=$folder go mod download -json "$module" >/dev/null) || return 1
  chmod -R u+x "$folder/$module/bin" "$folder/$module/pkg/tool" && export PATH=$folder/$module/bin:$PATH GOTOOLCHAIN=local
}

# Kaniko, crane, and the images that they need here, made without pulling any. Sets KANIKO_HOME.
prepare_kaniko() {
  [[ -n "${KANIKO_HOME:-}" ]] && return 0
  recent_go "$1/toolchain" && bash "$root/.ci/kaniko.sh" "$1" && export KANIKO_HOME=$1
}
