#!/usr/bin/env bash
# A Job for a queue of Kueue, as a manifest for Git: the Job stays suspended until its queue admits it.
#
# The script prints kueue.yaml. `kubectl apply -f kueue.yaml` submits it to a cluster with Kueue, and
# `kubectl indexed wait render`, `logs` and `results` follow it there.
# Change for your task: the name of your LocalQueue, and the resources of an index. Without --dry-run and -o, the command
# submits the Job at once.
set -euo pipefail
exec kubectl indexed run render --queue user-queue --cpu 500m --memory 256Mi --range 1-20 --item-store=inline \
  --dry-run=client -o yaml -- \
  sh -c 'echo "rendering frame $(cat /input/data.txt)"'
