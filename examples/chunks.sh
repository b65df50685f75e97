#!/usr/bin/env bash
# A long list in chunks: 9,999 numbers, a thousand for each index, and the sum of the results.
#
# An item may have many lines: here NUL bytes separate the items, and each worker reads its item from /input/data.txt.
# The workers search for primes: there are 1,229 below 10,000, and their sum is 5,736,396.
# Change for your task: a file in place of seq, the number of lines of a chunk, and a command that reads such a file.
# At the end, the script deletes the Job.
set -euo pipefail
trap 'kubectl indexed delete chunks --ignore-not-found >/dev/null' EXIT

seq 2 10000 | awk '{ printf "%s%c", $0, NR % 1000 ? 10 : 0 }' |
  kubectl indexed run chunks --null --items-file - --quiet --keep-order -j 5 -- awk '
    { for (d = 2; d * d <= $1 && $1 % d; d++); }
    d * d > $1 { primes++; sum += $1 }
    END { print primes, "primes, sum", sum }' /input/data.txt

kubectl indexed results chunks | awk '{ n += $1; sum += $4 } END { print "in all", n, "primes, sum", sum }'
