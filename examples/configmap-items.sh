#!/usr/bin/env bash
# The same five words in a ConfigMap: no init container, no shell, and each item arrives byte for byte.
#
# More flags may follow, as in: configmap-items.sh --dry-run=client -o yaml
# For your own: the items, the command, and the image that has it. The Job, rev-…, stays; `kubectl indexed delete`
# removes it by its name, and its ConfigMap with it.
set -euo pipefail
exec kubectl indexed run -j 3 --items foo,bar,baz,qux,xyz "$@" -- rev
