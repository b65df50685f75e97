//! Counts outputs, and reports which are missing.

use std::collections::BTreeMap;

use super::fetch::{Gathered, IndexOutput};
use crate::commands::Context;
use crate::commands::change::name;
use crate::error::{Error, Exit, Hint, Kind};
use crate::index_set::IndexSet;
use crate::state::JobState;
use crate::view::{numbered, plural};

/// The maximum number of reasons in the error about missing outputs.
const MAX_REASONS: usize = 10;

/// The indexes by the state of their outputs.
#[derive(Default)]
pub(crate) struct Tally {
    /// The number of files that this command wrote.
    pub(crate) written: usize,
    /// The number of files that were there before.
    pub(crate) before: usize,
    pub(crate) unfinished: IndexSet,
    /// By reason.
    missing: BTreeMap<String, IndexSet>,
    /// Indexes that succeeded and whose output is not JSON.
    pub(crate) no_json: IndexSet,
}

impl Tally {
    pub(crate) fn count(&mut self, gathered: &Gathered) {
        let index = gathered.row.index;
        match &gathered.output {
            IndexOutput::NotRequested | IndexOutput::Spooled(_) => {}
            IndexOutput::File { before: true, .. } => self.before += 1,
            IndexOutput::File { before: false, .. } => self.written += 1,
            IndexOutput::Unfinished => self.unfinished.insert(index),
            IndexOutput::Missing(why) => self.missing.entry(why.clone()).or_default().insert(index),
        }
    }

    /// Returns the number of files in words.
    pub(crate) fn files(&self) -> String {
        let files = plural(self.written + self.before, "result", "results");
        match (self.before, self.written) {
            (0, _) => files,
            (_, 0) => format!("{files} (all already there)"),
            (before, _) => format!("{files} ({before} already there)"),
        }
    }

    /// # Errors
    /// The missing outputs, grouped by reason, and the next command.
    pub(crate) fn check(&self, state: &JobState, context: &mut Context) -> Result<Exit, Error> {
        let name = state.job().map(name).unwrap_or_default();
        let over = state.outcome().is_some();
        if over && !self.unfinished.is_empty() {
            context.ui.status(&format!("{} of job {name} did not finish", numbered(&self.unfinished)));
        }
        let mut faults: Vec<_> = self
            .missing
            .iter()
            .take(MAX_REASONS)
            .map(|(why, set)| format!("no output of {}: {why}", numbered(set)))
            .collect();
        if self.missing.len() > MAX_REASONS {
            let rest = self.missing.values().skip(MAX_REASONS).fold(IndexSet::new(), |all, set| all.union(set));
            faults.push(format!("no output of {} for other reasons", numbered(&rest)));
        }
        if !self.no_json.is_empty() {
            faults.push(format!("the output of {} is not JSON", numbered(&self.no_json)));
        }
        let mut hints = Vec::new();
        if !self.missing.is_empty() {
            hints.push(Hint::indexed(&["indexes", name], "shows the status of each index"));
        }
        if !over && !self.unfinished.is_empty() {
            let have = if self.unfinished.len() == 1 { "has" } else { "have" };
            faults.push(format!("{} {have} not ended yet", numbered(&self.unfinished)));
            hints.push(Hint::from("the same command with -f waits until the job ends"));
        }
        if faults.is_empty() {
            return Ok(Exit::Success);
        }
        Err(hints.into_iter().fold(Error::new(Kind::Failed, faults.join("; ")), Error::hint))
    }
}
