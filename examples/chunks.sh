#!/usr/bin/env bash
# A long list in chunks: 9,999 numbers, a thousand to an index, and the sum of what the indexes found.
#
# An item may have many lines: here each is ended by a NUL byte, and reaches its worker as the file /input/data.txt.
# The workers look for primes; there are 1,229 below 10,000, and they add up to 5,736,396.
# For your own: a file of yours in place of seq, how many lines make a chunk, and a command that reads such a file.
# The Job is deleted at the end.
set -euo pipefail
trap 'kubectl indexed delete chunks --ignore-not-found >/dev/null' EXIT

seq 2 10000 | awk '{ printf "%s%c", $0, NR % 1000 ? 10 : 0 }' |
  kubectl indexed run chunks --null --items-file - --quiet --keep-order -j 5 -- awk '
    { for (d = 2; d * d <= $1 && $1 % d; d++); }
    d * d > $1 { primes++; sum += $1 }
    END { print primes, "primes, sum", sum }' /input/data.txt

kubectl indexed results chunks | awk '{ n += $1; sum += $4 } END { print "in all", n, "primes, sum", sum }'
