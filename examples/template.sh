#!/usr/bin/env bash
# A template with a secret, a sidecar and a volume, for which there are no flags; `run` adds the items.
#
# The worker writes a page into the volume, and reads it back from a web server, the sidecar of template.yaml.
# Change for your task: any Job, CronJob or PodTemplate as --template. Its first container, or the one named worker, is the
# worker. At the end, the script deletes the Job and the Secret.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete template --ignore-not-found >/dev/null
  kubectl delete secret template --ignore-not-found >/dev/null' EXIT

kubectl create secret generic template --from-literal=greeting=hello >/dev/null
kubectl indexed run template --template "$here/template.yaml" --items ada,grace --keep-order -- \
  sh -c 'echo "$GREETING {}" >/served/page && wget -qO- http://127.0.0.1:8080/page'
