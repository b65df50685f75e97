//! The program as a process: what it prints and how it ends.
