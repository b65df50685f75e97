//! Lines of logs on their way out: chosen, labelled, to stdout or to files.

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
    /// Whether the lines of several containers of an index stand beside one another.
    pub(crate) several_containers: bool,
    /// The container whose name goes without saying.
    pub(crate) container: Option<String>,
    pub(crate) timestamps: bool,
    pub(crate) raw: bool,
    pub(crate) output: Option<LogFormat>,
    pub(crate) to: Option<PathBuf>,
    pub(crate) filter: Filter,
}

impl LogForm {
    /// Whether items stand before lines, or in their objects.
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
pub(crate) struct Filter {
    grep: Option<RegexSet>,
    exclude: Option<RegexSet>,
}

impl Filter {
    pub(crate) fn new(grep: &[String], exclude: &[String]) -> Result<Self, Error> {
        let set = |flag: &str, texts: &[String]| match texts {
            [] => Ok(None),
            _ => RegexSet::new(texts).map(Some).map_err(|problem| {
                Error::usage(format!("{flag}: not a regular expression: {problem}"))
                    .hint("'\\[' stands for a bracket, '(?i)' at the start takes upper and lower case as the same")
            }),
        };
        Ok(Self { grep: set("--grep", grep)?, exclude: set("--exclude", exclude)? })
    }

    fn takes(&self, line: &[u8]) -> bool {
        self.grep.as_ref().is_none_or(|grep| grep.is_match(line))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(line))
    }

    fn takes_all(&self) -> bool {
        self.grep.is_none() && self.exclude.is_none()
    }
}

pub(crate) struct LogPrinter {
    form: LogForm,
    items: ItemTexts,
    prefix: LinePrefix,
    /// The last log that was printed of, and how its lines begin.
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

    pub(crate) fn begin(&mut self, ui: &mut Ui) -> Result<()> {
        if let Some(folder) = &self.form.to {
            fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
        } else if self.form.output == Some(LogFormat::Json) {
            ui.data("[")?;
        }
        Ok(())
    }

    pub(crate) fn end(&mut self, ui: &mut Ui) -> Result<()> {
        if self.form.output == Some(LogFormat::Json) {
            let close = if self.printed > 0 { "\n]\n" } else { "]\n" };
            if self.form.to.is_none() {
                ui.data(close)?;
            }
            for path in &self.begun {
                let mut file = open_again(path)?;
                let close: &[u8] = if file.metadata()?.len() > 1 { b"\n]\n" } else { b"]\n" };
                file.write_all(close).with_context(|| format!("writing {}", path.display()))?;
            }
        }
        Ok(ui.flush()?)
    }

    pub(crate) fn batch(&mut self, batch: &LogBatch, ui: &mut Ui) -> Result<()> {
        let as_it_is = self.prefix == LinePrefix::None
            && self.form.output.is_none()
            && !self.form.timestamps
            && self.form.filter.takes_all();
        if as_it_is && !self.redraws(ui.style) {
            return self.write(&batch.source, &batch.bytes, ui);
        }
        self.lines(&batch.source, batch.lines(), ui)
    }

    pub(crate) fn lines<'a>(
        &mut self,
        source: &Arc<LogSource>,
        lines: impl IntoIterator<Item = (Option<Timestamp>, &'a [u8])>,
        ui: &mut Ui,
    ) -> Result<()> {
        let mut text = std::mem::take(&mut self.buffer);
        text.clear();
        for (time, line) in lines {
            self.render(&mut text, source, time, line, ui.style);
        }
        self.write(source, &text, ui)?;
        self.buffer = text;
        Ok(())
    }

    /// A log was read to its end: one without a line leaves an empty file, not none.
    pub(crate) fn done(&mut self, source: &LogSource) -> Result<()> {
        if let Some(path) = self.path(source) {
            self.file(path)?;
        }
        Ok(())
    }

    /// Whether a person reads the lines. Then only the last state of a line counts.
    fn redraws(&self, style: Style) -> bool {
        style.terminal && !self.form.raw && self.form.to.is_none()
    }

    fn render(
        &mut self,
        to: &mut Painted,
        source: &Arc<LogSource>,
        time: Option<Timestamp>,
        line: &[u8],
        style: Style,
    ) {
        if !self.form.filter.takes(line) {
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
                // In files each has its own beginning.
                let first = self.printed == 0 && self.form.to.is_none();
                to.push(if first { "\n" } else { ",\n" });
            }
            self.printed += 1;
            // Writing to memory does not fail, nor do these types.
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
        let Some(path) = self.path(source) else { return Ok(ui.data_or_raw(text, self.form.raw)?) };
        let text = text.bytes();
        let mut file = self.file(path.clone())?;
        let text = if self.form.output == Some(LogFormat::Json) && file.metadata()?.len() == 1 {
            // The comma stands between two.
            text.strip_prefix(b",").unwrap_or(text)
        } else {
            text
        };
        file.write_all(text).with_context(|| format!("writing {}", path.display()))
    }

    fn path(&self, source: &LogSource) -> Option<PathBuf> {
        let ending = match self.form.output {
            None => "log",
            Some(LogFormat::Json) => "json",
            Some(LogFormat::Jsonl) => "jsonl",
        };
        // Neither part can lead out of the folder: the name of a container is a DNS label.
        let name = if self.form.several_containers {
            format!("{}.{}.{ending}", source.index, source.container)
        } else {
            format!("{}.{ending}", source.index)
        };
        Some(self.form.to.as_ref()?.join(name))
    }

    /// A file to be written on; what an earlier call of the program left in it is gone.
    fn file(&mut self, path: PathBuf) -> Result<File> {
        let doing = || format!("writing {}", path.display());
        if self.begun.contains(&path) {
            return open_again(&path);
        }
        let mut file = create(&path).with_context(doing)?;
        if self.form.output == Some(LogFormat::Json) {
            file.write_all(b"[").with_context(doing)?;
        }
        self.begun.insert(path);
        Ok(file)
    }
}

/// A new file. What was there loses this name, so that a link is neither followed nor what it leads to emptied.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => OpenOptions::new().append(true).create_new(true).open(path),
    }
}

/// A file that was begun, unless something else took its place.
fn open_again(path: &Path) -> Result<File> {
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
            create(&path).unwrap().write_all(b"line\n").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"line\n");
            open_again(&path).unwrap();
            fs::remove_file(&path).unwrap();
            symlink(target, &path).unwrap();
            assert!(open_again(&path).is_err());
            fs::remove_file(&path).unwrap();
        }
        create(&hard).unwrap().write_all(b"line\n").unwrap();
        assert_eq!((fs::read(&secret).unwrap(), nothing.exists()), (b"secret".to_vec(), false));
        assert!(create(&folder).is_err());
    }
}
