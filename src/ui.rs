//! The only output: data to stdout, everything else to stderr, and a live line that neither of them breaks.

pub(crate) mod screen;

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::{AnsiColors, Style as Color};

use crate::error::{Error, Hint, chain};
use crate::view::{Painted, Printable, Style, Wording, escape_control};

/// The streams of the program.
pub(crate) struct Ui {
    stdout: BufWriter<Stdout>,
    /// The style of data.
    pub(crate) style: Style,
    pub(crate) voice: Voice,
    /// Flags that the commands in hints need to reach the same cluster and namespace.
    pub(crate) flags: String,
}

/// Prints messages to stderr, from any task.
#[derive(Clone)]
pub(crate) struct Voice {
    style: Style,
    /// Whether progress, summaries and hints are left out; warnings and errors stay.
    pub(crate) quiet: bool,
    live: Arc<Mutex<Option<ProgressBar>>>,
}

impl Voice {
    /// Prints a status message, unless a screen takes the whole terminal.
    pub(crate) fn status(&self, message: &str) {
        if !self.quiet && !screen::is_taken() {
            self.message("", AnsiColors::Default, message);
        }
    }

    /// Prints a message of the server as kubectl does, also when quiet, unless a screen takes the whole terminal.
    pub(crate) fn relay(&self, label: &str, text: &str) {
        if !screen::is_taken() {
            self.message(label, AnsiColors::Yellow, text);
        }
    }

    /// Writes a label and the lines of a message.
    fn message(&self, label: &str, color: AnsiColors, message: &str) {
        let mut shown = Painted::default();
        if !label.is_empty() {
            shown.paint(label, Color::new().color(color).bold());
            shown.push(" ");
        }
        for line in message.lines() {
            shown.push(line);
            shown.push("\n");
        }
        let shown = shown.encoded(self.style);
        // A closed stderr can't be reported.
        let write = || drop(io::stderr().lock().write_all(&shown));
        match self.live().as_ref() {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }

    fn live(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ui {
    /// Opens the streams of the process. Plain ones have neither colour nor drawn symbols.
    pub(crate) fn new(plain: bool, color: ColorChoice) -> Self {
        color.write_global();
        let color = |choice: ColorChoice| !plain && !matches!(choice, ColorChoice::Never);
        let (stdout, stderr) = (io::stdout(), io::stderr());
        // The name of a terminal that can't move its cursor.
        let plain = plain || std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
        let style = Style { color: color(AutoStream::choice(&stdout)), terminal: stdout.is_terminal(), plain };
        let message_style = Style { color: color(AutoStream::choice(&stderr)), terminal: stderr.is_terminal(), plain };
        let voice = Voice { style: message_style, quiet: false, live: Arc::default() };
        Self { stdout: BufWriter::new(stdout), style, voice, flags: String::new() }
    }

    /// Returns the number of columns of the terminal that stdout is; None if it is none.
    pub(crate) fn width(&self) -> Option<usize> {
        width_of(self.style)
    }

    /// Returns how text in data is worded.
    pub(crate) fn data_wording(&self) -> Wording<'_> {
        Wording { flags: &self.flags, style: self.style, width: self.width() }
    }

    /// Returns how text in messages is worded.
    pub(crate) fn message_wording(&self) -> Wording<'_> {
        Wording { flags: &self.flags, style: self.voice.style, width: width_of(self.voice.style) }
    }

    /// Writes data: escaped to a terminal, else byte for byte.
    ///
    /// # Errors
    /// If stdout can't be written to. The kind of the error tells a closed pipe, which ends the program quietly.
    #[expect(clippy::needless_pass_by_value, reason = "callers pass temporary values")]
    pub(crate) fn data(&mut self, data: impl Printable) -> io::Result<()> {
        self.data_or_raw(&data, false)
    }

    /// Writes data; `raw` lets it drive the terminal.
    pub(crate) fn data_or_raw(&mut self, data: &impl Printable, raw: bool) -> io::Result<()> {
        self.write(&data.encoded(Style { terminal: self.style.terminal && !raw, ..self.style }))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The live line is wiped before the terminal scrolls, and drawn again below the data.
        let stdout = &mut self.stdout;
        match self.voice.live().as_ref() {
            Some(live) if self.style.terminal => live.suspend(|| {
                stdout.write_all(bytes)?;
                stdout.flush()
            }),
            _ => stdout.write_all(bytes),
        }
        .map_err(|error| stdout_error(&error))
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush().map_err(|error| stdout_error(&error))
    }

    pub(crate) fn status(&mut self, message: &str) {
        if !self.voice.quiet {
            self.message("", AnsiColors::Default, message);
        }
    }

    /// Prints a warning, also when quiet.
    pub(crate) fn warning(&mut self, message: &str) {
        self.message("warning:", AnsiColors::Yellow, message);
    }

    /// Prints what belongs to a warning, also when quiet.
    pub(crate) fn note(&mut self, message: &str) {
        self.message("", AnsiColors::Default, message);
    }

    pub(crate) fn hint(&mut self, hint: impl Into<Hint>) {
        if !self.voice.quiet {
            let text = hint.into().with_flags(&self.flags);
            self.message("hint:", AnsiColors::Cyan, &text);
        }
    }

    /// Prints an error and its hints. Nothing else does.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        self.error_with(error, "");
    }

