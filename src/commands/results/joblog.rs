//! The log of GNU parallel's `--joblog`, written as a whole at the end.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use k8s_openapi::api::batch::v1::Job;

use super::folder::replace;
use crate::commands::Context;
use crate::manifest::read;
use crate::state::row::IndexRow;
use crate::view::joblog;

/// The lines so far.
pub(super) struct JobLog {
    path: PathBuf,
    command: Vec<String>,
    lines: BTreeMap<u32, String>,
}

impl JobLog {
    pub(super) fn new(path: PathBuf, job: &Job) -> Self {
        Self { path, command: read::command(job), lines: BTreeMap::new() }
    }

    /// Notes an index, if it has ended.
    pub(super) fn note(&mut self, row: &IndexRow, item: Option<&String>, received: u64) {
        if let Some(line) = joblog::line(row, &command(&self.command, item), received) {
            self.lines.insert(row.index, line);
        }
    }

    pub(super) fn write(self, context: &mut Context) -> Result<()> {
        let text: String = std::iter::once(joblog::HEADER).chain(self.lines.values().map(String::as_str)).collect();
        if self.path.as_os_str() == "-" {
            return Ok(context.ui.data(text)?);
        }
        let doing = || format!("writing the job log {}", self.path.display());
        // A pipe or a device stays what it is.
        if fs::metadata(&self.path).is_ok_and(|file| !file.is_file()) {
            return File::options()
                .write(true)
                .open(&self.path)
                .and_then(|mut file| file.write_all(text.as_bytes()))
                .with_context(doing);
        }
        let folder = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        replace(&self.path, folder, text.as_bytes()).with_context(doing)
    }
}

/// The command of an index as a shell would take it: with its item in place of each `{}`, else, as parallel does it,
/// behind all.
fn command(words: &[String], item: Option<&String>) -> String {
    let quote = |word: &str| shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned);
    let Some(item) = item else { return words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ") };
    let named = words.iter().any(|word| word.contains("{}"));
    let mut quoted: Vec<_> = words.iter().map(|word| quote(&word.replace("{}", item))).collect();
    if !named {
        quoted.push(quote(item));
    }
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_is_part_of_the_command() {
        let text = |words: &[&str], item: Option<&str>| {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            command(&words, item.map(str::to_owned).as_ref())
        };
        assert_eq!(text(&["rev"], Some("a b")), "rev 'a b'");
        assert_eq!(text(&["cp", "{}", "{}.bak"], Some("x y")), "cp 'x y' 'x y.bak'");
        assert_eq!(text(&["sh", "-c", "exit $JOB_COMPLETION_INDEX"], None), "sh -c 'exit $JOB_COMPLETION_INDEX'");
    }
}
