#!/usr/bin/env bash
# A Python worker without its own image: the script is in a ConfigMap, its arguments are in a table.
#
# Each row of data/cities.csv is an index, and its columns are arguments of data/daylight.py.
# Change for your task: the script and the table, and the image in python.yaml if you need more libraries.
# At the end, the script deletes the Job and the ConfigMap.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete daylight --ignore-not-found >/dev/null
  kubectl delete configmap daylight-scripts --ignore-not-found >/dev/null' EXIT

kubectl create configmap daylight-scripts --from-file="$here/data/daylight.py" >/dev/null
kubectl indexed run daylight --template "$here/python.yaml" --items-file "$here/data/cities.csv" --keep-order -- \
  python daylight.py '{city}' '{latitude}'
