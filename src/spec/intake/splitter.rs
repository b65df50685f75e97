//! Cuts bytes at a separator, wherever the chunks they come in are cut.

use super::{Collector, Error, Flow, MAX_ITEM_BYTES, Place};

#[derive(Debug)]
pub(super) struct Splitter {
    separator: u8,
    /// What came behind the last separator.
    rest: Vec<u8>,
    /// How many separators came.
    ended: u64,
}

impl Splitter {
    pub(super) fn new(separator: u8) -> Self {
        Self { separator, rest: Vec::new(), ended: 0 }
    }

    /// What came behind the last separator: not yet a piece, as its separator may still come.
    pub(super) fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// Where the next piece stands.
    pub(super) fn place<'a>(&self, origin: &'a str, collector: &Collector) -> Place<'a> {
        let line = (self.separator == b'\n').then_some(self.ended + 1);
        Place { origin, item: collector.pushed(), line }
    }

    /// Gives `take` each piece that a separator ends, until there is enough.
    pub(super) fn feed(
        &mut self,
        mut chunk: &[u8],
        origin: &str,
        collector: &mut Collector,
        mut take: impl FnMut(&Place, &[u8], &mut Collector) -> Result<Flow, Error>,
    ) -> Result<Flow, Error> {
        loop {
            let end = chunk.iter().position(|&byte| byte == self.separator);
            let piece = &chunk[..end.unwrap_or(chunk.len())];
            let place = self.place(origin, collector);
            // One more, as the carriage return of a line end is none of the item.
            if self.rest.len() + piece.len() > MAX_ITEM_BYTES + 1 {
                return Err(place.too_large());
            }
            let Some(end) = end else {
                self.rest.extend_from_slice(piece);
                return Ok(Flow::More);
            };
            let flow = if self.rest.is_empty() {
                take(&place, piece, collector)?
            } else {
                self.rest.extend_from_slice(piece);
                let flow = take(&place, &self.rest, collector)?;
                self.rest.clear();
                flow
            };
            self.ended += 1;
            if flow == Flow::Enough {
                return Ok(Flow::Enough);
            }
            chunk = &chunk[end + 1..];
        }
    }
}
