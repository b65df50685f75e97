//! Fetches the outputs of indexes, and keeps them in a folder.
//!
//! Nothing here prints an output or follows a Job: `follow` passes its lines to [`keep::Keeper`].

pub(crate) mod cut;
pub(crate) mod fetch;
pub(crate) mod folder;
pub(crate) mod harvest;
pub(crate) mod keep;
pub(crate) mod names;
pub(crate) mod rows;
pub(crate) mod tally;
