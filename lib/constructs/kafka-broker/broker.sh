#!/usr/bin/env bash
# The one broker of `kafka.kind: broker`: being its own controller, in KRaft mode.
#   broker.sh run     writes the settings, formats an empty data folder, becomes the broker
#   broker.sh align   users, their rights, topics: once the broker answers, after every start, since a lost data folder has none
# Outside of the container only the listener with TLS and SCRAM is reached; the one on loopback is `align`'s.
set -euo pipefail
umask 077

: "${KAFKA_HOST:?name in the certificate, by which clients reach the broker}"
: "${KAFKA_TOPICS:?name:partitions:retention in ms, several separated by spaces}"
: "${KAFKA_RETENTION_BYTES:?bytes of a partition}"
KAFKA_PORT=${KAFKA_PORT:-9094}
KAFKA_LOCAL_PORT=${KAFKA_LOCAL_PORT:-9092}
KAFKA_CONTROLLER_PORT=${KAFKA_CONTROLLER_PORT:-9093}
KAFKA_LIBS=${KAFKA_LIBS:-/opt/kafka/libs}
KAFKA_DATA=${KAFKA_DATA:-/data}
# Holds `broker.pem` (key and certificate), and the passwords of `platform` and `builders`, a file each.
KAFKA_KEYS=${KAFKA_KEYS:-/keys}
KAFKA_HEAP_MIB=${KAFKA_HEAP_MIB:-640}
JAVA=${JAVA:-java}
BUILDER_TOPICS=(build-events build-logs)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
settings=$KAFKA_DATA/server.properties
tool=("$JAVA" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$KAFKA_LIBS/*")
loopback=(--bootstrap-server "127.0.0.1:$KAFKA_LOCAL_PORT")

write_settings() {
  cat >"$settings" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$KAFKA_CONTROLLER_PORT
listeners=CLIENTS://:$KAFKA_PORT,LOOPBACK://127.0.0.1:$KAFKA_LOCAL_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT
advertised.listeners=CLIENTS://$KAFKA_HOST:$KAFKA_PORT,LOOPBACK://127.0.0.1:$KAFKA_LOCAL_PORT
listener.security.protocol.map=CLIENTS:SASL_SSL,LOOPBACK:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=LOOPBACK
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=$KAFKA_KEYS/broker.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
# Without a login one reaches the two listeners on loopback alone.
super.users=User:platform;User:ANONYMOUS
log.dirs=$KAFKA_DATA/log
auto.create.topics.enable=false
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# There is no second copy: what is acknowledged is on the disk, not in the memory of an instance that may go.
log.flush.interval.messages=1
# Topics cannot fill the disk.
log.retention.bytes=$KAFKA_RETENTION_BYTES
log.segment.bytes=33554432
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=8388608
compression.type=producer
EOF
}

run_broker() {
  write_settings
  # The id is fixed: clients that knew the lost data folder go on with the new one.
  [[ -e $KAFKA_DATA/log/meta.properties ]] ||
    "${tool[@]}" kafka.tools.StorageTool format -t dmVyZW4ta2Fma2EtYnJva2Vy -c "$settings"
  exec "$JAVA" "-Xmx${KAFKA_HEAP_MIB}m" "-Xms${KAFKA_HEAP_MIB}m" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
    "-Dlog4j2.configurationFile=$here/log4j2.yaml" -cp "$KAFKA_LIBS/*" kafka.Kafka "$settings"
}

# The password is in a file, since arguments are seen by every process.
set_password() {
  local file
  file=$(mktemp)
  printf 'SCRAM-SHA-512=password=%s\n' "$(<"$KAFKA_KEYS/$1")" >"$file"
  "${tool[@]}" kafka.admin.ConfigCommand "${loopback[@]}" --alter --entity-type users --entity-name "$1" --add-config-file "$file"
  rm -f "$file"
}

# What is aligned is written beside the data, and is gone with them.
align_broker() {
  local topic name partitions retention wanted
  wanted=$(cat "${BASH_SOURCE[0]}" "$KAFKA_KEYS/platform" "$KAFKA_KEYS/builders" - <<<"$KAFKA_TOPICS" | sha256sum)
  [[ "$(cat "$KAFKA_DATA/aligned" 2>/dev/null)" != "$wanted" ]] || return 0
  set_password platform
  set_password builders
  "${tool[@]}" org.apache.kafka.tools.AclCommand "${loopback[@]}" --add --allow-principal User:builders \
    --operation Write --operation Describe "${BUILDER_TOPICS[@]/#/--topic=}"
  for topic in $KAFKA_TOPICS; do
    IFS=: read -r name partitions retention <<<"$topic"
    "${tool[@]}" org.apache.kafka.tools.TopicCommand "${loopback[@]}" --create --if-not-exists --topic "$name" \
      --partitions "$partitions" --replication-factor 1 --config "retention.ms=$retention"
  done
  echo "$wanted" >"$KAFKA_DATA/aligned"
}

case ${1:-} in
  run) run_broker ;;
  align) align_broker ;;
  *) echo "usage: broker.sh run|align" >&2; exit 2 ;;
esac
