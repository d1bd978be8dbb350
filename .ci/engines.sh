# shellcheck shell=bash disable=SC2034,SC2154
# Engines that suites look for, and how a new Debian machine gets them. Sourced by .ci/run.

# Debian package | program (or python3:MODULE) that proves it | who needs it. Only what is missing is installed; adding one is one row.
ENGINES=(
  'redis-server         | redis-server | test/ports: the ioredis adapters of queue, store, logs and subscriptions'
  'kcat                 | kcat         | test/ports/eventBus: the mock cluster of librdkafka'
  'default-jre-headless | java         | test/ports/eventBus: a Kafka broker (Java 17)'
  'maven                | mvn          | the jars of that broker'
  'python3-venv         | python3:ensurepip | test/engines/emulator: an AWS emulator from PyPI (.ci/emulator.sh)'
  'buildah              | buildah      | test/engines/{frontendImages,kanikoBuildah}: builds images'
  'debootstrap          | debootstrap  | the stand-ins for base images (.ci/stand-ins.sh)'
  'docker-registry      | docker-registry | test/engines/kaniko*: what stands in for ECR and Docker Hub'
  'golang-go            | go           | Kaniko and crane, from their modules'
  'hugo                 | hugo         | test/reports/generators: a site of Hugo'
  'jekyll               | jekyll       | the same: a site of Jekyll, with Ruby and bundler'
  'mkdocs               | mkdocs       | the same: a site of MkDocs'
  'chromium             | chromium     | test/engines/{browser,dashboard}: a page that follows a deployment, the dashboard'
)

# Suites that run with VEREN_REQUIRE_ENGINES=1: in them a skipped suite is a failure.
ENGINE_SUITES=(test/reports/generators.test.ts test/ports test/faults/redis.test.ts test/lambdas/shared/adapters test/local/emulator/feed.test.ts test/engines/{platform,rebuild,browser,dashboard,dashboardPages,soak}.test.ts)

# Variables by which the caller may name engines of their own.
ENGINE_VARIABLES=(REDIS_URL KAFKA_BROKERS KAFKA_HOME VEREN_EMULATOR KANIKO_HOME FRONTEND_IMAGES_HOME)

# Debian has no package of Kafka. Sets KAFKA_HOME where the caller named no broker.
fetch_kafka() {
  [[ -n "${KAFKA_HOME:-}${KAFKA_BROKERS:-}" ]] && return 0
  mvn --quiet --batch-mode --file "$root/lib/constructs/kafka-broker/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$1/libs" -DincludeScope=runtime && export KAFKA_HOME=$1
}
