//! Writes the log of GNU parallel's `--joblog`, as a whole at the end.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use k8s_openapi::api::batch::v1::Job;

use crate::commands::outputs::folder::replace_file;
use crate::commands::{Context, quoted};
use crate::manifest::read;
use crate::state::ItemTexts;
use crate::state::row::IndexRow;
use crate::view::joblog;

pub(super) struct JobLog {
    path: PathBuf,
    command: Vec<String>,
    /// The names of the items' columns.
    columns: Vec<String>,
    lines: BTreeMap<u32, String>,
}

impl JobLog {
    pub(super) fn new(path: PathBuf, job: &Job, items: &ItemTexts) -> Self {
        Self { path, command: read::read_command(job), columns: items.columns().to_vec(), lines: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, row: &IndexRow, items: &ItemTexts, received: u64) {
        let command = build_command(&self.command, items.get(&row.index));
        if let Some(line) = joblog::line(row, &command, items, received) {
            self.lines.insert(row.index, line);
        }
    }

    pub(super) fn write(self, context: &mut Context) -> Result<()> {
        let lines: String = self.lines.into_values().collect();
        let text = joblog::header(&self.columns) + &lines;
        if self.path.as_os_str() == "-" {
            return Ok(context.ui.data(text)?);
        }
        write_log(&self.path, text.as_bytes()).with_context(|| format!("writing the job log {}", self.path.display()))
    }
}

/// Replaces the file as a whole. Writes to a link, a pipe or a device without replacing it.
fn write_log(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|file| !file.is_file()) {
        return File::create(path)?.write_all(bytes);
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    replace_file(path, folder, bytes).map(drop)
}

/// Returns the command of an index, quoted for a shell. The item replaces each `{}`; without one it is the last argument,
/// as in GNU parallel.
fn build_command(words: &[String], item: Option<&String>) -> String {
    let mut before = "";
    let mut line = Vec::new();
    for word in words {
        // The word after `sh -c` is a script: the item is a quoted word in it.
        let is_script = before.starts_with('-') && before.ends_with('c') && word != "{}";
        let replaced = item.map(|item| word.replace("{}", &if is_script { quoted(item) } else { item.into() }));
        line.push(quoted(replaced.as_deref().unwrap_or(word)).into_owned());
        before = word;
    }
    if !words.iter().any(|word| word.contains("{}")) {
        line.extend(item.map(|item| quoted(item).into_owned()));
    }
    line.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_is_part_of_the_command() {
        let text = |words: &[&str], item: Option<&str>| {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            build_command(&words, item.map(str::to_owned).as_ref())
        };
        assert_eq!(text(&["rev"], Some("a b")), "rev 'a b'");
        assert_eq!(text(&["cp", "{}", "{}.bak"], Some("x y")), "cp 'x y' 'x y.bak'");
        assert_eq!(text(&["sh", "-c", "test -e {}"], Some("a b")), r#"sh -c "test -e 'a b'""#);
        assert_eq!(text(&["sh", "-c", "exit $JOB_COMPLETION_INDEX"], None), "sh -c 'exit $JOB_COMPLETION_INDEX'");
    }

    #[test]
    fn a_link_is_written_through_and_a_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, new] = ["file", "link", "new"].map(|name| folder.path().join(name));
        fs::write(&file, "before, and longer").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_log(&link, b"through").unwrap();
        assert_eq!((fs::read(&file).unwrap(), fs::read_link(&link).unwrap()), (b"through".to_vec(), file.clone()));
        write_log(&file, b"short").unwrap();
        write_log(&new, b"new").unwrap();
        assert_eq!((fs::read(&file).unwrap(), fs::read(&new).unwrap()), (b"short".to_vec(), b"new".to_vec()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
