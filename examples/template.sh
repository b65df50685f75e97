#!/usr/bin/env bash
# A command and items over template.yaml. More flags may follow.
set -euo pipefail
cd "$(dirname "$0")"
exec kubectl indexed run --template template.yaml --items ada,grace "$@" -- \
  sh -c 'echo "$GREETING $(cat /input/data.txt)" | tee /scratch/said'
