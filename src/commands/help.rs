//! `help`: prints a chapter of the manual. The help of a verb is printed while the command line is parsed.

use anyhow::Result;

use super::Context;
use crate::error::{Error, Exit};
use crate::view::manual;

/// The name of a chapter and its text in Markdown.
type Chapter = (&'static str, &'static str);

macro_rules! chapters {
    ($($name:literal)*) => { &[$(($name, include_str!(concat!("../manual/", $name, ".md")))),*] };
}

const CHAPTERS: &[Chapter] = chapters! {
    "items" "commands" "reading-logs" "results-and-retry" "policies" "files" "coming-from" "configuration" "troubleshooting" "reference" "flags"
};

fn find_chapter(topic: &str) -> Option<&'static str> {
    CHAPTERS.iter().find(|(name, _)| *name == topic).map(|(_, text)| *text)
}

/// Returns whether this word names a chapter.
pub(super) fn is_chapter(topic: &str) -> bool {
    find_chapter(topic).is_some()
}

/// Returns the error for a word that is neither a chapter nor a verb.
pub(super) fn unknown(topic: Option<&str>) -> Error {
    Error::usage(format!("unknown chapter or verb {:?}", topic.unwrap_or_default()))
        .hint("kubectl indexed help lists the chapters and verbs")
}

/// Prints a chapter: formatted on a terminal, else as Markdown.
pub(super) fn help(topic: &str, context: &mut Context) -> Result<Exit> {
    let text = find_chapter(topic).unwrap_or_default();
    match context.ui.width() {
        Some(width) => context.ui.data(manual::laid_out(text, width, context.ui.style.color))?,
        None => context.ui.data(text)?,
    }
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;
    use crate::view::Printable as _;

    #[test]
    fn the_chapter_flags_is_generated_from_the_command_line() {
        let mut text = "# Flags\n\n".to_owned();
        let mut section = |title: &str, command: clap::Command| {
            let help = command.bin_name(title).term_width(100).render_long_help().to_string();
            let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            let _ = write!(text, "## {title}\n\n```text\n{help}\n```\n\n");
        };
        section("kubectl indexed", Cli::command());
        // Not built as a whole, so that each verb lists only its own flags.
        for verb in Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            section(&format!("kubectl indexed {}", verb.get_name()), verb.clone());
        }
        let text = text.trim_end().to_owned() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manual/flags.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == text,
            "UPDATE=1 cargo test --lib flags writes it"
        );
    }

    #[test]
    fn the_help_lists_every_chapter() {
        let help = Cli::command().render_long_help().to_string();
        let listed = help.split("CHAPTER):\n").nth(1).unwrap().split("\n\n").next().unwrap();
        let listed: Vec<_> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(listed, CHAPTERS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    #[test]
    fn every_chapter_fits_80_columns_except_its_commands() {
        for (name, text) in CHAPTERS.iter().filter(|(name, _)| *name != "flags") {
            let shown = manual::laid_out(text, 80, false);
            for line in String::from_utf8_lossy(shown.bytes()).lines() {
                let is_command = line.contains("kubectl ") || !line.trim_start().contains(' ');
                assert!(line.chars().count() <= 80 || is_command, "{name}: {line}");
            }
        }
    }
}
