//! Placeholders in the user's command: `{}`, `{column}`, `{#}`, and what each stands for.
//!
//! The words are GNU parallel's, with one difference: `{#}` is the index, so it begins at 0.

use super::items::Item;
use super::{near, script};
use crate::error::Error;

/// Names of columns that a message lists before it only counts them.
const LISTED_NAMES: usize = 10;

/// Which text a placeholder stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Subject {
    Item,
    /// A column of it, from 0.
    Column(usize),
    /// The completion index, in decimal digits.
    Index,
}

/// What is done to that text, taken as a path, before it stands in the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// `{}`: nothing.
    None,
    /// `{.}`: the last extension goes.
    WithoutExtension,
    /// `{/}`: only what follows the last slash stays.
    Base,
    /// `{//}`: only the folder stays; `.` where there is none.
    Folder,
    /// `{/.}`: both of `{/}` and `{.}`.
    Stem,
}

/// A pair of braces that stands for something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Placeholder {
    pub(crate) subject: Subject,
    pub(crate) operation: Operation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Stays as it is; never empty.
    Text(String),
    /// Is another for each index.
    Value(Placeholder),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandTemplate {
    /// The segments of each word of the command, no two texts side by side, none for an empty word.
    pub(crate) arguments: Vec<Vec<Segment>>,
    /// What the user should hear although it is no error; text of the command and names of columns are in it, unescaped.
    pub(crate) notes: Vec<String>,
}

impl Operation {
    /// All of them, the longer before those that they end with.
    const ALL: [Self; 5] = [Self::None, Self::Stem, Self::Folder, Self::WithoutExtension, Self::Base];

    /// As it is written before the closing brace.
    fn written(self) -> &'static str {
        match self {
            Self::None => "",
            Self::WithoutExtension => ".",
            Self::Base => "/",
            Self::Folder => "//",
            Self::Stem => "/.",
        }
    }

    /// What is left of `value`, by the rules of GNU parallel: a hidden file is all extension, `{/}` of a path that ends
    /// in a slash is empty, and `{//}` is Perl's `dirname`. A line break is a byte as any other, where parallel's own
    /// `{/}` stops at it.
    pub(crate) fn apply(self, value: &[u8]) -> &[u8] {
        match self {
            Self::None => value,
            Self::WithoutExtension => without_extension(value),
            Self::Base => base(value),
            Self::Folder => folder(value),
            Self::Stem => without_extension(base(value)),
        }
    }
}

fn without_extension(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| matches!(byte, b'.' | b'/')) {
        Some(at) if path[at] == b'.' => &path[..at],
        _ => path,
    }
}

fn base(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&byte| byte == b'/').map_or(path, |at| &path[at + 1..])
}

fn folder(path: &[u8]) -> &[u8] {
    let path = without_slashes(path);
    let folder = &path[..path.len() - base(path).len()];
    if folder.is_empty() { b"." } else { without_slashes(folder) }
}

/// Drops the slashes at the end, but not that of the root.
fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(path.len().min(1), |at| at + 1);
    &path[..end]
}

impl Placeholder {
    pub(crate) const ITEM: Self = Self::plain(Subject::Item);

    /// What it stands for in an item; an index is none of an item's.
    pub(crate) fn value_in<'a>(&self, item: &'a Item) -> &'a [u8] {
        self.operation.apply(match self.subject {
            Subject::Item => item.bytes(),
            Subject::Column(place) => item.value(place),
            Subject::Index => &[],
        })
    }

    const fn plain(subject: Subject) -> Self {
        Self { subject, operation: Operation::None }
    }

    /// As the user would write it, with these names of columns; those without a name go by their number.
    pub(crate) fn written(&self, names: &[String]) -> String {
        let operation = self.operation.written();
        match self.subject {
            Subject::Item => format!("{{{operation}}}"),
            Subject::Column(place) => match names.get(place) {
                Some(name) => format!("{{{name}{operation}}}"),
                None => format!("{{{}{operation}}}", place + 1),
            },
            Subject::Index => "{#}".to_owned(),
        }
    }
}

impl Segment {
    pub(crate) fn placeholder(&self) -> Option<&Placeholder> {
        match self {
            Self::Text(_) => None,
            Self::Value(placeholder) => Some(placeholder),
        }
    }
}

fn push_text(segments: &mut Vec<Segment>, text: &str) {
    match segments.last_mut() {
        _ if text.is_empty() => {}
        Some(Segment::Text(before)) => before.push_str(text),
        _ => segments.push(Segment::Text(text.to_owned())),
    }
}

impl CommandTemplate {
    pub(crate) fn literal(command: &[String]) -> Self {
        let argument = |word: &String| vec![Segment::Text(word.clone())];
        Self { arguments: command.iter().map(argument).collect(), notes: Vec::new() }
    }

    /// The placeholders of the whole command, in order, with repetitions.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.arguments.iter().flatten().filter_map(Segment::placeholder)
    }

    /// Whether the command is the same for every index.
    pub(crate) fn is_literal(&self) -> bool {
        self.placeholders().next().is_none()
    }
}

