#!/usr/bin/env bash
# Entry of the backend builder: checks the environment, fetches the commit, hands over to the script (script.ts), which
# has a container builder make an image of it and publishes that. Its environment is contract/builder-env.ts; the VEREN_*
# names are the image's, as for the frontend builder (../builder-image-frontend/main.sh), and besides
#   VEREN_KANIKO   the Kaniko executor; without it docker, podman or buildah is looked for on PATH
set -u
umask 022
. "$(dirname -- "${BASH_SOURCE[0]}")/../shared/fetch.sh" || exit 31

check_environment GIT_REPOSITORY__URL GIT_COMMIT PATH VEREN_NODE VEREN_SCRIPT VEREN_WORKDIR VEREN_TOOLS
VEREN_TEMPLATES=${VEREN_TEMPLATES:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/dockerbackend" && pwd)}
export VEREN_TEMPLATES
fetch_and_exec_script
