//! What is printed of results, and what is said of those that can't be had.

use anyhow::Result;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use super::joblog::JobLog;
use crate::args::ResultFormat;
use crate::commands::Context;
use crate::commands::output::Custom;
use crate::commands::outputs::fetch::{Gathered, Output};
use crate::commands::outputs::tally::Tally;
use crate::state::{IndexStatus, JobState};
use crate::view::line;
use crate::view::results::{self, ResultEntry, ResultOutput};

#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(super) struct Form {
    /// None prints nothing.
    pub(super) format: Option<ResultFormat>,
    pub(super) headers: bool,
    pub(super) outputs: bool,
    pub(super) trim: bool,
    pub(super) parse_json: bool,
}

/// Prints results one by one, and keeps count.
pub(super) struct Printer {
    form: Form,
    custom: Option<Custom>,
    /// The JSON that a form of one's own is laid over in the end.
    held: String,
    joblog: Option<JobLog>,
    printed: usize,
    pub(super) tally: Tally,
}

impl Printer {
    pub(super) fn new(form: Form, custom: Option<Custom>, joblog: Option<JobLog>) -> Self {
        Self { form, custom, held: String::new(), joblog, printed: 0, tally: Tally::default() }
    }

    pub(super) fn begin(&mut self, state: &JobState, context: &mut Context) -> Result<()> {
        match self.form.format {
            Some(ResultFormat::Csv) if self.form.headers => {
                context.ui.data(results::csv_header(self.form.outputs))?;
            }
            Some(ResultFormat::Json) => self.put_json(&results::list_head(state)?, context)?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn print(&mut self, mut gathered: Gathered, context: &mut Context) -> Result<()> {
        self.tally.count(&gathered);
        let received = if self.joblog.is_some() { gathered.output.length() } else { 0 };
        let Gathered { row, item, output } = &mut gathered;
        if let Some(joblog) = &mut self.joblog {
            joblog.note(row, item.as_ref(), received);
        }
        let Some(format) = self.form.format else { return Ok(()) };
        let bytes = if self.form.outputs { output.read()? } else { None };
        let text = bytes.as_deref().map(|bytes| if self.form.trim { bytes.trim_ascii() } else { bytes });
        let json = text.filter(|_| self.form.parse_json).and_then(compact);
        if self.form.parse_json && json.is_none() && text.is_some() && row.status == IndexStatus::Succeeded {
            self.tally.no_json.insert(row.index);
        }
        let bare = json.as_ref().map(|json| json.get().as_bytes()).or(text).unwrap_or_default();
        let now = context.now();
        match format {
            ResultFormat::Csv => {
                let cell = self.form.outputs.then_some(bare);
                context.ui.data(results::csv(row, item.as_ref(), cell, now))?;
            }
            ResultFormat::Json | ResultFormat::Jsonl => {
                let shown = json.as_deref().map(ResultOutput::Json).or_else(|| text.map(encode_output));
                let file = match output {
                    Output::File { kept, .. } => Some((kept.file.as_str(), kept.bytes)),
                    _ => None,
                };
                let entry = ResultEntry::new(row, item.as_ref(), file, shown.as_ref(), now);
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
            Some(_) => self.held.push_str(text),
            None => context.ui.data(text)?,
        }
        Ok(())
    }

    /// Prints what comes behind the last index.
    pub(super) fn end(&mut self, context: &mut Context) -> Result<()> {
        if self.form.format == Some(ResultFormat::Json) {
            let gap = if self.printed > 0 { "\n" } else { "" };
            self.put_json(&format!("{gap}{}", results::LIST_END), context)?;
        }
        if let Some(custom) = &mut self.custom {
            custom.list(&serde_json::from_str(&self.held)?, context)?;
        }
        context.ui.flush()?;
        if let Some(joblog) = self.joblog.take() {
            joblog.write(context)?;
        }
        Ok(())
    }
}

/// Bytes pass as they are, but for a line break at the end where there is none; on a terminal the last state of each line
/// counts.
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

/// JSON on one line, and otherwise as it was written: numbers keep every digit. None if it is not JSON.
fn compact(bytes: &[u8]) -> Option<Box<RawValue>> {
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
    fn json_comes_on_one_line_with_every_digit() {
        let compacted = |text: &str| compact(text.as_bytes()).map(|json| json.get().to_owned());
        let text = " {\n  \"a b\" : [1.10, 12345678901234567890123, \"x \\\" y\\\\\" ],\r\n\t\"c\": null }\n";
        assert_eq!(compacted(text).as_deref(), Some(r#"{"a b":[1.10,12345678901234567890123,"x \" y\\"],"c":null}"#));
        assert_eq!(compacted("3 4"), None);
        assert_eq!(compacted(""), None);
        assert_eq!(compacted("\"\\\\\" "), Some("\"\\\\\"".to_owned()));
    }

    #[test]
    fn bytes_that_are_no_text_come_in_base64() {
        assert!(matches!(encode_output(b"a\xff"), ResultOutput::Base64(text) if text == "Yf8="));
        assert!(matches!(encode_output("é".as_bytes()), ResultOutput::Text("é")));
    }
}
