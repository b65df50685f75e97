//! What `kubectl describe job` prints, and what it leaves out.
