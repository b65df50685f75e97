#!/usr/bin/env bash
# The files of a volume: a first Job lists them, a second runs a pipeline over each, and all come in order.
#
# The pipeline finds the most frequent word of each text.
# It needs a PersistentVolumeClaim `texts` with text files in it, such as those of data/texts; files.yaml names it.
# For your own: the claim and its folder in files.yaml, which files `ls` lists, and the pipeline.
# Both Jobs are deleted at the end.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete files list-files --yes --ignore-not-found >/dev/null' EXIT

kubectl indexed run list-files --template "$here/files.yaml" --completions 1 --quiet -- sh -c 'ls *.txt' |
  kubectl indexed run files --template "$here/files.yaml" --items-file - --quiet -- sh -c '
    tr -cs A-Za-z "\n" <{} | tr A-Z a-z | sort | uniq -c | sort -k 1nr -k 2 | head -n 1 | tr -s " "' >/dev/null
kubectl indexed logs files
