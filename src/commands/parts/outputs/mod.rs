//! The outputs of indexes: from a log or a folder to the verb that wants them.
//!
//! The law of this folder: it fetches and keeps outputs, and prints none of them. Following (`follow`) hands its lines
//! to [`keep::Keeper`]; nothing here knows of following.

pub(crate) mod cut;
pub(crate) mod fetch;
pub(crate) mod folder;
pub(crate) mod harvest;
pub(crate) mod keep;
pub(crate) mod names;
pub(crate) mod rows;
pub(crate) mod tally;
