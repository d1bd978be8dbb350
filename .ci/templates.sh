#!/usr/bin/env bash
# cfn-lint and checkov on the templates of every stage:
#   templates.sh <folder>
# The two come from PyPI, pinned, into a virtual environment in the folder, which is used again. What checkov finds is answered
# in template-findings.json, each with its reason. Needs python3 with venv, and node_modules.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly CFN_LINT=1.58.0 CHECKOV=3.3.30

venv=${CFN_VENV:-$folder/venv}
if [[ "$("$venv/bin/pip" list 2>/dev/null | grep -cE "^(cfn-lint +$CFN_LINT|checkov +$CHECKOV)$")" -ne 2 ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "cfn-lint==$CFN_LINT" "checkov==$CHECKOV"
fi

# synth <stage> <folder>. `dev-without-nat` is stage dev with network.natGateways 0, given to the app as the CDK CLI gives context.
synth() {
  if [[ $1 == dev-without-nat ]]; then
    local context='const { context: c } = require("./cdk.json"); c.stage = "dev"; c.stages.dev.network.natGateways = 0; JSON.stringify(c)'
    CDK_CONTEXT_JSON=$(node -p "$context") CDK_OUTDIR=$2 npx tsx bin/veren.ts
  else
    npx cdk synth --quiet -c "stage=$1" --output "$2"
  fi
}

failed=0
reports=()
for stage in starter dev dev-without-nat prod local; do
  out=$folder/$stage
  rm -rf "$out" && mkdir -p "$out"
  (cd "$here" && synth "$stage" "$out" >"$folder/$stage.synth" 2>&1) ||
    { cat "$folder/$stage.synth" >&2; exit 1; }
  # W3005: CDK writes dependencies that references imply too. Nothing else is left out.
  if "$venv/bin/cfn-lint" --regions ap-south-1 --ignore-checks W3005 --template "$out"/*.template.json; then
    echo "cfn-lint $CFN_LINT, stage $stage: clean"
  else
    failed=1
  fi
  mkdir -p "$out/templates" && cp "$out"/*.template.json "$out/templates/"
  # Ends with 1 where it finds something at all; what that means is said below.
  "$venv/bin/checkov" --directory "$out/templates" --framework cloudformation --skip-download --quiet --compact \
    --output json >"$folder/$stage.checkov.json" 2>"$folder/$stage.checkov.err" || true
  reports+=("$stage=$folder/$stage.checkov.json")
done
node "$here/.ci/template-findings.mjs" "${reports[@]}" || failed=1
exit "$failed"
