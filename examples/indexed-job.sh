#!/usr/bin/env bash
# The documentation's Job with an init container: five words, and each Pod prints its own backwards.
#
# This is the Job of indexed-job.yaml, from flags. More flags may follow, as in: indexed-job.sh --dry-run=client -o yaml
# For your own: the items, the command, and the image that has it. The Job stays, to be looked at by `describe`; before
# a second run, `kubectl indexed delete indexed-job` removes it.
set -euo pipefail
exec kubectl indexed run --item-store=inline --name indexed-job -j 3 --items foo,bar,baz,qux,xyz \
  --init-image docker.io/library/bash --image docker.io/library/busybox "$@" -- rev
