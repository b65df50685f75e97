#!/usr/bin/env bash
# Monte Carlo with retries: pi from eight seeds, with workers that sometimes fail, and the mean of their results.
#
# An attempt fails by chance, as on a machine that is taken away. --retries runs the index again, the first time after ten
# seconds. Seed and attempt decide about the failure, so each run of the script has the same result.
# Change for your task: the program after --, and the range of seeds. At the end, the script deletes the Job.
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
