#!/usr/bin/env bash
# Out of memory: some indexes need more memory than the others; only these run again, with four times as much.
#
# The item is the number of values that a worker sorts in memory; it prints their median. Kubernetes kills two indexes
# (OOMKilled), so the Job fails. The retry completes, and the results are complete.
# Change for your task: the command, and the --memory that most items need. At the end, the script deletes both Jobs.
set -euo pipefail
trap 'kubectl indexed delete median median-r1 --yes --ignore-not-found >/dev/null' EXIT

kubectl indexed run median --items 1000,900000,2000,800000,3000 --memory 16Mi -- sh -c '
  seq {} | awk -v n={} "{ print \$1 * 7919 % n }" | sort -rn -o /tmp/sorted && sed -n "$(({} / 2))p" /tmp/sorted' ||
  echo "run: exit code $?"
kubectl indexed retry median --reason OOMKilled --memory x4
kubectl indexed results median
