#!/usr/bin/env bash
# A CronJob for GitOps: kubectl applies it, each of its Jobs contains the items, and the plugin reads the Jobs.
#
# --item-store=inline stores the list in the Job, so the task is a single manifest. The script makes it the template of a
# CronJob, prints it, and starts one of its Jobs, as the schedule would.
# Change for your task: items, command and schedule. At the end, the script deletes the CronJob and its Job.
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
