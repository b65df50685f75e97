//! Prints lines of logs: filtered, with prefixes, to stdout or to files.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use regex::bytes::RegexSet;

use crate::args::{LogFormat, PrefixChoice};
use crate::cluster::logs::{LogBatch, LogSource};
use crate::error::Error;
use crate::ui::Ui;
use crate::view::line::{self, LineOrigin, LinePrefix, LogEntry};
use crate::view::summary::ItemTexts;
use crate::view::{Painted, Printable, Style};

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct LogForm {
    pub(crate) prefix: PrefixChoice,
    pub(crate) one_index: bool,
    /// Whether lines of several containers of an index are printed.
    pub(crate) several_containers: bool,
    /// The container whose name is left out of the prefix.
    pub(crate) container: Option<String>,
    pub(crate) timestamps: bool,
    pub(crate) raw: bool,
    pub(crate) output: Option<LogFormat>,
    pub(crate) to: Option<PathBuf>,
    pub(crate) filter: LineFilter,
}

impl LogForm {
    /// Whether items are part of the prefix or of the objects.
    pub(crate) fn shows_items(&self) -> bool {
        let before_lines = match self.prefix {
            PrefixChoice::Auto => self.to.is_none(),
            PrefixChoice::Index => true,
            PrefixChoice::Pod | PrefixChoice::None => false,
        };
        self.output.is_some() || before_lines
    }
}

#[derive(Debug, Default)]
pub(crate) struct LineFilter {
    grep: Option<RegexSet>,
    exclude: Option<RegexSet>,
}

impl LineFilter {
    pub(crate) fn new(grep: &[String], exclude: &[String]) -> Result<Self, Error> {
        let set = |flag: &str, texts: &[String]| match texts {
            [] => Ok(None),
            _ => RegexSet::new(texts).map(Some).map_err(|problem| {
                // The last line says what is wrong; the lines before it draw the expression.
                let problem = problem.to_string();
                let problem = problem.lines().last().unwrap_or_default().trim_start_matches("error: ");
                Error::usage(format!("{flag}: not a regular expression: {problem}"))
                    .hint("'\\[' matches a bracket; '(?i)' at the start ignores case")
            }),
        };
        Ok(Self { grep: set("--grep", grep)?, exclude: set("--exclude", exclude)? })
    }

    fn matches(&self, line: &[u8]) -> bool {
        self.grep.as_ref().is_none_or(|grep| grep.is_match(line))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(line))
    }

    fn matches_all(&self) -> bool {
        self.grep.is_none() && self.exclude.is_none()
    }
}

pub(crate) struct LogPrinter {
    form: LogForm,
    items: ItemTexts,
    prefix: LinePrefix,
    /// The log of the last line, and its prefix.
    last: Option<(Arc<LogSource>, String)>,
    begun: HashSet<PathBuf>,
    printed: u64,
    buffer: Painted,
}

impl LogPrinter {
    pub(crate) fn new(form: LogForm, items: ItemTexts) -> Self {
        let prefix = match form.prefix {
            PrefixChoice::Auto if form.to.is_some() => LinePrefix::None,
            PrefixChoice::Auto if form.one_index && !form.several_containers => LinePrefix::None,
            PrefixChoice::Auto | PrefixChoice::Index => LinePrefix::Index,
            PrefixChoice::Pod => LinePrefix::Pod,
            PrefixChoice::None => LinePrefix::None,
        };
        Self { form, items, prefix, last: None, begun: HashSet::new(), printed: 0, buffer: Painted::default() }
    }

    pub(crate) fn needs_times(&self) -> bool {
        self.form.timestamps || self.form.output.is_some()
    }

    pub(crate) fn print_opening(&mut self, ui: &mut Ui) -> Result<()> {
        if let Some(folder) = &self.form.to {
            fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
        } else if self.form.output == Some(LogFormat::Json) {
            ui.data("[")?;
        }
        Ok(())
    }

    pub(crate) fn print_closing(&mut self, ui: &mut Ui) -> Result<()> {
        if self.form.output == Some(LogFormat::Json) {
            let close = if self.printed > 0 { "\n]\n" } else { "]\n" };
            if self.form.to.is_none() {
                ui.data(close)?;
            }
            for path in &self.begun {
                let mut file = reopen(path)?;
                let close: &[u8] = if file.metadata()?.len() > 1 { b"\n]\n" } else { b"]\n" };
                file.write_all(close).with_context(|| format!("writing {}", path.display()))?;
            }
        }
        Ok(ui.flush()?)
    }

    pub(crate) fn print_batch(&mut self, batch: &LogBatch, ui: &mut Ui) -> Result<()> {
        let is_unchanged = self.prefix == LinePrefix::None
            && self.form.output.is_none()
            && !self.form.timestamps
            && self.form.filter.matches_all();
        if is_unchanged && !self.redraws(ui.style) {
            return self.write(&batch.source, &batch.bytes, ui);
        }
        self.print_lines(&batch.source, batch.lines(), ui)
    }

    pub(crate) fn print_lines<'a>(
        &mut self,
        source: &Arc<LogSource>,
        lines: impl IntoIterator<Item = (Option<Timestamp>, &'a [u8])>,
        ui: &mut Ui,
    ) -> Result<()> {
        let mut text = std::mem::take(&mut self.buffer);
        text.clear();
        for (time, line) in lines {
            self.render_line(&mut text, source, time, line, ui.style);
        }
        self.write(source, &text, ui)?;
        self.buffer = text;
        Ok(())
    }

