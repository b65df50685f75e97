#!/usr/bin/env bash
# For a queue of Kueue: a Job that waits, suspended, until its queue admits it; as a manifest to keep in Git.
#
# kueue.yaml is what this prints. `kubectl apply -f kueue.yaml` submits it to a cluster that has Kueue, and
# `kubectl indexed wait render`, `logs` and `results` follow it there.
# For your own: the name of your LocalQueue, and what one index needs. Without --dry-run and -o it is submitted at once.
set -euo pipefail
exec kubectl indexed run render --queue user-queue --cpu 500m --memory 256Mi --range 1-20 --item-store=inline \
  --dry-run=client -o yaml -- \
  sh -c 'echo "rendering frame $(cat /input/data.txt)"'