/// Reads a command. `names` are those of the columns, "1", "2" and so on where columns are only numbered, empty where an
/// item has none; without items only `{#}` is a placeholder.
pub(crate) fn parse(command: &[String], names: &[String], has_items: bool) -> Result<CommandTemplate, Error> {
    let uses_first = command.iter().any(|word| word.contains("{1}"));
    let mut reader =
        PlaceholderReader { names, has_items, uses_first, in_code: false, notes: Vec::new(), doubled: None };
    let scripts = script::scripts(command);
    let argument = |(at, word): (usize, &String)| {
        let is_code = |option: &String| option == "-c" || option == "-e";
        reader.in_code = at.checked_sub(1).is_some_and(|before| is_code(&command[before])) && !scripts.contains(&at);
        reader.argument(word)
    };
    let arguments = command.iter().enumerate().map(argument).collect::<Result<_, _>>()?;
    let (notes, doubled) = (reader.notes, reader.doubled);
    let template = CommandTemplate { arguments, notes };
    match doubled {
        Some(inner) if template.is_literal() => Err(from_elsewhere(&inner)),
        _ => Ok(template),
    }
}

/// The error of a command whose only placeholder is written as Jinja and Argo Workflows have it.
fn from_elsewhere(inner: &str) -> Error {
    let name = inner.trim();
    let meant = if name == "item" { String::new() } else { name.to_owned() };
    Error::usage(format!("{{{{{inner}}}}} in the command is text: a placeholder has single braces"))
        .hint(format!("write {{{meant}}} for the value"))
        .hint("or add --no-placeholders, which leaves every brace as it is")
}

enum Meaning {
    Value(Placeholder),
    /// Would be one, if there were such a column.
    NoColumn,
    /// A word that may well be meant for a column's name.
    Unknown,
    /// The index and this column, from 0, which is called `#`.
    Both(usize),
    /// A slip of the pen in this column's name.
    Slip(String),
    /// GNU parallel's, which has no counterpart: what it is there, and what to do here.
    Parallel(&'static str, &'static str),
    /// Somebody else's.
    Text,
}

struct PlaceholderReader<'a> {
    names: &'a [String],
    has_items: bool,
    /// Whether the command has the placeholder `{1}`, so that `{2}` is meant for one.
    uses_first: bool,
    /// Whether this word is code of a language with braces of its own, as behind `python3 -c`.
    in_code: bool,
    notes: Vec<String>,
    /// The first column in doubled braces, as other systems write a placeholder.
    doubled: Option<String>,
}

/// Statements of awk that are the whole of an action, as in `awk '{print}'`.
const AWK: [&str; 6] = ["exit", "getline", "next", "nextfile", "print", "return"];

