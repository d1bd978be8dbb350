#!/usr/bin/env bash
# The instance's side of the broker. /etc/veren-kafka says which broker (kafka-broker.ts); the unit veren-kafka calls this.
#   host.sh install   the units, and a first start; the exit code is what CloudFormation hears. Failed: replaced
#   host.sh prepare   disk, name, keys, image: before every start, and each step does nothing where it was done
#   host.sh run       the broker
#   host.sh await     until it answers
#   host.sh watch     each half minute: an instance whose broker does not answer is replaced
set -euo pipefail
umask 077
set -a
# shellcheck source=/dev/null
. "${VEREN_KAFKA_SETTINGS:-/etc/veren-kafka}"
set +a
: "${AWS_DEFAULT_REGION:?}" "${KAFKA_IMAGE:?}" "${KAFKA_VOLUME:?}" "${KAFKA_ZONE:?}" "${KAFKA_HOST:?}" "${KAFKA_LOG_GROUP:?}"
: "${KAFKA_KEY_PARAMETER:?}" "${KAFKA_AUTHORITY_SECRET:?}" "${KAFKA_PLATFORM_SECRET:?}" "${KAFKA_BUILDERS_SECRET:?}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here data=${VEREN_KAFKA_DATA:-/var/lib/veren-kafka} state=${VEREN_KAFKA_STATE:-/run/veren-kafka}
readonly devices=${VEREN_KAFKA_DEVICES:-/dev/disk/by-id} units=${VEREN_KAFKA_UNITS:-/etc/systemd/system}
readonly keys=$state/keys USER_ID=10001
# A broker that reads its log again after a crash may need minutes.
readonly START_SECONDS=600
# Of half a minute each; more before the first answer, which comes after all of `install`.
readonly FAILURES=20 FIRST_FAILURES=60

metadata() {
  local token
  token=$(curl -fsS -X PUT http://169.254.169.254/latest/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60')
  curl -fsS -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}

# again <seconds> <command…>: until it succeeds.
again() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < until)) || return 1
    sleep 5
  done
}

attach_disk() {
  local device=$devices/nvme-Amazon_Elastic_Block_Store_${KAFKA_VOLUME/-/}
  mountpoint -q "$data" && return 0
  # The instance before this one may still have it.
  [[ -e $device ]] || again 600 aws ec2 attach-volume --volume-id "$KAFKA_VOLUME" --device /dev/sdf \
    --instance-id "$(metadata instance-id)" >/dev/null
  again 120 test -e "$device"
  # A new disk reads as zeros. One that cannot be read, or holds anything, is never formatted.
  local content
  content=$(head -c 1048576 "$device" | tr -d '\0' | wc -c)
  [[ $content -ne 0 ]] || mkfs.xfs -q "$device"
  mkdir -p "$data"
  mount -o noatime,nodev,nosuid,noexec "$device" "$data"
  xfs_growfs "$data" >/dev/null
  chown "$USER_ID:$USER_ID" "$data"
}

name_host() {
  aws route53 change-resource-record-sets --hosted-zone-id "$KAFKA_ZONE" --change-batch \
    "{\"Changes\":[{\"Action\":\"UPSERT\",\"ResourceRecordSet\":{\"Name\":\"$KAFKA_HOST\",\"Type\":\"A\",\"TTL\":10,\"ResourceRecords\":[{\"Value\":\"$(metadata local-ipv4)\"}]}}]}" >/dev/null
}

# The parameter holds authority, key and certificate in one text. It is made once, so that a new instance, and one with a new
# disk, is the broker that clients trust.
fetch_keys() {
  local text error
  mkdir -p "$keys"
  if ! text=$(aws ssm get-parameter --name "$KAFKA_KEY_PARAMETER" --with-decryption --query Parameter.Value --output text 2>"$state/error"); then
    error=$(<"$state/error")
    [[ $error == *ParameterNotFound* ]] || { echo "$error" >&2; return 1; }
    bash "$here/authority.sh" "$keys" "$KAFKA_HOST"
    text=$(cat "$keys/authority.pem" "$keys/broker.pem")
    aws ssm put-parameter --name "$KAFKA_KEY_PARAMETER" --type SecureString --value "$text" >/dev/null
  fi
  # The first certificate is the authority's.
  sed '/-----END CERTIFICATE-----/q' <<<"$text" >"$keys/authority.pem"
  sed '1,/-----END CERTIFICATE-----/d' <<<"$text" >"$keys/broker.pem"
  publish_authority
  save_password "$KAFKA_PLATFORM_SECRET" platform
  save_password "$KAFKA_BUILDERS_SECRET" builders
  chown -R "$USER_ID:$USER_ID" "$keys"
}

