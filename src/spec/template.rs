//! Placeholders in the user's command: `{}`, `{column}` and `{#}`.
//!
//! They are those of GNU parallel, with one difference: `{#}` is the index, so it begins at 0.

use super::items::Item;
use super::{near, script};
use crate::error::Error;

/// The most names of columns in a message.
const LISTED_NAMES: usize = 10;

/// The text that replaces a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum PlaceholderSubject {
    Item,
    /// A column of the item, from 0.
    Column(usize),
    /// The completion index, in decimal digits.
    Index,
}

/// What is cut from that text, as a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// `{}`: nothing.
    None,
    /// `{.}`: removes the last extension.
    WithoutExtension,
    /// `{/}`: keeps only what follows the last slash.
    Base,
    /// `{//}`: keeps only the folder; `.` if there is none.
    Folder,
    /// `{/.}`: `{/}` and `{.}` together.
    Stem,
}

/// A pair of braces that is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Placeholder {
    pub(crate) subject: PlaceholderSubject,
    pub(crate) operation: Operation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Fixed text; never empty.
    Text(String),
    /// A different text for each index.
    Value(Placeholder),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandTemplate {
    /// The segments of each word of the command, no two texts side by side, none for an empty word.
    pub(crate) arguments: Vec<Vec<Segment>>,
    /// Notes for the user, with unescaped text of the command and of names.
    pub(crate) notes: Vec<String>,
}

impl Operation {
    /// All operations; a suffix comes before its own endings.
    const ALL: [Self; 5] = [Self::None, Self::Stem, Self::Folder, Self::WithoutExtension, Self::Base];

    /// Returns the text before the closing brace.
    fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::WithoutExtension => ".",
            Self::Base => "/",
            Self::Folder => "//",
            Self::Stem => "/.",
        }
    }

    /// Returns the rest of `value`, by the rules of GNU parallel: a hidden file consists of its extension, `{/}` of a path
    /// that ends in a slash is empty, and `{//}` is Perl's `dirname`. Other than in GNU parallel, `{/}` does not stop at a
    /// line break.
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

/// Removes the slashes at the end, but not that of the root.
fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(path.len().min(1), |at| at + 1);
    &path[..end]
}

impl Placeholder {
    pub(crate) const ITEM: Self = Self::whole(PlaceholderSubject::Item);

    /// Returns the text for an item; empty for the index.
    pub(crate) fn value_in<'a>(&self, item: &'a Item) -> &'a [u8] {
        self.operation.apply(match self.subject {
            PlaceholderSubject::Item => item.bytes(),
            PlaceholderSubject::Column(place) => item.value(place),
            PlaceholderSubject::Index => &[],
        })
    }

    const fn whole(subject: PlaceholderSubject) -> Self {
        Self { subject, operation: Operation::None }
    }

    /// Returns the placeholder as typed, with these names of columns; a column without a name has its number.
    pub(crate) fn to_text(&self, names: &[String]) -> String {
        let operation = self.operation.suffix();
        match self.subject {
            PlaceholderSubject::Item => format!("{{{operation}}}"),
            PlaceholderSubject::Column(place) => match names.get(place) {
                Some(name) => format!("{{{name}{operation}}}"),
                None => format!("{{{}{operation}}}", place + 1),
            },
            PlaceholderSubject::Index => "{#}".to_owned(),
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

    /// Returns the placeholders of the whole command, in order, with repetitions.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.arguments.iter().flatten().filter_map(Segment::placeholder)
    }

    /// Returns whether the command is the same for every index.
    pub(crate) fn is_literal(&self) -> bool {
        self.placeholders().next().is_none()
    }
}

/// Parses a command. `names` are those of the columns: "1", "2" and so on if columns are only numbered, empty if an item
/// has none. Without items only `{#}` is a placeholder.
pub(crate) fn parse(command: &[String], names: &[String], has_items: bool) -> Result<CommandTemplate, Error> {
    let uses_first = command.iter().any(|word| word.contains("{1}"));
    let mut reader =
        PlaceholderReader { names, has_items, uses_first, in_code: false, notes: Vec::new(), doubled: None };
    let scripts = script::scripts(command);
    let argument = |(at, word): (usize, &String)| {
        let is_code = |option: &String| option == "-c" || option == "-e";
        reader.in_code = at.checked_sub(1).is_some_and(|before| is_code(&command[before])) && !scripts.contains(&at);
        reader.parse_argument(word)
    };
    let arguments = command.iter().enumerate().map(argument).collect::<Result<_, _>>()?;
    let (notes, doubled) = (reader.notes, reader.doubled);
    let template = CommandTemplate { arguments, notes };
    match doubled {
        Some(inner) if template.is_literal() => Err(foreign_placeholder_error(&inner)),
        _ => Ok(template),
    }
}

