#!/usr/bin/env bash
# A search that ends at the first find: each index looks through a range of its own, and the finder ends the others.
#
# Looked for is a divisor of 7800001490000011. An index that finds none in its 30 million numbers fails, as grep does.
# The trap lets a worker end when it is told to: the first process of a container does not, unless it asks for it.
# For your own: a command that succeeds where it has found something. Without --success-count all ranges are searched.
# It needs Kubernetes 1.31 or newer. The Job is deleted at the end.
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
