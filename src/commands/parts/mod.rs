//! The steps that verbs share.
//!
//! The rule of this folder: a file is one step of a verb's story (find a Job, submit it, follow it, print objects). A step
//! takes values and [`Context`], never clap's types of one verb, and never calls a verb. What watches a Job is in
//! `tracker`, not here.

pub(super) mod change;
pub(super) mod find;
pub(super) mod follow;
pub(super) mod inputs;
pub(super) mod launch;
pub(super) mod output;
pub(super) mod outputs;
pub(super) mod resumed;
pub(super) mod settings;
pub(super) mod submit;
mod usage;
pub(super) mod words;

use super::Context;
