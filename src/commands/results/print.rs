//! Prints results one by one, and counts them.

use std::sync::Arc;

use anyhow::Result;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use super::joblog::JobLog;
use crate::args::ResultFormat;
use crate::commands::Context;
use crate::commands::output::Custom;
use crate::commands::outputs::fetch::{Gathered, IndexOutput};
use crate::commands::outputs::tally::Tally;
use crate::state::{IndexStatus, ItemTexts, JobState};
use crate::view::indexes::DataTable;
use crate::view::line;
use crate::view::results::{self, ResultEntry, ResultOutput};

#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(super) struct PrintOptions {
    /// None prints nothing.
    pub(super) format: Option<ResultFormat>,
    pub(super) headers: bool,
    pub(super) outputs: bool,
    pub(super) last_line: bool,
    pub(super) trim: bool,
    pub(super) parse_json: bool,
}

impl PrintOptions {
    fn table(self) -> Option<DataTable> {
        let delimiter = match self.format? {
            ResultFormat::Csv => b',',
            ResultFormat::Tsv => b'\t',
            ResultFormat::Json | ResultFormat::Jsonl | ResultFormat::Text => return None,
        };
        Some(DataTable { delimiter, with_output: self.outputs })
    }

    /// Returns the part of an output that is printed.
    fn select_part(self, output: &[u8]) -> &[u8] {
        let part = if self.last_line { last_line(output) } else { output };
        if self.trim { part.trim_ascii() } else { part }
    }
}

/// Prints results one by one, and counts them.
pub(super) struct ResultPrinter {
    options: PrintOptions,
    items: Arc<ItemTexts>,
    custom: Option<Custom>,
    /// The whole JSON, for templates and custom columns.
    json: String,
    joblog: Option<JobLog>,
    printed: usize,
    pub(super) tally: Tally,
}

impl ResultPrinter {
    pub(super) fn new(
        options: PrintOptions,
        items: Arc<ItemTexts>,
        custom: Option<Custom>,
        joblog: Option<JobLog>,
    ) -> Self {
        Self { options, items, custom, json: String::new(), joblog, printed: 0, tally: Tally::default() }
    }

    /// Prints what comes before the first index.
    pub(super) fn print_head(&mut self, state: &JobState, context: &mut Context) -> Result<()> {
        if let Some(table) = self.options.table().filter(|_| self.options.headers) {
            context.ui.data(table.header(&self.items))?;
        }
        if self.options.format == Some(ResultFormat::Json) {
            self.put_json(&results::list_head(state)?, context)?;
        }
        Ok(())
    }

    pub(super) fn print(&mut self, mut gathered: Gathered, context: &mut Context) -> Result<()> {
        self.tally.count(&gathered);
        let received = if self.joblog.is_some() { gathered.output.length() } else { 0 };
        let items = Arc::clone(&self.items);
        let Gathered { row, output } = &mut gathered;
        if let Some(joblog) = &mut self.joblog {
            joblog.add(row, &items, received);
        }
        let Some(format) = self.options.format else { return Ok(()) };
        let bytes = if self.options.outputs { output.read()? } else { None };
        let text = bytes.as_deref().map(|bytes| self.options.select_part(bytes));
        let json = text.filter(|_| self.options.parse_json).and_then(compact_json);
        if self.options.parse_json && json.is_none() && text.is_some() && row.status == IndexStatus::Succeeded {
            self.tally.no_json.insert(row.index);
        }
        let bare = json.as_ref().map(|json| json.get().as_bytes()).or(text).unwrap_or_default();
        let now = context.now();
        match format {
            ResultFormat::Csv | ResultFormat::Tsv => {
                if let Some(table) = self.options.table() {
                    context.ui.data(table.row(row, &items, bare, now))?;
                }
            }
            ResultFormat::Json | ResultFormat::Jsonl => {
                let shown = json.as_deref().map(ResultOutput::Json).or_else(|| text.map(encode_output));
                let file = match output {
                    IndexOutput::File { kept, .. } => Some((kept.file.as_str(), kept.bytes)),
                    _ => None,
                };
                let entry = ResultEntry::new(row, &items, file, shown.as_ref(), now);
                let entry = serde_json::to_string(&entry)?;
                let line = match format {
                    ResultFormat::Jsonl => format!("{entry}\n"),
                    _ if self.printed == 0 => format!("\n{entry}"),
                    _ => format!(",\n{entry}"),
                };
                self.put_json(&line, context)?;
            }
            ResultFormat::Text => print_text(bare, context)?,
        }
        self.printed += 1;
        Ok(())
    }

