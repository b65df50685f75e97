#!/usr/bin/env bash
# The Job of indexed-job.yaml, from flags. More flags may follow, as in: indexed-job.sh --dry-run=client -o yaml
set -euo pipefail
exec kubectl indexed run --item-store=inline --name indexed-job -j 3 --items foo,bar,baz,qux,xyz \
  --init-image docker.io/library/bash --image docker.io/library/busybox "$@" -- rev
