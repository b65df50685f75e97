#!/usr/bin/env bash
# An unchanged Slurm array: its #SBATCH line has the numbers of the tasks.
#
# data/gc-content.sbatch reads the line SLURM_ARRAY_TASK_ID of data/sequences.txt; --compat slurm sets the variable.
# Change for your task: the script and its files, and an image in slurm.yaml that has the programs of the script.
# The outputs stay in a temporary folder. At the end, the script deletes the Job and the ConfigMap.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete gc-content --ignore-not-found >/dev/null
  kubectl delete configmap gc-content --ignore-not-found >/dev/null' EXIT

script=$here/data/gc-content.sbatch
array=$(sed -n 's/^#SBATCH --array=//p' "$script")

kubectl create configmap gc-content --from-file="$script" --from-file="$here/data/sequences.txt" >/dev/null
kubectl indexed run gc-content --template "$here/slurm.yaml" --compat slurm --array "$array" --keep-order -- \
  bash gc-content.sbatch
kubectl indexed results gc-content --to "$(mktemp -d)"
