#!/usr/bin/env bash
# A search that ends at the first success: each index searches its own range, and the first success stops the others.
#
# The worker searches a divisor of 7800001490000011 among 30 million numbers, and fails, like grep, if there is none.
# The trap is needed because the first process of a container ignores SIGTERM unless it handles it.
# Change for your task: a command that succeeds if it finds something. Without --success-count, all ranges are searched.
# It needs Kubernetes 1.31 or newer. At the end, the script deletes the Job.
set -euo pipefail
trap 'kubectl indexed delete search --ignore-not-found >/dev/null' EXIT

kubectl indexed run search --success-count 1 --range 2-120000000:30000000 -- sh -c '
  trap "exit 1" TERM
  awk -v from={} -v number=7800001490000011 "
    BEGIN {
      for (n = from; n < from + 30000000; n++) if (number % n == 0) { print n, \"*\", number / n; exit }
      exit 1
    }" &
  wait $!'
