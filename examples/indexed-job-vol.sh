#!/usr/bin/env bash
# The documentation's Job with a downward-API volume: each Pod finds its index in a file, and no item at all.
#
# This is the Job of indexed-job-vol.yaml, from flags. More flags may follow.
# For your own: how many indexes, and a program that reads its index from a file. The Job stays; before a second run,
# `kubectl indexed delete indexed-job` removes it.
set -euo pipefail
exec kubectl indexed run --name indexed-job -j 3 --completions 5 --index-file /input/data.txt \
  --image docker.io/library/busybox "$@" -- rev /input/data.txt
