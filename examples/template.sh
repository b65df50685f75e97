#!/usr/bin/env bash
# A template with a secret, a sidecar and a volume: the manifest says what flags don't, and items are laid over it.
#
# The worker writes a page into the volume, and the sidecar of template.yaml, a web server, gives it back.
# For your own: any Job, CronJob or PodTemplate as --template; the worker is its first container, or that named worker.
# The Job and the Secret are deleted at the end.
set -euo pipefail
here=$(dirname "$0")
trap 'kubectl indexed delete template --ignore-not-found >/dev/null
  kubectl delete secret template --ignore-not-found >/dev/null' EXIT

kubectl create secret generic template --from-literal=greeting=hello >/dev/null
kubectl indexed run template --template "$here/template.yaml" --items ada,grace --keep-order -- \
  sh -c 'echo "$GREETING {}" >/served/page && wget -qO- http://127.0.0.1:8080/page'
