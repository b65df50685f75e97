#!/usr/bin/env bash
# The Job of the documentation with an init container: five words, and each Pod prints its word backwards.
#
# This is the Job of indexed-job.yaml, from flags. The script accepts more flags: indexed-job.sh --dry-run=client -o yaml
# Change for your task: the items, the command, and its image. The Job stays, so `describe` can show it: before a second run,
# delete it with `kubectl indexed delete indexed-job`.
set -euo pipefail
exec kubectl indexed run --item-store=inline --name indexed-job -j 3 --items foo,bar,baz,qux,xyz \
  --init-image docker.io/library/bash --image docker.io/library/busybox "$@" -- rev
