//! The one way out: data to stdout, everything else to stderr, and a live line that neither of them breaks.

pub(crate) mod screen;

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::{AnsiColors, Style as Color};

use crate::error::{Error, Hint, chain};
use crate::view::{Painted, Printable, Style, escape_control};

/// The streams of the program.
pub(crate) struct Ui {
    stdout: BufWriter<Stdout>,
    /// How data looks.
    pub(crate) style: Style,
    pub(crate) voice: Voice,
    /// Flags that the commands in hints need to reach the same cluster and namespace.
    pub(crate) flags: String,
}

/// Says what is no data, on stderr: also from a task that waits for something, while the rest goes on.
#[derive(Clone)]
pub(crate) struct Voice {
    /// How messages look.
    style: Style,
    /// Leaves out progress, summaries and hints; warnings and errors stay.
    pub(crate) quiet: bool,
    /// Whether nothing may be drawn or redrawn: what changes is told in lines.
    pub(crate) plain: bool,
    live: Arc<Mutex<Option<ProgressBar>>>,
}

impl Voice {
    /// Says something about what is going on, unless the whole terminal shows that.
    pub(crate) fn status(&self, message: &str) {
        if !self.quiet && !screen::is_taken() {
            self.message("", AnsiColors::Default, message);
        }
    }

    /// Prints what came from the server as kubectl does, also when quiet, unless the whole terminal shows something else.
    pub(crate) fn relay(&self, label: &str, text: &str) {
        if !screen::is_taken() {
            self.message(label, AnsiColors::Yellow, text);
        }
    }

    /// Writes the lines of a message behind a label.
    fn message(&self, label: &str, color: AnsiColors, message: &str) {
        let message = if self.plain {
            message.replace(" × ", " times ").replace('…', "...").into()
        } else {
            Cow::from(message)
        };
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
        // Nobody can be told that stderr is closed.
        let write = || drop(io::stderr().lock().write_all(&shown));
        match self.live().as_ref() {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }

    /// The live line, if one is shown.
    fn live(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ui {
    /// The process's own streams; plain ones have no colour, and nothing in them is drawn.
    pub(crate) fn new(plain: bool, color: ColorChoice) -> Self {
        color.write_global();
        let color = |choice: ColorChoice| !plain && !matches!(choice, ColorChoice::Never);
        let (stdout, stderr) = (io::stdout(), io::stderr());
        // A terminal that can't move its cursor calls itself so.
        let plain = plain || std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
        let style = Style { color: color(AutoStream::choice(&stdout)), terminal: stdout.is_terminal() };
        let message_style = Style { color: color(AutoStream::choice(&stderr)), terminal: stderr.is_terminal() };
        let voice = Voice { style: message_style, quiet: false, plain, live: Arc::default() };
        Self { stdout: BufWriter::new(stdout), style, voice, flags: String::new() }
    }

    /// How many columns the terminal has that data goes to; None if it goes to no terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        let (width, _) = self.style.terminal.then(crossterm::terminal::size)?.ok()?;
        Some(usize::from(width))
    }

    /// Writes data: to a terminal only what can't drive it, else byte for byte.
    ///
    /// # Errors
    /// If stdout can't be written to; a closed pipe is told by its kind and ends the program quietly.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over what they made for it")]
    pub(crate) fn data(&mut self, data: impl Printable) -> io::Result<()> {
        self.data_or_raw(&data, false)
    }

    /// Writes data; `raw` is what the user lets drive the terminal.
    pub(crate) fn data_or_raw(&mut self, data: &impl Printable, raw: bool) -> io::Result<()> {
        self.write(&data.encoded(Style { terminal: self.style.terminal && !raw, ..self.style }))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The live line is wiped before a terminal scrolls under it, and drawn again behind what was written.
        let stdout = &mut self.stdout;
        match self.voice.live().as_ref() {
            Some(live) if self.style.terminal => live.suspend(|| {
                stdout.write_all(bytes)?;
                stdout.flush()
            }),
            _ => stdout.write_all(bytes),
        }
        .map_err(|error| named(&error))
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush().map_err(|error| named(&error))
    }

    pub(crate) fn status(&mut self, message: &str) {
        if !self.voice.quiet {
            self.message("", AnsiColors::Default, message);
        }
    }

    /// Says something that the user should know, also when quiet.
    pub(crate) fn warning(&mut self, message: &str) {
        self.message("warning:", AnsiColors::Yellow, message);
    }

    /// Says something that belongs to a warning, also when quiet.
    pub(crate) fn note(&mut self, message: &str) {
        self.message("", AnsiColors::Default, message);
    }

    pub(crate) fn hint(&mut self, hint: impl Into<Hint>) {
        if !self.voice.quiet {
            let text = hint.into().with_flags(&self.flags);
            self.message("hint:", AnsiColors::Cyan, &text);
        }
    }

    /// Prints an error and its hints: the one place that does.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        self.error_with(error, "");
    }

    /// As [`Ui::error`], with lines that tell more between the error and its hints.
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

    /// Writes the lines of a message behind a label.
    fn message(&mut self, label: &str, color: AnsiColors, message: &str) {
        // Data that was written before comes before.
        let _ = self.stdout.flush();
        self.voice.message(label, color, message);
    }

    /// Asks whether to do something; None where nobody can answer: stdin or stderr is no terminal.
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
            // Nobody pressed Enter.
            writeln!(stderr)?;
        }
        Ok(Some(["y", "yes"].contains(&answer.trim().to_lowercase().as_str())))
    }

    /// Shows a line that is redrawn in place, on a terminal; elsewhere `progress` prints nothing by itself.
    pub(crate) fn begin_live(&mut self) {
        let Voice { style, quiet, plain, .. } = self.voice;
        if quiet || plain || !style.terminal || self.is_live() {
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

    /// Changes the live line: how many of how many, and in words.
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

/// For those that write data piece by piece.
impl io::Write for Ui {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.data(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::flush(self)
    }
}

/// The error of stdout, which is named; its kind stays.
fn named(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("can't write to stdout: {error}"))
}
