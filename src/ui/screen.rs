//! The whole terminal, redrawn in place. Its earlier content comes back at the end.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::style::Print;
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
    EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue};

use crate::view::{Painted, Printable as _, Style};

/// Whether this program draws on the whole terminal. A panic and a normal end restore it, the first of them only.
static TAKEN: AtomicBool = AtomicBool::new(false);

pub(super) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// What the user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScreenInput {
    /// The key `q` or Esc.
    Quit,
    Interrupt,
    Resized,
}

/// The whole terminal, until this is dropped.
pub(crate) struct Screen(());

impl Screen {
    /// Takes the terminal: an alternate screen, no cursor, single keys.
    pub(crate) fn enter() -> io::Result<Self> {
        // A panic is printed after the terminal is restored, where it can be read.
        let print_panic = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore_terminal();
            print_panic(panic);
        }));
        terminal::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let screen = Self(());
        execute!(io::stdout(), EnterAlternateScreen, Hide, DisableLineWrap)?;
        Ok(screen)
    }

    pub(crate) fn size() -> (usize, usize) {
        terminal::size().map_or((80, 24), |(columns, lines)| (columns.into(), lines.into()))
    }

    /// Draws lines from the top.
    #[expect(clippy::unused_self, reason = "only the owner of the terminal draws on it")]
    pub(crate) fn draw(&mut self, lines: &[Painted], style: Style) -> io::Result<()> {
        let mut out = io::stdout().lock();
        queue!(out, BeginSynchronizedUpdate, MoveTo(0, 0))?;
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                queue!(out, Print("\r\n"))?;
            }
            // Before the line is printed: after a line that fills the window, it would wipe the last column.
            queue!(out, Clear(ClearType::UntilNewLine))?;
            out.write_all(&line.encoded(style))?;
        }
        queue!(out, EndSynchronizedUpdate)?;
        out.flush()
    }

    /// Waits up to `limit` for an input of the user. Blocks the thread.
    pub(crate) fn input(limit: Duration) -> io::Result<Option<ScreenInput>> {
        if !event::poll(limit)? {
            return Ok(None);
        }
        Ok(match event::read()? {
            Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(ScreenInput::Interrupt),
                KeyCode::Char('q' | 'Q') | KeyCode::Esc => Some(ScreenInput::Quit),
                _ => None,
            },
            Event::Resize(..) => Some(ScreenInput::Resized),
            _ => None,
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore_terminal();
    }
}

/// Restores the terminal. Its errors can't be reported.
fn restore_terminal() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), EnableLineWrap, Show, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}
