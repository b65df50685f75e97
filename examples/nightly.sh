#!/usr/bin/env bash
# A CronJob for GitOps: kubectl alone applies it, each of its Jobs finds the items in itself, and the plugin reads them.
#
# --item-store=inline keeps the list in the Job, so one manifest is all there is; here it becomes the template of a
# CronJob, and is printed to be kept. Its Job is then started by hand, as the schedule would.
# For your own: items, command and schedule. The CronJob is deleted at the end, and its Job with it.
set -euo pipefail
trap 'kubectl delete cronjob nightly --ignore-not-found >/dev/null
  kubectl indexed delete nightly-now --ignore-not-found >/dev/null' EXIT

spec=$(kubectl indexed run nightly --item-store=inline --items users,orders,invoices --retries 2 \
  --dry-run=client -o yaml -- sh -c 'echo "backing up $(cat /input/data.txt)"' |
  kubectl create --dry-run=client -f - -o jsonpath='{.spec}')
manifest='
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
spec:
  schedule: "0 3 * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec: '$spec

echo "$manifest" | kubectl apply -f -
kubectl create job nightly-now --from=cronjob/nightly
kubectl indexed wait nightly-now
kubectl indexed logs nightly-now
