# shellcheck shell=bash
# What the suites of the two builders' images need. Sourced by .ci/run. Each takes <folder> <checkout with node_modules>.

# From 1.21 on Go gets the toolchain that a module asks for by itself; Debian 12 has 1.19. The Go module proxy has the
# toolchains as modules, whose programs have lost their x bit. recent_go <folder> [minor version that is needed]
recent_go() {
  local minor module="golang.org/toolchain@v0.0.1-go1.26.8.linux-$(dpkg --print-architecture)" folder=$1
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [[ "${minor:-0}" -ge "${2:-21}" ]] && return 0
  mkdir -p "$folder" && (cd "$folder" && GOMODCACHE=$folder go mod download -json "$module" >/dev/null) || return 1
  chmod -R u+x "$folder/$module/bin" "$folder/$module/pkg/tool" && export PATH=$folder/$module/bin:$PATH GOTOOLCHAIN=local
}

# Kaniko, crane, and the images that they need, made without pulling any. Sets KANIKO_HOME.
prepare_kaniko() {
  [[ -n "${KANIKO_HOME:-}" ]] && return 0
  recent_go "$1/toolchain" && bash "$2/.ci/kaniko.sh" "$1" && export KANIKO_HOME=$1
}

# The frontend builder images, built and unpacked. Sets FRONTEND_IMAGES_HOME.
prepare_frontend_images() {
  [[ -n "${FRONTEND_IMAGES_HOME:-}" ]] && return 0
  bash "$2/.ci/frontend-images.sh" "$1" && export FRONTEND_IMAGES_HOME=$1
}
