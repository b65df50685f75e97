//! From kubeconfig, environment and flags to a client, as kubectl does it.
