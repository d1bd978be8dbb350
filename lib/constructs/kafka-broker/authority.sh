#!/usr/bin/env bash
# authority.sh <folder> <name>: an authority that signs one certificate, for this name, and whose key is then gone.
# Writes authority.pem, which clients trust, and broker.pem, the key and certificate of the broker. Ten years.
set -euo pipefail
umask 077
folder=$1 name=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1"; }
key "$work/authority.key"
key "$work/broker.key"
openssl req -x509 -new -key "$work/authority.key" -sha256 -days 3650 -subj "/CN=Authority of $name" \
  -addext 'keyUsage=critical,keyCertSign' -addext "nameConstraints=critical,permitted;DNS:$name" -out "$folder/authority.pem"
openssl req -new -key "$work/broker.key" -subj "/CN=$name" -out "$work/broker.csr"
printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:%s\n' \
  "$name" >"$work/extensions"
openssl x509 -req -in "$work/broker.csr" -CA "$folder/authority.pem" -CAkey "$work/authority.key" -CAserial "$work/serial" -CAcreateserial \
  -sha256 -days 3650 -extfile "$work/extensions" -out "$work/broker.crt" 2>/dev/null
cat "$work/broker.key" "$work/broker.crt" >"$folder/broker.pem"
