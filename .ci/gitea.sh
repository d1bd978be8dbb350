#!/usr/bin/env bash
# Builds a Gitea from its Go module, for test/engines/gitea: gitea.sh <folder> makes <folder>/bin/gitea and <folder>/share.
# The module holds templates and translations, and no compiled web page: API, git over HTTP and webhooks need none.
# The newest version whose modules the Go proxy has. Needs Go 1.26, a C compiler for SQLite, and 10 minutes on two cores.
# Ends with 69 where the module cannot be had.
set -euo pipefail
folder=$1 module=code.gitea.io/gitea version=v1.26.0
[[ "$(cat "$folder/version" 2>/dev/null)" == "$version" && -x "$folder/bin/gitea" ]] && exit 0
rm -rf "$folder" && mkdir -p "$folder/bin" "$folder/share"
# The module's own go.mod has replacements, which `go install` refuses; so it is built where it lies.
source=$(cd "$folder" && go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') ||
  { echo "$module@$version cannot be had" >&2; exit 69; }
(cd "$source" && CGO_ENABLED=1 nice -n 19 go build -mod=readonly -buildvcs=false -tags 'sqlite sqlite_unlock_notify' \
  -ldflags="-s -w -X main.Version=${version#v}" -o "$folder/bin/gitea" .)
for part in templates options public; do cp -R "$source/$part" "$folder/share/$part"; done
chmod -R u+w "$folder/share"
echo "$version" >"$folder/version"
