#!/bin/sh
# zola.sh <version> <work folder> <folder of tools>: Zola from its release archive, if its checksum is the one in zola.sha256.
set -eu
zola=$1 work=$2 tools=$3
here=$(cd "$(dirname "$0")" && pwd)
archive=zola-v$zola-$(uname -m)-unknown-linux-gnu.tar.gz
python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(*sys.argv[1:])' \
  "https://github.com/getzola/zola/releases/download/v$zola/$archive" "$work/$archive"
grep "  $archive\$" "$here/zola.sha256" >"$work/sum"
(cd "$work" && sha256sum --check sum)
mkdir -p "$work/zola"
tar --extract --no-same-owner --file "$work/$archive" --directory "$work/zola" zola
"$work/zola/zola" --version
mkdir -p "$tools/zola@$zola/bin"
mv "$work/zola/zola" "$tools/zola@$zola/bin/zola"
