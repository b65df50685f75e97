#!/usr/bin/env bash
# A Slurm array as it is: the batch script runs unchanged, and its #SBATCH line says which tasks there are.
#
# data/gc-content.sbatch picks a line of data/sequences.txt by SLURM_ARRAY_TASK_ID, which --compat slurm sets.
# For your own: your script with its files; slurm.yaml names an image that has the programs it calls.
# The outputs stay in a temporary folder, the Job and the ConfigMap are deleted at the end.
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