secret() { aws secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text; }

# Where Lambda and our functions read it: {"certificate": "…"}.
publish_authority() {
  local wanted
  wanted=$(python3 -c 'import json, sys; print(json.dumps({"certificate": open(sys.argv[1]).read()}))' "$keys/authority.pem")
  [[ "$(secret "$KAFKA_AUTHORITY_SECRET")" == "$wanted" ]] ||
    aws secretsmanager put-secret-value --secret-id "$KAFKA_AUTHORITY_SECRET" --secret-string "$wanted" >/dev/null
}

save_password() {
  secret "$1" | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["password"])' >"$keys/$2"
}

fetch_image() {
  docker image inspect "$KAFKA_IMAGE" >/dev/null 2>&1 && return 0
  aws ecr get-login-password | docker login --username AWS --password-stdin "${KAFKA_IMAGE%%/*}" >/dev/null
  docker pull --quiet "$KAFKA_IMAGE"
}

prepare() {
  mkdir -p "$state"
  attach_disk
  name_host
  fetch_keys
  fetch_image
  docker rm --force kafka >/dev/null 2>&1 || true
}

# Not the host's network: the broker has no way to the instance's credentials.
run() {
  exec docker run --rm --name kafka --publish 9094:9094 --read-only --tmpfs /tmp:exec --cap-drop ALL \
    --security-opt no-new-privileges --mount "type=bind,source=$data,target=/data" \
    --mount "type=bind,source=$keys,target=/keys,readonly" \
    --env KAFKA_HOST --env KAFKA_TOPICS --env KAFKA_RETENTION_BYTES --env KAFKA_HEAP_MIB \
    --log-driver awslogs --log-opt "awslogs-group=$KAFKA_LOG_GROUP" --log-opt "awslogs-region=$AWS_DEFAULT_REGION" \
    "$KAFKA_IMAGE"
}

answers() {
  timeout 10 openssl s_client -connect 127.0.0.1:9094 -servername "$KAFKA_HOST" -verify_hostname "$KAFKA_HOST" \
    -CAfile "$keys/authority.pem" -verify_return_error </dev/null >/dev/null 2>&1
}

await() { again "$START_SECONDS" answers; }

replace_itself() {
  aws autoscaling set-instance-health --instance-id "$(metadata instance-id)" --health-status Unhealthy
}

watch() {
  mkdir -p "$state"
  if answers; then
    touch "$state/answered"
    rm -f "$state/failures"
    return 0
  fi
  echo x >>"$state/failures"
  local limit=$FIRST_FAILURES
  [[ ! -e $state/answered ]] || limit=$FAILURES
  (($(wc -l <"$state/failures") < limit)) || replace_itself
}

install() {
  trap 'code=$?; ((code == 0)) || replace_itself || true; exit $code' EXIT
  cat >"$units/veren-kafka.service" <<EOF
[Unit]
After=docker.service network-online.target
Wants=network-online.target
Requires=docker.service
StartLimitIntervalSec=0
[Service]
ExecStartPre=/bin/bash $here/host.sh prepare
ExecStart=/bin/bash $here/host.sh run
ExecStartPost=/bin/bash $here/host.sh await
TimeoutStartSec=1500
TimeoutStopSec=60
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
EOF
  cat >"$units/veren-kafka-watch.service" <<EOF
[Service]
Type=oneshot
ExecStart=/bin/bash $here/host.sh watch
EOF
  cat >"$units/veren-kafka-watch.timer" <<EOF
[Timer]
OnUnitInactiveSec=30
OnActiveSec=30
[Install]
WantedBy=timers.target
EOF
  systemctl daemon-reload
  # Before all that may fail or hang.
  systemctl enable --now veren-kafka-watch.timer
  again 300 dnf install --quiet --assumeyes docker
  systemctl enable --now docker
  # Waits for ExecStartPost: the deployment goes on when the topics are there.
  systemctl enable --now veren-kafka.service
}

case ${1:-} in
  install | prepare | run | await | watch) "$1" ;;
  *) echo "usage: host.sh install|prepare|run|await|watch" >&2; exit 2 ;;
esac
