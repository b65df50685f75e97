//! The outputs of indexes: from a log or a folder to the verb that wants them.
//!
//! The law of this folder: it fetches and keeps outputs, and prints none of them. Following (`follow`) hands its lines
//! to [`keep::Keeper`]; nothing here knows of following.

pub(in crate::commands) mod cut;
pub(in crate::commands) mod fetch;
pub(in crate::commands) mod folder;
pub(in crate::commands) mod harvest;
pub(in crate::commands) mod keep;
pub(in crate::commands) mod names;
pub(in crate::commands) mod rows;
pub(in crate::commands) mod tally;
