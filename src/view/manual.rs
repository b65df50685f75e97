//! A chapter of the manual on a terminal: wraps and colours Markdown.

use owo_colors::{AnsiColors, Style as Color};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use unicode_width::UnicodeWidthStr as _;

use super::{ColumnWidths, Painted};

/// Blanks before all text but headings.
const INDENT: usize = 2;

/// Returns Markdown wrapped to `width` columns. A table that is too wide becomes a list. Lines of code are never wrapped.
/// Without `color`, code keeps its backticks.
pub(crate) fn laid_out(markdown: &str, width: usize, color: bool) -> Painted {
    let mut page = ManualPage { width, color, ..ManualPage::default() };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        page.add(event);
    }
    page.shown
}

/// The parts of a word, each with whether it is code.
type ManualWord = Vec<(String, bool)>;

#[derive(Default)]
struct ManualPage {
    width: usize,
    color: bool,
    shown: Painted,
    /// The words of the current paragraph, heading or cell.
    words: Vec<ManualWord>,
    /// Whether the next text belongs to the last word.
    continues: bool,
    /// Whether the lines of a code block are commands; None outside of one.
    commands: Option<bool>,
    rows: Vec<Vec<Vec<ManualWord>>>,
}

impl ManualPage {
    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) => match self.commands {
                Some(commands) => self.put_code(&text, commands),
                None => self.add_text(&text),
            },
            Event::Code(code) => {
                let code = if self.color { code.into_string() } else { format!("`{code}`") };
                self.add_part(code, true);
            }
            Event::SoftBreak | Event::HardBreak => self.continues = false,
            Event::Start(Tag::CodeBlock(kind)) => {
                self.commands = Some(!matches!(kind, CodeBlockKind::Fenced(language) if &*language == "text"));
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => self.rows.push(Vec::new()),
            Event::End(TagEnd::Heading(_)) => {
                let words = self.take_words();
                let text = words.iter().map(text_of).collect::<Vec<_>>().join(" ");
                self.shown.paint(&text, Color::new().bold());
                self.shown.push("\n\n");
            }
            Event::End(TagEnd::Paragraph) => {
                self.put_paragraph(INDENT, "");
                self.shown.push("\n");
            }
            Event::End(TagEnd::Item) => {
                self.put_paragraph(INDENT + 2, "- ");
            }
            Event::End(TagEnd::CodeBlock) => {
                self.commands = None;
                self.shown.push("\n");
            }
            Event::End(TagEnd::List(_)) => self.shown.push("\n"),
            Event::End(TagEnd::TableCell) => {
                let words = self.take_words();
                self.rows.last_mut().into_iter().for_each(|row| row.push(words.clone()));
            }
            Event::End(TagEnd::Table) => self.put_table(),
            _ => {}
        }
    }

    fn put_code(&mut self, text: &str, commands: bool) {
        for line in text.lines() {
            self.shown.push(" ".repeat(INDENT + 2));
            self.paint(line, commands);
            self.shown.push("\n");
        }
    }

    fn add_text(&mut self, text: &str) {
        for (position, part) in text.split(' ').enumerate() {
            self.continues &= position == 0;
            if !part.is_empty() {
                self.add_part(part.to_owned(), false);
            }
        }
        self.continues = !text.ends_with(' ');
    }

    fn add_part(&mut self, text: String, is_code: bool) {
        match self.words.last_mut().filter(|_| self.continues) {
            Some(word) => word.push((text, is_code)),
            None => self.words.push(vec![(text, is_code)]),
        }
        self.continues = true;
    }

    fn take_words(&mut self) -> Vec<ManualWord> {
        self.continues = false;
        std::mem::take(&mut self.words)
    }

    fn paint(&mut self, text: &str, is_code: bool) {
        if is_code {
            self.shown.paint(text, Color::new().color(AnsiColors::Cyan));
        } else {
            self.shown.push(text);
        }
    }

    /// Prints the current words, wrapped; `mark` stands before the first line, within the indent.
    fn put_paragraph(&mut self, indent: usize, mark: &str) {
        let words = self.take_words();
        self.put_words(&words, indent, mark);
    }

    fn put_words(&mut self, words: &[ManualWord], indent: usize, mark: &str) {
        let mut column = 0;
        for (position, word) in words.iter().enumerate() {
            let wide = text_of(word).width();
            if position > 0 && column + 1 + wide > self.width {
                self.shown.push("\n");
                column = 0;
            }
            if column == 0 {
                let mark = if position == 0 { mark } else { "" };
                self.shown.push(format!("{}{mark}", " ".repeat(indent - mark.len())));
                column = indent;
            } else {
                self.shown.push(" ");
                column += 1;
            }
            for (text, is_code) in word {
                self.paint(text, *is_code);
            }
            column += wide;
        }
        if !words.is_empty() {
            self.shown.push("\n");
        }
    }

    /// Prints a table in columns if it fits, else each row as a heading with its other cells below.
    fn put_table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let texts: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| cell.iter().map(text_of).collect::<Vec<_>>().join(" ")).collect())
            .collect();
        let mut widths = ColumnWidths::default();
        for row in &texts {
            widths.fit(row);
        }
        let lines: Vec<String> = texts.iter().map(|row| widths.line(row)).collect();
        if lines.iter().all(|line| INDENT + line.trim_end().width() <= self.width) {
            for (position, line) in lines.iter().enumerate() {
                self.shown.push(" ".repeat(INDENT));
                let color = if position == 0 { Color::new().underline() } else { Color::new() };
                self.shown.paint(line.trim_end(), color);
                self.shown.push("\n");
            }
        } else {
            for row in &rows[1..] {
                for (position, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                    // The first two columns explain themselves.
                    let title = (position > 1).then(|| vec![(texts[0][position].clone() + ":", false)]);
                    let words: Vec<_> = title.into_iter().chain(cell.iter().cloned()).collect();
                    self.put_words(&words, if position == 0 { INDENT } else { INDENT + 4 }, "");
                }
            }
        }
        self.shown.push("\n");
    }
}

fn text_of(word: &ManualWord) -> String {
    word.iter().map(|(text, _)| text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Printable as _, Style};

    const PAGE: &str = "\
# Title

A paragraph with `code in it`, which is longer
than a line.

- one
- `two` and more words than fit on it

```bash
kubectl indexed logs   # never broken, however long it is
```

| name | command |
| --- | --- |
| a list | `kubectl indexed run --items a \\| cat` |
";

    #[test]
    fn text_wraps_and_commands_stay_on_a_line() {
        let shown = laid_out(PAGE, 32, false);
        insta::assert_snapshot!(String::from_utf8_lossy(shown.bytes()), @"
        Title

          A paragraph with `code in it`,
          which is longer than a line.

          - one
          - `two` and more words than
            fit on it

            kubectl indexed logs   # never broken, however long it is

          a list
              `kubectl indexed run --items a | cat`
        ");
        let wide = laid_out(PAGE, 80, true);
        insta::assert_snapshot!(String::from_utf8_lossy(&wide.encoded(Style { color: true, terminal: true, plain: false })), @"
        \u{1b}[1mTitle\u{1b}[0m

          A paragraph with \u{1b}[36mcode in it\u{1b}[0m, which is longer than a line.

          - one
          - \u{1b}[36mtwo\u{1b}[0m and more words than fit on it

            \u{1b}[36mkubectl indexed logs   # never broken, however long it is\u{1b}[0m

          \u{1b}[4mname     command\u{1b}[0m
          a list   kubectl indexed run --items a | cat
        ");
    }
}
