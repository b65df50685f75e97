#!/usr/bin/env bash
# A command of GNU parallel's manual, with its ::: lists, results folder and job log.
#
# Original: parallel --results shirts --joblog shirts.log echo {1} {2} ::: red green blue ::: S M L XL XXL
# Change for your task: the command of parallel after --, and flags such as -j and -a before --.
# The results and the log stay in a temporary folder. At the end, the script deletes the Job.
set -euo pipefail
out=$(mktemp -d)
trap 'kubectl indexed delete shirts --ignore-not-found >/dev/null' EXIT

kubectl indexed run shirts --results "$out/shirts" --quiet --keep-order --prefix none -- \
  echo '{1}' '{2}' ::: red green blue ::: S M L XL XXL
kubectl indexed results shirts --joblog "$out/shirts.log"
awk -F '\t' 'NR > 1 && $7 == 0 { n++ } END { print n " of " NR - 1 " ended with exit code 0" }' "$out/shirts.log"
ls "$out"
