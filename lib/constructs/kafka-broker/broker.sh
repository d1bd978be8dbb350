#!/usr/bin/env bash
# The one broker of `kafka.kind: broker`: being its own controller, in KRaft mode.
# Formats an empty data folder. Where users, rights or topics are not there yet or have changed, it makes them first, while
# clients cannot connect: one that met a broker without its topic or its login would give up. Then it becomes the broker.
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

# write_settings <listeners> <advertised listeners>, beside the one on loopback
write_settings() {
  cat >"$settings" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$KAFKA_CONTROLLER_PORT
listeners=${1}LOOPBACK://127.0.0.1:$KAFKA_LOCAL_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT
advertised.listeners=${2}LOOPBACK://127.0.0.1:$KAFKA_LOCAL_PORT
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

broker=("$JAVA" "-Xmx${KAFKA_HEAP_MIB}m" "-Xms${KAFKA_HEAP_MIB}m" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError
  "-Dlog4j2.configurationFile=$here/log4j2.yaml" -cp "$KAFKA_LIBS/*" kafka.Kafka "$settings")

# The password is in a file, since arguments are seen by every process.
set_password() {
  local file
  file=$(mktemp)
  printf 'SCRAM-SHA-512=password=%s\n' "$(<"$KAFKA_KEYS/$1")" >"$file"
  "${tool[@]}" kafka.admin.ConfigCommand "${loopback[@]}" --alter --entity-type users --entity-name "$1" --add-config-file "$file"
  rm -f "$file"
}

align_broker() {
  local topic name partitions retention
  set_password platform
  set_password builders
  "${tool[@]}" org.apache.kafka.tools.AclCommand "${loopback[@]}" --add --allow-principal User:builders \
    --operation Write --operation Describe "${BUILDER_TOPICS[@]/#/--topic=}"
  for topic in $KAFKA_TOPICS; do
    IFS=: read -r name partitions retention <<<"$topic"
    "${tool[@]}" org.apache.kafka.tools.TopicCommand "${loopback[@]}" --create --if-not-exists --topic "$name" \
      --partitions "$partitions" --replication-factor 1 --config "retention.ms=$retention"
  done
}

# Starts a broker that nobody else reaches, aligns it, and ends it.
align_unseen() {
  local pid
  write_settings '' ''
  "${broker[@]}" &
  pid=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$KAFKA_LOCAL_PORT") 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.2
  done
  align_broker
  kill "$pid"
  # A broker that was asked to end has the code 143.
  wait "$pid" || true
}

write_settings '' ''
# The id is fixed: clients that knew the lost data folder go on with the new one.
[[ -e $KAFKA_DATA/log/meta.properties ]] ||
  "${tool[@]}" kafka.tools.StorageTool format -t dmVyZW4ta2Fma2EtYnJva2Vy -c "$settings"
# What is aligned is written beside the data, and is gone with them.
aligned=$(cat "${BASH_SOURCE[0]}" "$KAFKA_KEYS/platform" "$KAFKA_KEYS/builders" - <<<"$KAFKA_TOPICS" | sha256sum)
if [[ "$(cat "$KAFKA_DATA/aligned" 2>/dev/null)" != "$aligned" ]]; then
  align_unseen
  echo "$aligned" >"$KAFKA_DATA/aligned"
fi
write_settings "CLIENTS://:$KAFKA_PORT," "CLIENTS://$KAFKA_HOST:$KAFKA_PORT,"
exec "${broker[@]}"