    fn put_json(&mut self, text: &str, context: &mut Context) -> Result<()> {
        match &self.custom {
            Some(_) => self.json.push_str(text),
            None => context.ui.data(text)?,
        }
        Ok(())
    }

    /// Prints what comes after the last index, and writes the job log.
    pub(super) fn finish(&mut self, context: &mut Context) -> Result<()> {
        if self.options.format == Some(ResultFormat::Json) {
            let gap = if self.printed > 0 { "\n" } else { "" };
            self.put_json(&format!("{gap}{}", results::LIST_END), context)?;
        }
        if let Some(custom) = &mut self.custom {
            custom.list(&serde_json::from_str(&self.json)?, context)?;
        }
        context.ui.flush()?;
        if let Some(joblog) = self.joblog.take() {
            joblog.write(context)?;
        }
        Ok(())
    }
}

/// Prints the bytes of an output, and adds a line break if its last line has none. On a terminal only the last state of
/// each line is printed.
fn print_text(text: &[u8], context: &mut Context) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    if context.ui.style.terminal {
        context.ui.data(line::last_state(&String::from_utf8_lossy(text)).as_bytes())?;
    } else {
        context.ui.data(text)?;
    }
    if !text.ends_with(b"\n") {
        context.ui.data("\n")?;
    }
    Ok(())
}

fn encode_output(bytes: &[u8]) -> ResultOutput<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => ResultOutput::Text(text),
        Err(_) => ResultOutput::Base64(BASE64_STANDARD.encode(bytes)),
    }
}

/// Returns the last line that is not blank, without its line break; empty if there is none. A carriage return ends a
/// line too: progress bars overwrite their line with it.
fn last_line(output: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    output.rsplit(is_end).find(|line| !line.trim_ascii().is_empty()).unwrap_or_default()
}

/// Returns JSON on one line; numbers keep every digit. None if it is not JSON.
fn compact_json(bytes: &[u8]) -> Option<Box<RawValue>> {
    let value: &RawValue = serde_json::from_slice(bytes).ok()?;
    let (mut quoted, mut escaped) = (false, false);
    let kept = value.get().chars().filter(|&c| {
        if quoted {
            quoted = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            return true;
        }
        quoted = c == '"';
        !c.is_ascii_whitespace()
    });
    RawValue::from_string(kept.collect()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_last_that_is_not_blank() {
        let last = |text: &str| String::from_utf8(last_line(text.as_bytes()).to_vec()).unwrap();
        assert_eq!(last("epoch 1\nepoch 2\nacc=0.93\n"), "acc=0.93");
        assert_eq!(last("a\r\n b \r\n\r\n \t\n"), " b ");
        assert_eq!(last("10%\r50%\r100%"), "100%");
        assert_eq!(last("no line break"), "no line break");
        assert_eq!((last(""), last("\n \n")), (String::new(), String::new()));
    }

    #[test]
    fn json_is_printed_on_one_line_with_every_digit() {
        let compacted = |text: &str| compact_json(text.as_bytes()).map(|json| json.get().to_owned());
        let text = " {\n  \"a b\" : [1.10, 12345678901234567890123, \"x \\\" y\\\\\" ],\r\n\t\"c\": null }\n";
        assert_eq!(compacted(text).as_deref(), Some(r#"{"a b":[1.10,12345678901234567890123,"x \" y\\"],"c":null}"#));
        assert_eq!(compacted("3 4"), None);
        assert_eq!(compacted(""), None);
        assert_eq!(compacted("\"\\\\\" "), Some("\"\\\\\"".to_owned()));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_printed_in_base64() {
        assert!(matches!(encode_output(b"a\xff"), ResultOutput::Base64(text) if text == "Yf8="));
        assert!(matches!(encode_output("é".as_bytes()), ResultOutput::Text("é")));
    }
}
