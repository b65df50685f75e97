//! The whole terminal, redrawn in place; what was on it comes back.

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

/// Whether the terminal is ours, so that it is given back once, whoever comes first.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the whole terminal is drawn on.
pub(super) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// What the user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// `q`: has seen enough.
    Quit,
    Interrupt,
    Resized,
}

/// The terminal, taken until this is dropped.
pub(crate) struct Screen(());

impl Screen {
    /// Takes the terminal: another screen, no cursor, keys one by one.
    pub(crate) fn enter() -> io::Result<Self> {
        // Before a panic is told, so that it is told where it can be read.
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            told(panic);
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

    /// Shows these lines, from the top, in colour where the style has it.
    #[expect(clippy::unused_self, reason = "only who has the terminal may draw on it")]
    pub(crate) fn draw(&mut self, lines: &[Painted], style: Style) -> io::Result<()> {
        let mut out = io::stdout().lock();
        queue!(out, BeginSynchronizedUpdate, MoveTo(0, 0))?;
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                queue!(out, Print("\r\n"))?;
            }
            // Before the line is printed: behind one that fills the window, its own last column would be wiped.
            queue!(out, Clear(ClearType::UntilNewLine))?;
            out.write_all(&line.encoded(style))?;
        }
        queue!(out, EndSynchronizedUpdate)?;
        out.flush()
    }

    /// What the user does within `limit`, if anything; blocks until then.
    pub(crate) fn input(limit: Duration) -> io::Result<Option<Input>> {
        if !event::poll(limit)? {
            return Ok(None);
        }
        Ok(match event::read()? {
            Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Input::Interrupt),
                KeyCode::Char('q' | 'Q') | KeyCode::Esc => Some(Input::Quit),
                _ => None,
            },
            Event::Resize(..) => Some(Input::Resized),
            _ => None,
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was. Nobody can be told that this failed.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), EnableLineWrap, Show, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}
