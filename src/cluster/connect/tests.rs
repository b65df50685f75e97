//! Each way in which kube differs from kubectl, and what is done about it, on servers on the loopback.

mod choices;
mod fake;
mod plugins;
mod trace;
mod transport;
mod tries;
