#!/usr/bin/env bash
# Entry of the frontend builder: hands its environment over to the script (script.ts), which fetches, installs, builds and
# publishes. The environment is contract/builder-env.ts; the VEREN_* names are the image's:
#   VEREN_NODE     Node that runs the script (never the user's)     VEREN_SCRIPT  the bundle of script.ts
#   VEREN_WORKDIR  folder for fresh work folders                    VEREN_TOOLS   folder with package managers
#   VEREN_BUILD_UID, VEREN_BUILD_GID  user of the repository's commands, where the builder is root
set -u
umask 022
. "$(dirname -- "${BASH_SOURCE[0]}")/../shared/handover.sh" || exit 31
exec_script