    /// As [`Ui::error`], with details between the error and its hints.
    pub(crate) fn error_with(&mut self, error: &anyhow::Error, details: &str) {
        self.end_live();
        self.message("error:", AnsiColors::Red, &chain(error.chain()));
        self.note(details);
        for error in error.chain().filter_map(|cause| cause.downcast_ref::<Error>()) {
            for hint in error.hints_with_flags(&self.flags) {
                self.message("hint:", AnsiColors::Cyan, &hint);
            }
        }
    }

    fn message(&mut self, label: &str, color: AnsiColors, message: &str) {
        // Earlier data comes first.
        let _ = self.stdout.flush();
        self.voice.message(label, color, message);
    }

    /// Asks a question; None if stdin or stderr is no terminal, so that nobody can answer.
    pub(crate) fn confirm(&mut self, question: &str) -> io::Result<Option<bool>> {
        if !io::stdin().is_terminal() || !self.voice.style.terminal {
            return Ok(None);
        }
        self.end_live();
        self.flush()?;
        let mut stderr = io::stderr().lock();
        stderr.write_all(&format!("{question} [y/N] ").encoded(self.voice.style))?;
        stderr.flush()?;
        let mut answer = String::new();
        if io::stdin().read_line(&mut answer)? == 0 {
            // No Enter moved the cursor to the next line.
            writeln!(stderr)?;
        }
        Ok(Some(["y", "yes"].contains(&answer.trim().to_lowercase().as_str())))
    }

    /// Starts a line that is redrawn in place, on a terminal only.
    pub(crate) fn begin_live(&mut self) {
        let Voice { style, quiet, .. } = self.voice;
        if quiet || style.plain || !style.terminal || self.is_live() {
            return;
        }
        let live = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:20} {wide_msg}") {
            live.set_style(style);
        }
        live.enable_steady_tick(Duration::from_millis(120));
        *self.voice.live() = Some(live);
    }

    pub(crate) fn is_live(&self) -> bool {
        self.voice.live().is_some()
    }

    /// Changes the live line: its bar and its text.
    pub(crate) fn set_live(&self, done: usize, total: usize, message: impl AsRef<str>) {
        if let Some(live) = self.voice.live().as_ref() {
            live.set_length(total as u64);
            live.set_position(done as u64);
            live.set_message(escape_control(message.as_ref()).into_owned());
        }
    }

    pub(crate) fn end_live(&mut self) {
        if let Some(live) = self.voice.live().take() {
            live.finish_and_clear();
        }
    }
}

/// For writers of data in pieces.
impl io::Write for Ui {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.data(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::flush(self)
    }
}

fn width_of(style: Style) -> Option<usize> {
    let (width, _) = style.terminal.then(crossterm::terminal::size)?.ok()?;
    // A pseudo-terminal whose size nobody has set reports 0.
    Some(usize::from(width)).filter(|width| *width > 0)
}

/// Names stdout in an error, and keeps its kind.
fn stdout_error(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("can't write to stdout: {error}"))
}