impl PlaceholderReader<'_> {
    fn argument(&mut self, word: &str) -> Result<Vec<Segment>, Error> {
        let mut segments = Vec::new();
        let mut at = 0;
        while let Some(open) = word[at..].find('{').map(|open| at + open) {
            push_text(&mut segments, &word[at..open]);
            at = open;
            // A variable of the shell.
            let variable = word[..open].ends_with('$');
            if let Some(inner) = doubled(&word[open..]) {
                let escaped = !matches!(self.meaning(inner), Meaning::Unknown | Meaning::Text) && !variable;
                if self.doubled.is_none() && !variable && self.is_elsewhere(inner.trim()) {
                    self.doubled = Some(inner.to_owned());
                }
                let length = inner.len() + 4;
                let cut = usize::from(escaped);
                push_text(&mut segments, &word[open + cut..open + length - cut]);
                at += length;
            } else if let Some(inner) = single(&word[open..]).filter(|_| !variable) {
                at += inner.len() + 2;
                match self.meaning(inner) {
                    Meaning::Value(placeholder) => {
                        segments.push(Segment::Value(placeholder));
                        continue;
                    }
                    Meaning::NoColumn if self.numbered() || self.is_place(&word[..open], &word[at..]) => {
                        return Err(self.no_column(inner));
                    }
                    // A format of curl's has a percent sign before it.
                    Meaning::Slip(meant) if !self.in_code && !word[..open].ends_with('%') => {
                        return Err(self.slip(inner, &meant));
                    }
                    Meaning::Both(column) => {
                        return Err(Error::usage("{#} in the command is the index, and a column is called # too")
                            .hint(format!("write {{{}}} for the column", column + 1))
                            .hint("the variable JOB_COMPLETION_INDEX has the index")
                            .hint(literally(inner)));
                    }
                    Meaning::Parallel(what, instead) => return Err(of_parallel(inner, what, instead)),
                    Meaning::NoColumn | Meaning::Unknown | Meaning::Slip(_) => self.note(inner),
                    Meaning::Text => {}
                }
                push_text(&mut segments, &word[open..at]);
            } else {
                push_text(&mut segments, "{");
                at += 1;
            }
        }
        push_text(&mut segments, &word[at..]);
        Ok(segments)
    }

    fn meaning(&self, inner: &str) -> Meaning {
        if inner == "#" {
            return match self.names.iter().position(|name| name == "#") {
                Some(column) => Meaning::Both(column),
                None => Meaning::Value(Placeholder::plain(Subject::Index)),
            };
        }
        if !self.has_items {
            return Meaning::Text;
        }
        if let Some(operation) = Operation::ALL.into_iter().find(|operation| operation.written() == inner) {
            return Meaning::Value(Placeholder { subject: Subject::Item, operation });
        }
        let readings = || {
            Operation::ALL
                .into_iter()
                .filter_map(|operation| Some((operation, inner.strip_suffix(operation.written())?)))
        };
        // A column may be called "1", or end in a dot: its name comes first.
        for (operation, name) in readings() {
            if let Some(place) = self.names.iter().position(|column| column == name) {
                return Meaning::Value(Placeholder { subject: Subject::Column(place), operation });
            }
        }
        for (operation, text) in readings() {
            if text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0')) {
                let subject = match text.parse::<usize>() {
                    Ok(1) if self.names.is_empty() => Subject::Item,
                    Ok(place) if (1..=self.names.len()).contains(&place) => Subject::Column(place - 1),
                    _ => return Meaning::NoColumn,
                };
                return Meaning::Value(Placeholder { subject, operation });
            }
        }
        match inner {
            "%" => return Meaning::Parallel("the number of its job slot", "{#} is the index"),
            "##" => return Meaning::Parallel("the number of jobs", "the variable ITEM_COUNT has it"),
            _ if inner.len() > 1 && inner.starts_with('=') && inner.ends_with('=') => {
                let instead = "change the value in a shell: -- sh -c 'printf %s {} | sed s/a/b/'";
                return Meaning::Parallel("a Perl expression", instead);
            }
            _ => {}
        }
        let named = !self.names.is_empty() && !self.numbered();
        let slip = |(_, name): (_, &str)| near::slip(name, self.names.iter().map(String::as_str)).map(str::to_owned);
        if let Some(meant) =
            readings().filter(|(_, name)| named && is_identifier(name) && !AWK.contains(name)).find_map(slip)
        {
            return Meaning::Slip(meant);
        }
        if named && readings().any(|(_, name)| is_identifier(name)) { Meaning::Unknown } else { Meaning::Text }
    }

    /// Whether the columns have no names but their numbers.
    fn numbered(&self) -> bool {
        !self.names.is_empty() && self.names.iter().zip(1..).all(|(name, place)| *name == place.to_string())
    }

    fn no_column(&self, inner: &str) -> Error {
        let columns = match self.names.len() {
            0 => "no columns".to_owned(),
            1 => "one column, {1}".to_owned(),
            count => format!("{count} columns, {{1}} to {{{count}}}"),
        };
        Error::usage(format!("{{{inner}}} in the command is no column: the items have {columns}"))
            .hint_if(self.names.is_empty().then_some("--colsep CHAR makes columns of the lines of a file"))
            .hint(literally(inner))
    }

    /// Whether a number in braces between these texts is meant for a column: in a regular expression, `{2}` stands
    /// behind something.
    fn is_place(&self, before: &str, after: &str) -> bool {
        let begins = before.chars().next_back().is_none_or(|c| c.is_whitespace() || "\"'=:/,".contains(c));
        begins && (self.uses_first || (before.is_empty() && after.is_empty()))
    }

    /// Whether another system would take this between doubled braces for a placeholder.
    fn is_elsewhere(&self, name: &str) -> bool {
        let is_column = self.names.iter().any(|column| column == name) && !self.numbered();
        self.has_items && (is_column || (self.names.is_empty() && name == "item"))
    }

    fn slip(&self, inner: &str, meant: &str) -> Error {
        let columns = self.columns();
        Error::usage(format!("{{{inner}}} in the command is no column: {columns}"))
            .hint(format!("did you mean {{{meant}}}?"))
            .hint(literally(inner))
    }

    fn columns(&self) -> String {
        if self.names.is_empty() {
            "the items have no columns".to_owned()
        } else {
            let listed = self.names.iter().take(LISTED_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = self.names.len().saturating_sub(LISTED_NAMES);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let (noun, verb) = if self.names.len() == 1 { ("column", "is") } else { ("columns", "are") };
            format!("the {noun} {verb} {listed}{more}")
        }
    }

    fn note(&mut self, inner: &str) {
        let columns = self.columns();
        let note = format!("{{{inner}}} in the command is no column ({columns}) and stays as it is");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn literally(inner: &str) -> String {
    format!("write {{{{{inner}}}}} for the braces themselves")
}

fn of_parallel(inner: &str, what: &str, instead: &str) -> Error {
    Error::usage(format!("{{{inner}}} in the command is {what} to GNU parallel, and nothing here"))
        .hint(instead)
        .hint(literally(inner))
}

/// What stands between the braces that `text` begins with, if no other brace does.
fn single(text: &str) -> Option<&str> {
    let (inner, _) = text.strip_prefix('{')?.split_once('}')?;
    (!inner.contains('{')).then_some(inner)
}

/// The same for doubled braces.
fn doubled(text: &str) -> Option<&str> {
    let inner = single(text.strip_prefix('{')?)?;
    text[inner.len() + 3..].starts_with('}').then_some(inner)
}

fn is_identifier(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(part)
}

#[cfg(test)]
mod tests;
