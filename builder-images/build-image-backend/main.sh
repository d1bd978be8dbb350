#!/usr/bin/env bash
# Entry of the backend builder: hands its environment over to the script (script.ts), which fetches the commit, has a
# container builder make an image of it and publishes that. The environment is contract/builder-env.ts; the VEREN_* names
# are the image's, as for the frontend builder (../builder-image-frontend/main.sh), and besides
#   VEREN_KANIKO   the Kaniko executor; without it docker, podman or buildah is looked for on PATH
set -u
umask 022
. "$(dirname -- "${BASH_SOURCE[0]}")/../shared/handover.sh" || exit 31

VEREN_TEMPLATES=${VEREN_TEMPLATES:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/dockerbackend" && pwd)}
export VEREN_TEMPLATES
exec_script
