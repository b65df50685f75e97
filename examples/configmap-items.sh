#!/usr/bin/env bash
# The same five words in a ConfigMap: no init container, no shell, and each item arrives byte for byte.
#
# The script accepts more flags: configmap-items.sh --dry-run=client -o yaml
# Change for your task: the items, the command, and its image. The Job stays: `kubectl indexed delete rev-…` deletes it with
# its ConfigMap.
set -euo pipefail
exec kubectl indexed run -j 3 --items foo,bar,baz,qux,xyz "$@" -- rev
