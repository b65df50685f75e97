#!/usr/bin/env bash
# The Job of the documentation with a downward-API volume: each Pod finds its index in a file, and no item.
#
# This is the Job of indexed-job-vol.yaml, from flags. The script accepts more flags.
# Change for your task: the number of indexes, and a program that reads its index from a file. The Job stays: before a second
# run, delete it with `kubectl indexed delete indexed-job`.
set -euo pipefail
exec kubectl indexed run --name indexed-job -j 3 --completions 5 --index-file /input/data.txt \
  --image docker.io/library/busybox "$@" -- rev /input/data.txt
