#!/usr/bin/env bash
# A parameter sweep: fits a line with every combination of two parameters, writes a table, and prints the best row.
#
# The worker fits the stopping distances of cars (data/stopping.csv) by gradient descent. It prints the mean squared
# error, slope and intercept; if the rate is too high, it finds none.
# Change for your task: the program after --, which prints its measure first, and its parameters as --param.
# It writes sweep.csv into the current folder. At the end, the script deletes the Job.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete sweep --ignore-not-found >/dev/null' EXIT

kubectl indexed run sweep --keep-order --param rate=0.0001,0.001,0.003,0.01 --param momentum=0,0.9 \
  --env "CARS=$(cat "$here/data/stopping.csv")" -- awk -v rate='{rate}' -v momentum='{momentum}' '
    BEGIN {
      n = split(ENVIRON["CARS"], lines, "\n")
      for (i = 2; i <= n; i++) { split(lines[i], row, ","); speed[i] = row[1]; distance[i] = row[2] }
      for (step = 0; step < 2000; step++) {
        error = by_slope = by_intercept = 0
        for (i = 2; i <= n; i++) {
          off = slope * speed[i] + intercept - distance[i]
          error += off * off / (n - 1)
          by_slope += 2 * off * speed[i] / (n - 1)
          by_intercept += 2 * off / (n - 1)
        }
        if (error > 1e9) { print "diverged"; exit }
        slope += move_slope = momentum * move_slope - rate * by_slope
        intercept += move_intercept = momentum * move_intercept - rate * by_intercept
      }
      printf "%.2f %.3f %.3f\n", error, slope, intercept
    }'

kubectl indexed results sweep -o csv --trim >sweep.csv
awk -F, '
  NR > 1 && $NF ~ /^[0-9]/ && (!found || $NF + 0 < least) { found = 1; least = $NF + 0; best = "rate=" $2 " momentum=" $3 ": " $NF }
  END { print "best of " NR - 1 ": " best }' sweep.csv
