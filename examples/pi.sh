#!/usr/bin/env bash
# Monte Carlo with retries: pi from eight seeds by workers that fail now and then, and the mean of what they give.
#
# Each attempt fails by chance, as on a machine that is taken away; --retries starts such an index anew, after ten
# seconds the first time. The program draws its chance by seed and attempt, so each run of this gives the same.
# For your own: the program behind --, and a range of seeds. The Job is deleted at the end.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete pi --ignore-not-found >/dev/null' EXIT

kubectl indexed run pi --template "$here/pi.yaml" --range 1-8 --retries 5 --quiet --keep-order -- awk -v seed={} '
  BEGIN {
    srand(1000 * seed + ENVIRON["ATTEMPT"])
    if (rand() < 0.2) exit 75
    for (i = 0; i < 100000; i++) { x = rand(); y = rand(); inside += x * x + y * y < 1 }
    print 4 * inside / 100000
  }'

kubectl indexed results pi -o csv --trim | awk -F, '
  NR > 1 { n++; attempts += $4; sum += $NF; squares += $NF * $NF }
  END {
    mean = sum / n
    printf "pi is %.4f, with a standard error of %.4f, from %d seeds in %d attempts\n", \
      mean, sqrt((squares / n - mean * mean) / (n - 1)), n, attempts
  }'