    /// Notes that a log was read to its end. A log without lines leaves an empty file.
    pub(crate) fn finish_log(&mut self, source: &LogSource) -> Result<()> {
        if let Some(path) = self.path_of(source) {
            self.open_file(path)?;
        }
        Ok(())
    }

    /// Whether only the last state of a redrawn line is printed, as for a person at a terminal.
    fn redraws(&self, style: Style) -> bool {
        style.terminal && !self.form.raw && self.form.to.is_none()
    }

    fn render_line(
        &mut self,
        to: &mut Painted,
        source: &Arc<LogSource>,
        time: Option<Timestamp>,
        line: &[u8],
        style: Style,
    ) {
        if !self.form.filter.matches(line) {
            return;
        }
        let origin = LineOrigin {
            index: source.index,
            item: self.items.get(&source.index).map(String::as_str),
            params: self.items.params(source.index),
            attempt: source.attempt,
            pod: &source.pod,
            container: &source.container,
            one_of_several: self.form.several_containers
                || self.form.container.as_ref().is_some_and(|usual| *usual != source.container),
        };
        if let Some(output) = self.form.output {
            if output == LogFormat::Json {
                // Each file has its own opening bracket.
                let first = self.printed == 0 && self.form.to.is_none();
                to.push(if first { "\n" } else { ",\n" });
            }
            self.printed += 1;
            // Writing these types to memory does not fail.
            let _ = serde_json::to_writer(&mut to.text, &LogEntry::new(&origin, time, line));
            if output == LogFormat::Jsonl {
                to.push("\n");
            }
            return;
        }
        if !self.last.as_ref().is_some_and(|(last, _)| Arc::ptr_eq(last, source)) {
            self.last = Some((Arc::clone(source), line::prefix(self.prefix, &origin, style)));
        }
        let start = self.last.as_ref().map(|(_, start)| start.as_str()).unwrap_or_default();
        let time = time.filter(|_| self.form.timestamps);
        line::push_line(to, (start, source.index), time, line, self.redraws(style));
    }

    fn write(&mut self, source: &LogSource, text: &impl Printable, ui: &mut Ui) -> Result<()> {
        let Some(path) = self.path_of(source) else { return Ok(ui.data_or_raw(text, self.form.raw)?) };
        let text = text.bytes();
        let mut file = self.open_file(path.clone())?;
        let text = if self.form.output == Some(LogFormat::Json) && file.metadata()?.len() == 1 {
            // The first object of a file has no comma before it.
            text.strip_prefix(b",").unwrap_or(text)
        } else {
            text
        };
        file.write_all(text).with_context(|| format!("writing {}", path.display()))
    }

    fn path_of(&self, source: &LogSource) -> Option<PathBuf> {
        let ending = match self.form.output {
            None => "log",
            Some(LogFormat::Json) => "json",
            Some(LogFormat::Jsonl) => "jsonl",
        };
        // The name stays inside the folder: a container's name is a DNS label.
        let name = if self.form.several_containers {
            format!("{}.{}.{ending}", source.index, source.container)
        } else {
            format!("{}.{ending}", source.index)
        };
        Some(self.form.to.as_ref()?.join(name))
    }

    /// Opens a file to append. The first time, replaces the file of an earlier run.
    fn open_file(&mut self, path: PathBuf) -> Result<File> {
        let doing = || format!("writing {}", path.display());
        if self.begun.contains(&path) {
            return reopen(&path);
        }
        let mut file = create_new_file(&path).with_context(doing)?;
        if self.form.output == Some(LogFormat::Json) {
            file.write_all(b"[").with_context(doing)?;
        }
        self.begun.insert(path);
        Ok(file)
    }
}

/// Creates a file. An existing file or link is removed first, so that no link is followed.
fn create_new_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => OpenOptions::new().append(true).create_new(true).open(path),
    }
}

/// Opens a file that this run created, unless something else took its place.
fn reopen(path: &Path) -> Result<File> {
    let open = || match fs::symlink_metadata(path) {
        Ok(file) if !file.is_file() => Err(io::Error::other("something else took its place")),
        _ => OpenOptions::new().append(true).open(path),
    };
    open().with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_folder_is_replaced() {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir().unwrap();
        let [secret, hard, folder, nothing] =
            ["secret", "hard", "folder", "nothing"].map(|name| home.path().join(name));
        fs::write(&secret, "secret").unwrap();
        fs::hard_link(&secret, &hard).unwrap();
        fs::create_dir(&folder).unwrap();
        let path = home.path().join("0.log");
        for target in [&secret, &folder, &nothing] {
            symlink(target, &path).unwrap();
            create_new_file(&path).unwrap().write_all(b"line\n").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"line\n");
            reopen(&path).unwrap();
            fs::remove_file(&path).unwrap();
            symlink(target, &path).unwrap();
            assert!(reopen(&path).is_err());
            fs::remove_file(&path).unwrap();
        }
        create_new_file(&hard).unwrap().write_all(b"line\n").unwrap();
        assert_eq!((fs::read(&secret).unwrap(), nothing.exists()), (b"secret".to_vec(), false));
        assert!(create_new_file(&folder).is_err());
    }
}
