# shellcheck shell=bash disable=SC2154
# Stand-ins for container images that cannot be pulled here, made of Debian packages and npm's package `node`. Sourced by
# kaniko.sh and frontend-images.sh, which set $folder; the one finds there what the other has made.

# debian <name> <suite> <packages>: a root file system, in $folder/<name>.
debian() {
  [ -e "$folder/$1" ] && return
  local half=$folder/$1.half
  rm -rf "$half"
  debootstrap --variant=minbase --include="$3" "$2" "$half" >"$folder/$1.out" || { tail -n 20 "$folder/$1.out" >&2; return 1; }
  rm -rf "$half"/var/cache/apt/archives/*.deb "$half"/var/lib/apt/lists/* "$half"/usr/share/{doc,man,locale}/*
  mv "$half" "$folder/$1"
}

# node <major> [version]: Node and npm where the official images have them, in $folder/node-<major>/usr/local.
node() {
  local target=$folder/node-$1/usr/local npm=10
  [ "$1" -lt 24 ] || npm=11
  [ -x "$target/bin/node" ] && return
  mkdir -p "$target/bin" "$target/lib/node_modules" "$folder/npm-$1"
  npm install --prefix "$folder/npm-$1" --global=false --no-audit --no-fund --loglevel=error --ignore-scripts=false "node@${2:-$1}" "npm@$npm" >/dev/null
  cp "$(readlink -f "$folder/npm-$1/node_modules/node/bin/node")" "$target/bin/node"
  cp -R "$folder/npm-$1/node_modules/npm" "$target/lib/node_modules/npm"
  rm -rf "$folder/npm-$1"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$target/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$target/bin/npx"
}

# start_registry <port> <name>: a registry on loopback with its storage in $folder/<name>, until the script ends.
start_registry() {
  mkdir -p "$folder/$2"
  cat >"$folder/$2.yml" <<CONFIG
version: 0.1
storage: {filesystem: {rootdirectory: $folder/$2}}
http: {addr: "127.0.0.1:$1"}
log: {level: error}
CONFIG
  docker-registry serve "$folder/$2.yml" >"$folder/$2.out" 2>&1 &
  registry=$!
  trap 'kill $registry' EXIT
  for _ in $(seq 50); do curl -fs "http://127.0.0.1:$1/v2/" >/dev/null && return; sleep 0.1; done
  echo 'docker-registry does not start' >&2
  return 1
}

# open_storage: buildah's storage in $folder, for whoever builds images.
open_storage() {
  cat >"$folder/storage.conf" <<CONFIG
[storage]
driver = "overlay"
runroot = "$folder/run"
graphroot = "$folder/storage"
CONFIG
  export CONTAINERS_STORAGE_CONF=$folder/storage.conf BUILDAH_ISOLATION=chroot
}

# stand_in <image> <root file systems, one over the other>: an image in buildah's storage, under its real name. Certificates
# that this machine trusts besides the usual ones, for npm in the images, are part of the stand-ins alone.
stand_in() {
  local name=docker.io/library/$1 container mount root
  buildah inspect --type image "$name" >/dev/null 2>&1 && return
  container=$(buildah from scratch)
  mount=$(buildah mount "$container")
  shift
  for root in "$@"; do cp -a "$root/." "$mount/"; done
  if [[ -n "${NODE_EXTRA_CA_CERTS:-}" && -d "$mount/etc" ]]; then
    cp -L "$NODE_EXTRA_CA_CERTS" "$mount/etc/stand-in-ca.pem"
    buildah config --env NODE_EXTRA_CA_CERTS=/etc/stand-in-ca.pem "$container"
  fi
  buildah commit --quiet --rm "$container" "$name" >/dev/null
}

# dockerfile_arg <Dockerfile> <name>
dockerfile_arg() { sed -n "s/^ARG $2=//p" "$1"; }
