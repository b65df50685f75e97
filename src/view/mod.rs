//! Values, style and now into text.

pub(crate) mod describe;
