#!/usr/bin/env bash
# Out of memory: some indexes need more than the others; they alone run again, with four times as much.
#
# Each worker sorts as many numbers as its item says, all in memory, and prints the median. The Job fails by the two
# that Kubernetes kills (OOMKilled), the retry completes, and the results are whole.
# For your own: your command, and as --memory what most of its items need. Both Jobs are deleted at the end.
set -euo pipefail
trap 'kubectl indexed delete median median-r1 --yes --ignore-not-found >/dev/null' EXIT

kubectl indexed run median --items 1000,900000,2000,800000,3000 --memory 16Mi -- sh -c '
  seq {} | awk -v n={} "{ print \$1 * 7919 % n }" | sort -rn -o /tmp/sorted && sed -n "$(({} / 2))p" /tmp/sorted' ||
  echo "run: exit code $?"
kubectl indexed retry median --reason OOMKilled --memory x4
kubectl indexed results median