/// Returns the error of a command whose only placeholder has the form of Jinja and Argo Workflows.
fn foreign_placeholder_error(inner: &str) -> Error {
    let name = inner.trim();
    let meant = if name == "item" { String::new() } else { name.to_owned() };
    Error::usage(format!("{{{{{inner}}}}} in the command is text: a placeholder has single braces"))
        .hint(format!("write {{{meant}}} for the value"))
        .hint("or add --no-placeholders to keep every brace")
}

/// What a pair of braces means.
enum Meaning {
    Value(Placeholder),
    /// A placeholder for a column that does not exist.
    NoColumn,
    /// A word that may be meant as a column's name.
    Unknown,
    /// The index, or this column, from 0, with the name `#`.
    Both(usize),
    /// A mistyped name of this column.
    Slip(String),
    /// A placeholder of GNU parallel without a counterpart: its meaning there, and the hint.
    Parallel(&'static str, &'static str),
    /// No placeholder.
    Text,
}

struct PlaceholderReader<'a> {
    names: &'a [String],
    has_items: bool,
    /// Whether the command has the placeholder `{1}`, so that `{2}` is meant as one.
    uses_first: bool,
    /// Whether this word is code of a language that uses braces, as after `python3 -c`.
    in_code: bool,
    notes: Vec<String>,
    /// The first column in doubled braces, which other systems use for placeholders.
    doubled: Option<String>,
}

/// Statements of awk that are a whole action, as in `awk '{print}'`.
const AWK: [&str; 6] = ["exit", "getline", "next", "nextfile", "print", "return"];

