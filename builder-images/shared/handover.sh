# Functions for the entry points of both builders. Sourced, never run. Works with bash 3.2 (macOS).

# handover: every exported variable as NAME=value NUL, for the script's file descriptor 3.
handover() {
  local name
  while IFS= read -r name; do printf '%s=%s\0' "$name" "${!name-}"; done < <(compgen -e)
}

# misconfigured <reason>: BUILDER_MISCONFIGURED of contract/errors.ts.
misconfigured() {
  printf 'veren: the builder was started with a wrong environment: %s\n' "$1" >&2
  exit 31
}

# exec_script: replaces this shell by the script, which gets its environment through a pipe, so that neither its own
# /proc/<pid>/environ nor that of any process it starts ever holds a secret.
exec_script() {
  [ -x "${VEREN_NODE:-}" ] || misconfigured 'VEREN_NODE cannot be run'
  [ -r "${VEREN_SCRIPT:-}" ] || misconfigured 'VEREN_SCRIPT cannot be read'
  VEREN_STARTED=${EPOCHREALTIME:-$(date +%s)}
  export VEREN_STARTED
  exec 3< <(handover)
  # What Node itself reads at its start, and HOME: without one the SDK asks for root's home folder in /etc/passwd, and after
  # Kaniko has put another system's files in place, glibc cannot load what reads it, and libuv asks again for ever.
  exec /usr/bin/env -i HOME=/dev/null VEREN_HANDOVER=3 \
    ${NODE_EXTRA_CA_CERTS:+"NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS"} \
    ${SSL_CERT_FILE:+"SSL_CERT_FILE=$SSL_CERT_FILE"} ${SSL_CERT_DIR:+"SSL_CERT_DIR=$SSL_CERT_DIR"} \
    "$VEREN_NODE" --no-warnings "$VEREN_SCRIPT"
}
