#!/usr/bin/env bash
# No items: the program finds its work by the index, which Kubernetes sets in every worker.
#
# Change for your task: a program that reads JOB_COMPLETION_INDEX; --index-env sets another variable, too. The script accepts
# more flags. The Job stays: `kubectl indexed delete sh-…` deletes it.
set -euo pipefail
exec kubectl indexed run --completions 5 -j 3 "$@" -- \
  sh -c 'set -- foo bar baz qux xyz; shift "$JOB_COMPLETION_INDEX"; echo "$1" | rev'
