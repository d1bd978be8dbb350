# shellcheck shell=bash disable=SC2154
# Stand-ins for the images of languages other than JavaScript. Sourced by kaniko.sh after stand-ins.sh: $folder, and a registry
# on loopback at $port that takes them.

# append_image <image> <layer>…: puts an image of these layers into the registry.
append_image() {
  local image=127.0.0.1:$port/library/$1 layers=() layer
  shift
  for layer in "$@"; do layers+=(--new_layer "$layer"); done
  "$folder/bin/crane" append --insecure "${layers[@]}" --new_tag "$image" >/dev/null
  "$folder/bin/crane" mutate --insecure --set-platform "linux/$(dpkg --print-architecture)" --tag "$image" "${settings[@]}" "$image" >/dev/null
}

# Python's and Go's: Debian's own Python, and this machine's Go. What Go is told of module proxies here goes with it.
language_images() {
  local made=$folder/made/languages settings=(--env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin) setting
  [ -e "$made" ] && return
  debian python-full bookworm ca-certificates,openssl,git,python3,python3-venv,python3-dev,gcc,libc6-dev,libpq-dev
  debian python-slim bookworm passwd,python3
  debian bare-bookworm bookworm passwd
  [ -e "$folder/python-full/usr/local/bin/python" ] || for base in full slim; do ln -s /usr/bin/python3 "$folder/python-$base/usr/local/bin/python"; done
  if [ -n "${SSL_CERT_FILE:-}" ]; then
    cp -L "$SSL_CERT_FILE" "$folder/python-full/etc/ssl/certs/stand-in.pem"
    settings+=(--env SSL_CERT_FILE=/etc/ssl/certs/stand-in.pem --env PIP_CERT=/etc/ssl/certs/stand-in.pem)
  fi
  for base in python-full python-slim bare-bookworm; do
    tar -C "$folder/$base" --numeric-owner --one-file-system -I 'gzip -1' -cf "$folder/$base.tar.gz" .
  done
  append_image python:3.11-bookworm "$folder/python-full.tar.gz"
  append_image python:3.11-slim-bookworm "$folder/python-slim.tar.gz"
  append_image debian:bookworm-slim "$folder/bare-bookworm.tar.gz"
  for setting in GOPROXY GOSUMDB GONOSUMDB GOPRIVATE; do
    [ -z "$(go env "$setting")" ] || settings+=(--env "$setting=$(go env "$setting")")
  done
  tar -C "$(dirname "$(go env GOROOT)")" --owner=0 --group=0 --numeric-owner --transform "s,^$(basename "$(go env GOROOT)"),usr/local/go," \
    -I 'gzip -1' -cf "$folder/go.tar.gz" "$(basename "$(go env GOROOT)")"
  append_image golang:1.26-bookworm "$folder/python-full.tar.gz" "$folder/go.tar.gz"
  rm -f "$folder"/{python-full,python-slim,bare-bookworm,go}.tar.gz
  : >"$made"
}
