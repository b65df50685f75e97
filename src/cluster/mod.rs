//! The only user of the Kubernetes client.

pub(crate) mod connect;
