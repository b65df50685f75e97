//! Lines of logs: what stands before them, and what of them reaches a terminal.

use owo_colors::{AnsiColors, Style as Color};

use super::{Style, escape_control};

/// What starts each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// `[3] `.
    Index,
    /// `[pod/NAME/CONTAINER] `, as `kubectl logs --prefix` prints it.
    Pod,
    None,
}

/// Colours that read well on light and on dark ground; neighbours in index differ.
const COLORS: [AnsiColors; 6] = [
    AnsiColors::Cyan,
    AnsiColors::Green,
    AnsiColors::Magenta,
    AnsiColors::Yellow,
    AnsiColors::Blue,
    AnsiColors::BrightRed,
];

/// The start of every line of an index; an index keeps its colour.
pub(crate) fn prefix(prefix: Prefix, index: u32, pod: &str, container: &str, style: Style) -> String {
    let text = match prefix {
        Prefix::Index => format!("[{index}]"),
        Prefix::Pod => format!("[pod/{pod}/{container}]"),
        Prefix::None => return String::new(),
    };
    let color = Color::new().color(COLORS[index as usize % COLORS.len()]);
    format!("{} ", style.paint(&text, color))
}

/// One line of a log, with its prefix and line break.
///
/// Bytes pass as they are, except to a terminal: there a log must not drive the cursor, the title or the clipboard.
pub(crate) fn line(prefix: &str, bytes: &[u8], style: Style) -> Vec<u8> {
    let mut line = prefix.as_bytes().to_vec();
    if style.terminal {
        let text = String::from_utf8_lossy(bytes);
        // A carriage return at the end only says that the line came from another system.
        line.extend_from_slice(escape_control(text.trim_end_matches('\r')).as_bytes());
    } else {
        line.extend_from_slice(bytes);
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_driven_by_a_log() {
        let terminal = Style { color: false, terminal: true };
        assert_eq!(line("[0] ", b"a\x1b]0;title\x07\tb\r", terminal), b"[0] a\\u{1b}]0;title\\u{7}\tb\n");
        assert_eq!(line("[0] ", b"a\x1b\xff\r", Style::default()), b"[0] a\x1b\xff\r\n");
    }

    #[test]
    fn prefixes() {
        let plain = |kind| prefix(kind, 3, "rev-3-abcde", "worker", Style::default());
        assert_eq!(plain(Prefix::Index), "[3] ");
        assert_eq!(plain(Prefix::Pod), "[pod/rev-3-abcde/worker] ");
        assert_eq!(plain(Prefix::None), "");
        let colored = prefix(Prefix::Index, 3, "", "", Style { color: true, terminal: true });
        assert_eq!(colored, "\u{1b}[33m[3]\u{1b}[0m ");
    }
}
