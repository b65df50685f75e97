#!/usr/bin/env bash
# The same five words, kept in a ConfigMap: no init container, no shell, and each item arrives byte for byte.
# More flags may follow, as in: configmap-items.sh --dry-run=client -o yaml
set -euo pipefail
exec kubectl indexed run --name configmap-items -j 3 --items foo,bar,baz,qux,xyz "$@" -- rev
