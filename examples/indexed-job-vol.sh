#!/usr/bin/env bash
# The Job of indexed-job-vol.yaml, from flags. More flags may follow.
set -euo pipefail
exec kubectl indexed run --name indexed-job -j 3 --completions 5 --index-file /input/data.txt \
  --image docker.io/library/busybox "$@" -- rev /input/data.txt
