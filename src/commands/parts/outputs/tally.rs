//! How many outputs there are, and which are missing.

use std::collections::BTreeMap;

use super::fetch::{Gathered, Output};
use crate::commands::Context;
use crate::commands::change::name;
use crate::error::{Error, Exit, Hint, Kind};
use crate::index_set::IndexSet;
use crate::state::JobState;
use crate::view::{numbered, plural};

/// How many reasons are named why outputs are missing.
const REASONS: usize = 10;

/// The indexes by what there is of their outputs.
#[derive(Default)]
pub(crate) struct Tally {
    /// How many files were written, and how many were there before.
    pub(crate) written: usize,
    pub(crate) before: usize,
    /// Indexes that have not run to their end.
    pub(crate) unfinished: IndexSet,
    missing: BTreeMap<String, IndexSet>,
    /// Indexes whose output should be JSON and is not.
    pub(crate) no_json: IndexSet,
}

impl Tally {
    pub(crate) fn count(&mut self, gathered: &Gathered) {
        let index = gathered.row.index;
        match &gathered.output {
            Output::Unasked | Output::Here(_) => {}
            Output::File { before: true, .. } => self.before += 1,
            Output::File { before: false, .. } => self.written += 1,
            Output::Unfinished => self.unfinished.insert(index),
            Output::Missing(why) => self.missing.entry(why.clone()).or_default().insert(index),
        }
    }

    /// How many indexes have a file.
    pub(crate) fn files(&self) -> String {
        let files = plural(self.written + self.before, "result", "results");
        match (self.before, self.written) {
            (0, _) => files,
            (_, 0) => format!("{files}, all there before"),
            (before, _) => format!("{files}, {before} there before"),
        }
    }

    pub(crate) fn check(&self, state: &JobState, context: &mut Context) -> Result<Exit, Error> {
        let name = state.job().map(name).unwrap_or_default();
        let over = state.outcome().is_some();
        if over && !self.unfinished.is_empty() {
            context.ui.status(&format!("{} of job {name} did not run to an end", numbered(&self.unfinished)));
        }
        let mut faults: Vec<_> = self
            .missing
            .iter()
            .take(REASONS)
            .map(|(why, set)| format!("no output of {}: {why}", numbered(set)))
            .collect();
        if self.missing.len() > REASONS {
            let rest = self.missing.values().skip(REASONS).fold(IndexSet::new(), |all, set| all.union(set));
            faults.push(format!("no output of {} for other reasons", numbered(&rest)));
        }
        if !self.no_json.is_empty() {
            faults.push(format!("the output of {} is not JSON", numbered(&self.no_json)));
        }
        let mut hints = Vec::new();
        if !self.missing.is_empty() {
            hints.push(Hint::indexed(&["indexes", &name], "shows the status of each index"));
        }
        if !over && !self.unfinished.is_empty() {
            faults.push(format!("{} not ended yet", has(&self.unfinished)));
            hints.push(Hint::from("the same command with -f goes on until the job ends"));
        }
        if faults.is_empty() {
            return Ok(Exit::Success);
        }
        Err(hints.into_iter().fold(Error::new(Kind::Failed, faults.join("; ")), Error::hint))
    }
}

fn has(indexes: &IndexSet) -> String {
    format!("{} {}", numbered(indexes), if indexes.len() == 1 { "has" } else { "have" })
}
