#!/usr/bin/env bash
# The files of a volume: the first Job lists them, the second runs a pipeline over each file, and prints the results in order.
#
# The pipeline finds the most frequent word of each text.
# It needs a PersistentVolumeClaim `texts` with text files, such as those of data/texts; files.yaml names it.
# Change for your task: the claim and its folder in files.yaml, the files that `ls` lists, and the pipeline.
# At the end, the script deletes both Jobs.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete files list-files --yes --ignore-not-found >/dev/null' EXIT

kubectl indexed run list-files --template "$here/files.yaml" --completions 1 --quiet -- sh -c 'ls *.txt' |
  kubectl indexed run files --template "$here/files.yaml" --items-file - --quiet -- sh -c '
    tr -cs A-Za-z "\n" <{} | tr A-Z a-z | sort | uniq -c | sort -k 1nr -k 2 | head -n 1 | tr -s " "' >/dev/null
kubectl indexed logs files