impl PlaceholderReader<'_> {
    fn parse_argument(&mut self, word: &str) -> Result<Vec<Segment>, Error> {
        let mut segments = Vec::new();
        let mut at = 0;
        while let Some(open) = word[at..].find('{').map(|open| at + open) {
            push_text(&mut segments, &word[at..open]);
            at = open;
            // `${` begins a variable of the shell.
            let variable = word[..open].ends_with('$');
            if let Some(inner) = doubled_braces(&word[open..]) {
                let escaped = !matches!(self.meaning(inner), Meaning::Unknown | Meaning::Text) && !variable;
                if self.doubled.is_none() && !variable && self.is_foreign(inner.trim()) {
                    self.doubled = Some(inner.to_owned());
                }
                let length = inner.len() + 4;
                let cut = usize::from(escaped);
                push_text(&mut segments, &word[open + cut..open + length - cut]);
                at += length;
            } else if let Some(inner) = single_braces(&word[open..]).filter(|_| !variable) {
                at += inner.len() + 2;
                match self.meaning(inner) {
                    Meaning::Value(placeholder) => {
                        segments.push(Segment::Value(placeholder));
                        continue;
                    }
                    Meaning::NoColumn if self.has_numbers() || self.is_column_number(&word[..open], &word[at..]) => {
                        return Err(self.no_column_error(inner));
                    }
                    // curl writes a variable as %{name}.
                    Meaning::Slip(meant) if !self.in_code && !word[..open].ends_with('%') => {
                        return Err(self.mistyped_error(inner, &meant));
                    }
                    Meaning::Both(column) => {
                        return Err(Error::usage("{#} in the command may be the index or the column \"#\"")
                            .hint(format!("write {{{}}} for the column", column + 1))
                            .hint("use the variable JOB_COMPLETION_INDEX for the index")
                            .hint(hint_for_braces(inner)));
                    }
                    Meaning::Parallel(meaning, hint) => return Err(parallel_error(inner, meaning, hint)),
                    Meaning::NoColumn | Meaning::Unknown | Meaning::Slip(_) => self.add_note(inner),
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
                None => Meaning::Value(Placeholder::whole(PlaceholderSubject::Index)),
            };
        }
        if !self.has_items {
            return Meaning::Text;
        }
        if let Some(operation) = Operation::ALL.into_iter().find(|operation| operation.suffix() == inner) {
            return Meaning::Value(Placeholder { subject: PlaceholderSubject::Item, operation });
        }
        let readings = || {
            Operation::ALL
                .into_iter()
                .filter_map(|operation| Some((operation, inner.strip_suffix(operation.suffix())?)))
        };
        // A name may be "1", or end in a dot: names take precedence.
        for (operation, name) in readings() {
            if let Some(place) = self.names.iter().position(|column| column == name) {
                return Meaning::Value(Placeholder { subject: PlaceholderSubject::Column(place), operation });
            }
        }
        for (operation, text) in readings() {
            if text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0')) {
                let subject = match text.parse::<usize>() {
                    Ok(1) if self.names.is_empty() => PlaceholderSubject::Item,
                    Ok(place) if (1..=self.names.len()).contains(&place) => PlaceholderSubject::Column(place - 1),
                    _ => return Meaning::NoColumn,
                };
                return Meaning::Value(Placeholder { subject, operation });
            }
        }
        match inner {
            "%" => return Meaning::Parallel("the number of the job slot", "use {#} for the index"),
            "##" => return Meaning::Parallel("the number of jobs", "use the variable ITEM_COUNT"),
            _ if inner.len() > 1 && inner.starts_with('=') && inner.ends_with('=') => {
                let instead = "change the value in a shell: -- sh -c 'printf %s {} | sed s/a/b/'";
                return Meaning::Parallel("a Perl expression", instead);
            }
            _ => {}
        }
        let named = !self.names.is_empty() && !self.has_numbers();
        let slip =
            |(_, name): (_, &str)| near::find_slip(name, self.names.iter().map(String::as_str)).map(str::to_owned);
        if let Some(meant) =
            readings().filter(|(_, name)| named && is_identifier(name) && !AWK.contains(name)).find_map(slip)
        {
            return Meaning::Slip(meant);
        }
        if named && readings().any(|(_, name)| is_identifier(name)) { Meaning::Unknown } else { Meaning::Text }
    }

    /// Returns whether the columns have numbers for names.
    fn has_numbers(&self) -> bool {
        !self.names.is_empty() && self.names.iter().zip(1..).all(|(name, place)| *name == place.to_string())
    }

    fn no_column_error(&self, inner: &str) -> Error {
        let columns = match self.names.len() {
            0 => "no columns".to_owned(),
            1 => "one column, {1}".to_owned(),
            count => format!("{count} columns, {{1}} to {{{count}}}"),
        };
        Error::usage(format!("{{{inner}}} in the command names no column: the items have {columns}"))
            .hint_if(self.names.is_empty().then_some("--colsep CHAR splits the lines of a file into columns"))
            .hint(hint_for_braces(inner))
    }

    /// Returns whether a number in braces between these texts is meant as a column. In a regular expression, `{2}` follows
    /// a character.
    fn is_column_number(&self, before: &str, after: &str) -> bool {
        let begins = before.chars().next_back().is_none_or(|c| c.is_whitespace() || "\"'=:/,".contains(c));
        begins && (self.uses_first || (before.is_empty() && after.is_empty()))
    }

    /// Returns whether this name in doubled braces is a placeholder in another system.
    fn is_foreign(&self, name: &str) -> bool {
        let is_column = self.names.iter().any(|column| column == name) && !self.has_numbers();
        self.has_items && (is_column || (self.names.is_empty() && name == "item"))
    }

    fn mistyped_error(&self, inner: &str, meant: &str) -> Error {
        let columns = self.list_columns();
        Error::usage(format!("{{{inner}}} in the command names no column: {columns}"))
            .hint(format!("did you mean {{{meant}}}?"))
            .hint(hint_for_braces(inner))
    }

    fn list_columns(&self) -> String {
        if self.names.is_empty() {
            "the items have no columns".to_owned()
        } else {
            let listed =
                self.names.iter().take(LISTED_NAMES).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            let more = self.names.len().saturating_sub(LISTED_NAMES);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let (noun, verb) = if self.names.len() == 1 { ("column", "is") } else { ("columns", "are") };
            format!("the {noun} {verb} {listed}{more}")
        }
    }

    fn add_note(&mut self, inner: &str) {
        let columns = self.list_columns();
        let note = format!("{{{inner}}} in the command names no column ({columns}) and stays unchanged");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn hint_for_braces(inner: &str) -> String {
    format!("write {{{{{inner}}}}} for the text {{{inner}}} itself")
}

fn parallel_error(inner: &str, meaning: &str, hint: &str) -> Error {
    Error::usage(format!("{{{inner}}} in the command is {meaning} in GNU parallel, and is not supported here"))
        .hint(hint)
        .hint(hint_for_braces(inner))
}

/// Returns the text in the braces with which `text` begins, if it has no other brace.
fn single_braces(text: &str) -> Option<&str> {
    let (inner, _) = text.strip_prefix('{')?.split_once('}')?;
    (!inner.contains('{')).then_some(inner)
}

/// Does the same for doubled braces.
fn doubled_braces(text: &str) -> Option<&str> {
    let inner = single_braces(text.strip_prefix('{')?)?;
    text[inner.len() + 3..].starts_with('}').then_some(inner)
}

fn is_identifier(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(part)
}

#[cfg(test)]
mod tests;
