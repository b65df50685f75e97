//! Each way in which kube differs from kubectl, and what is done about it, on servers on the loopback.

mod fake;
mod transport;
