#!/bin/sh
# Two brokers, the first also the controller. Listeners INTERNAL, EXTERNAL and CONTAINER are the emulator's (without login);
# IAM is MSK's port 9098, where tokens are asked for. TLS ends before it, at the names b-<n>.….amazonaws.com.
set -eu
external=$(echo "$KAFKA_ADVERTISED_LISTENERS" | tr ',' '\n' | grep -E '^(EXTERNAL|CONTAINER)' | tr '\n' ',')
cluster=MkU3OEVBNTcwNTJENDM2Qg

write_config() { # <node> <roles> <listeners> <advertised>
  cat >"/etc/kafka-$1.properties" <<CONFIG
process.roles=$2
node.id=$1
controller.quorum.voters=1@localhost:9093
controller.listener.names=CONTROLLER
listeners=$3,IAM://:919$1
advertised.listeners=$4,IAM://b-$1.kafka.ap-south-1.amazonaws.com:9098
inter.broker.listener.name=INTERNAL
listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTAINER:PLAINTEXT,IAM:SASL_PLAINTEXT
listener.name.iam.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.iam.oauthbearer.sasl.server.callback.handler.class=IamTokens
listener.name.iam.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
log.dirs=/var/lib/kafka-$1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
CONFIG
}
write_config 1 broker,controller "CONTROLLER://:9093,INTERNAL://:9092,EXTERNAL://:19092,CONTAINER://:29092" \
  "INTERNAL://localhost:9092,${external%,}"
write_config 2 broker INTERNAL://:9094 INTERNAL://localhost:9094

java="java -Xmx384m -Xms96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp /opt/kafka/libs/*:/opt/kafka/classes"
for node in 1 2; do
  [ -e "/var/lib/kafka-$node/meta.properties" ] || $java kafka.tools.StorageTool format --cluster-id "$cluster" --config "/etc/kafka-$node.properties"
done
$java kafka.Kafka /etc/kafka-2.properties &
exec $java kafka.Kafka /etc/kafka-1.properties
