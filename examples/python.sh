#!/usr/bin/env bash
# A Python worker without an image of its own: the script comes from a ConfigMap, its arguments from a table.
#
# Each row of data/cities.csv is an index, and its columns are arguments of data/daylight.py.
# For your own: your script and table; python.yaml names the image, which may have the libraries that you need.
# The Job and the ConfigMap are deleted at the end.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete daylight --ignore-not-found >/dev/null
  kubectl delete configmap daylight-scripts --ignore-not-found >/dev/null' EXIT

kubectl create configmap daylight-scripts --from-file="$here/data/daylight.py" >/dev/null
kubectl indexed run daylight --template "$here/python.yaml" --items-file "$here/data/cities.csv" --keep-order -- \
  python daylight.py '{city}' '{latitude}'
