//! How an item reaches its worker: in a file, in arguments, in variables or on standard input, and by what means.
//!
//! Kubernetes itself can mount a file that differs from index to index, and give a variable the index. It can't give a
//! variable a value that differs from index to index, except by a way that came with 1.35: the kubelet reads it from a
//! file that an init container of the Pod wrote (`fileKeyRef`). Where that can't be had, a shell in the worker's image
//! reads the item and then becomes the command.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::items::{Columns, Item, Items};
use super::script::{self, Evaluated};
use super::template::{self, CommandTemplate, Placeholder, Segment};
use super::variables::{Naming, check_shell_names, variables};
use crate::args::Compat;
pub(crate) use crate::args::ItemForm;
use crate::contract::ITEM_VARIABLE;
use crate::error::Error;

pub(crate) use super::server::VARIABLE_FILE_SINCE;
/// Longest string in the arguments and the environment of a Linux process, with its ending NUL (`MAX_ARG_STRLEN`).
const MAX_STRING_BYTES: usize = 128 * 1024;
/// Longest line of a variable file (`bufio.MaxScanTokenSize`, of the scanner in `pkg/kubelet/util/env`).
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Where a variable of the worker has its value from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VariableSource {
    Constant(String),
    Index,
    /// A field of the Pod, as the downward API calls it.
    Field(&'static str),
    /// It is the completion index plus one.
    Position,
    /// It is the item, or made of it.
    Item(Placeholder),
}

/// A variable that the worker finds, besides those that the user names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) origin: VariableSource,
    /// Whether the worker has it whatever its command is, as another system's.
    pub(crate) standing: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommandPart {
    /// As the user wrote it: `$(NAME)` in it is Kubernetes' own.
    Text(String),
    Index,
    Variable(String),
}

pub(crate) type CommandWord = Vec<CommandPart>;

/// By what means variables and standard input are filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// There are none that differ from index to index in a way that Kubernetes can't give by itself.
    Plain,
    /// The kubelet reads them from a file, which an init container wrote.
    VariableFile,
    /// A shell in the worker's image does, called by this name.
    Shell(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handover {
    pub(crate) form: ItemForm,
    /// The absolute path of the file with the item, in the forms that have one.
    pub(crate) path: String,
    /// The command; empty when a template's own stands.
    pub(crate) words: Vec<CommandWord>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) route: Route,
    /// What a later command has to go by.
    pub(crate) wished: HandoverChoices,
    columns: Columns,
    /// Why this form, in words.
    because: String,
    /// By what means and why, in words, where any are needed.
    means: Option<String>,
    /// Whether the command is known, so that a shell can become it.
    can_wrap: bool,
    /// The shell to fall back to.
    shell: String,
}

/// What stands for an item where the worker needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Item,
    /// Lines `NAME='VALUE'`, which a shell and the kubelet read; the last is the item itself where no variable is.
    Assignments(Vec<(String, Placeholder)>),
}

/// What the user asked for, whatever the command is; kept with the Job, for a command that replaces it.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that stands alone")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HandoverChoices {
    /// Whether the form was asked for by name.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) form: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) no_placeholders: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) shell: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) no_shell: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What decides how the items reach the worker.
pub(super) struct HandoverRequest<'a> {
    pub(super) form: Option<ItemForm>,
    pub(super) path: Option<String>,
    pub(super) wished: HandoverChoices,
    pub(super) index_env: Option<String>,
    pub(super) compat: Vec<Compat>,
    /// Variables of other systems that a Job has already.
    pub(super) standing: Vec<(String, VariableSource)>,
    pub(super) env: &'a [(String, String)],
    /// Why items are arguments where the command has no placeholder, as behind `:::`.
    pub(super) arguments: Option<&'static str>,
    /// Whether the items are numbers that the user counts by, as in a Slurm array.
    pub(super) is_range: bool,
    /// Whether the template has a command of its own, where the command line has none.
    pub(super) template_command: bool,
    pub(super) completions: u32,
    pub(super) slurm: Slurm,
}

/// What Slurm would know of the Job.
#[derive(Clone, Debug, Default)]
pub(super) struct Slurm {
    pub(super) job: String,
    /// Whole cores of each index, at least 1.
    pub(super) cpus: u32,
    /// Where the command starts, as far as it is known.
    pub(super) workdir: Option<String>,
}

impl Handover {
    /// Decides how `items` reach `command`; the warnings are to be told.
    pub(super) fn plan(
        command: &[String],
        items: &Items,
        wishes: &HandoverRequest<'_>,
    ) -> Result<(Self, Vec<String>), Error> {
        let names = items.columns().names();
        let template = match wishes.form {
            None | Some(ItemForm::Arg | ItemForm::Index) if !wishes.wished.no_placeholders => {
                let has_items = !items.is_empty() && wishes.form != Some(ItemForm::Index);
                template::parse(command, &names, has_items)?
            }
            _ => CommandTemplate::literal(command),
        };
        let path = wishes.path.clone().unwrap_or_else(|| crate::contract::ITEM_PATH.to_owned());
        let names_path = command.iter().any(|word| word.contains(&path));
        let (form, because) = choose_form(&template, &names, items, wishes, names_path, &path)?;
        if wishes.path.is_some() && !matches!(form, ItemForm::File | ItemForm::Stdin) {
            let form = form.name();
            return Err(Error::usage(format!("--item-path has no use: the item reaches the worker as {form}"))
                .hint("leave --item-path out, or add --item-as=file"));
        }
        let mut naming = Naming::new(&names);
        let mut words = words(command, &template, &mut naming)?;
        match form {
            ItemForm::File if !words.is_empty() && !names_path => words.push(vec![CommandPart::Text(path.clone())]),
            ItemForm::Arg if template.is_literal() => words.extend(naming.all(&names)),
            _ => {}
        }
        let variables = variables(form, items, &names, &naming, wishes)?;
        if form == ItemForm::Env && script::has_shell(command) {
            check_shell_names(&variables, &names)?;
        }
        let mut handover = Self {
            form,
            path,
            words,
            variables,
            route: Route::Plain,
            wished: wishes.wished.clone(),
            columns: items.columns().clone(),
            because,
            means: None,
            can_wrap: wishes.template_command || !command.is_empty(),
            shell: script::shell_of(command).unwrap_or("sh").to_owned(),
        };
        handover.check_evaluated(command, items)?;
        handover.choose_route(command, items, wishes)?;
        let warnings = template.notes.into_iter().chain(script::windows_lines(command)).collect();
        Ok((handover, warnings))
    }

    /// The variables that are made of the item, by the name of each.
    pub(crate) fn item_variables(&self) -> impl Iterator<Item = (&str, &Placeholder)> {
        self.variables.iter().filter_map(|variable| match &variable.origin {
            VariableSource::Item(placeholder) => Some((variable.name.as_str(), placeholder)),
            _ => None,
        })
    }

    /// What stands for an item in the cluster.
    pub(crate) fn payload(&self) -> Payload {
        let whole = |placeholder: &Placeholder| *placeholder == Placeholder::ITEM;
        let numbered = matches!(self.columns, Columns::Numbered(_));
        let as_it_is = !numbered && self.item_variables().all(|(_, placeholder)| whole(placeholder));
        if !matches!(self.form, ItemForm::Arg | ItemForm::Env) || as_it_is {
            return Payload::Item;
        }
        let mut lines: Vec<_> = self.item_variables().map(|(name, p)| (name.to_owned(), p.clone())).collect();
        if numbered {
            // The whole item does not tell them apart, and a later command may ask for another one.
            let all = Naming::of_columns(&self.columns.names());
            let missing = all.into_iter().filter(|(name, _)| !lines.iter().any(|(known, _)| known == name));
            lines.extend(missing.collect::<Vec<_>>());
        }
        if !lines.iter().any(|(name, _)| name == ITEM_VARIABLE) {
            // Last, because the kubelet reads no further than to the variable that it looks for.
            lines.push((ITEM_VARIABLE.to_owned(), Placeholder::ITEM));
        }
        Payload::Assignments(lines)
    }

    /// Whether a Pod needs what stands for its item.
    pub(crate) fn needs_item(&self) -> bool {
        matches!(self.form, ItemForm::File | ItemForm::Stdin) || self.item_variables().next().is_some()
    }

    fn choose_route(&mut self, command: &[String], items: &Items, wishes: &HandoverRequest<'_>) -> Result<(), Error> {
        // Kubernetes gives all others by itself.
        let is_handed_over =
            |variable: &Variable| matches!(variable.origin, VariableSource::Position | VariableSource::Item(_));
        let handed_over = self.variables.iter().any(is_handed_over);
        if !handed_over && self.form != ItemForm::Stdin {
            if wishes.wished.shell {
                return Err(Error::usage(format!("--shell has no use: no shell is needed as {}", self.form.name()))
                    .hint("leave --shell out"));
            }
            return Ok(());
        }
        self.check_strings(items)?;
        if self.form == ItemForm::Stdin {
            return self.use_shell("standard input takes one");
        }
        if wishes.wished.shell {
            return self.use_shell("--shell asks for it");
        }
        if let Some(misfit) = self.misfit(items) {
            return self.use_shell(&misfit);
        }
        if script::shell_of(command).is_some() && !wishes.wished.no_shell {
            // It is there for certain, and saves the Pod an init container.
            return self.use_shell("the command is one itself");
        }
        self.route = Route::VariableFile;
        self.means = Some(format!(
            "the kubelet reads {} from a file that an init container writes, so the image needs no shell",
            self.handed_over()
        ));
        Ok(())
    }

    pub(crate) fn reason(&self) -> String {
        match &self.means {
            None => self.because.clone(),
            Some(means) => format!("{}; {means}", self.because),
        }
    }

    /// What a shell or the kubelet has to read.
    fn handed_over(&self) -> &'static str {
        match self.form {
            ItemForm::Arg | ItemForm::Env | ItemForm::Stdin => "it",
            ItemForm::File | ItemForm::Index => "other systems' variables",
        }
    }

    fn use_shell(&mut self, because: &str) -> Result<(), Error> {
        let cannot = |what: &str| {
            Error::usage(format!(
                "the items can't reach the worker as {} without a shell in its image: {because}, and {what}",
                self.form.name()
            ))
            .hint("--item-as file needs no shell: the worker finds its item in a file")
        };
        if self.wished.no_shell {
            return Err(cannot("--no-shell forbids one"));
        }
        if !self.can_wrap {
            return Err(cannot("the image's own entry point, which the template leaves in place, is not known"));
        }
        let (shell, what) = (&self.shell, self.handed_over());
        self.means = Some(format!("the shell {shell} of the worker's image reads {what}: {because}"));
        self.route = Route::Shell(self.shell.clone());
        Ok(())
    }

    /// Whether what was decided depends on the version of the server.
    pub(crate) fn depends_on_server(&self) -> bool {
        self.route == Route::VariableFile
    }

    /// Decides anew for a server of Kubernetes 1.`minor`.
    pub(crate) fn settle(&mut self, minor: u32) -> Result<(), Error> {
        if self.route != Route::VariableFile || minor >= VARIABLE_FILE_SINCE {
            return Ok(());
        }
        self.use_shell(&format!(
            "this server is Kubernetes 1.{minor}, and variables are read from a file from 1.{VARIABLE_FILE_SINCE} on"
        ))
    }

    /// Why the first item that a variable file can't carry is one, by its position.
    fn misfit(&self, items: &Items) -> Option<String> {
        let needed: Vec<_> = self.item_variables().collect();
        items.numbered().find_map(|(index, item)| {
            needed.iter().find_map(|(name, placeholder)| {
                let value = placeholder.value_in(item);
                let problem = if value.is_empty() {
                    "is empty"
                } else if value.contains(&b'\'') {
                    "has a single quote"
                } else if value.contains(&b'\n') || value.contains(&b'\r') {
                    "has a line break"
                } else if std::str::from_utf8(value).is_err() {
                    "is not UTF-8"
                } else if name.len() + value.len() + 4 >= MAX_LINE_BYTES {
                    "has 64 KiB or more"
                } else {
                    return None;
                };
                Some(format!("{} {problem}, which the kubelet's variable files can't carry", told(index, item)))
            })
        })
    }

    /// Whether every item gives a number wherever a shell evaluates its value once more.
    fn check_evaluated(&self, command: &[String], items: &Items) -> Result<(), Error> {
        let scripts = script::scripts(command).into_iter().filter_map(|at| match self.words.get(at)?.as_slice() {
            [CommandPart::Text(text)] if self.item_variables().next().is_some() => Some(text),
            // Where the whole script is a placeholder, the items are the scripts.
            _ => None,
        });
        for text in scripts {
            for (variable, evaluated) in script::evaluated(text)? {
                let Some((name, placeholder)) = self.item_variables().find(|(name, _)| *name == variable) else {
                    continue;
                };
                let is_number = |item: &Item| script::is_number(placeholder.value_in(item));
                let Some((index, item)) = items.numbered().find(|(_, item)| !is_number(item)) else { continue };
                let written = match self.form {
                    ItemForm::Arg => placeholder.written(&items.columns().names()),
                    _ => format!("${name}"),
                };
                let (place, instead) = match evaluated {
                    Evaluated::Arithmetic => ("in arithmetic", "take it out of the formula"),
                    Evaluated::Name => ("as the name of a variable", "write the name into the script"),
                    Evaluated::Code => ("in text that the shell runs as code", "take it out of that text"),
                };
                return Err(Error::usage(format!(
                    "{written} stands {place}, where only numbers are safe, and {} gives none",
                    told(index, item)
                ))
                .hint(format!("{instead}: assign it to a variable and check it there")));
            }
        }
        Ok(())
    }

    /// Whether each value can be in the environment and the arguments of a process at all.
    fn check_strings(&self, items: &Items) -> Result<(), Error> {
        if self.form == ItemForm::Stdin {
            return Ok(());
        }
        let length = |part: &CommandPart| match part {
            CommandPart::Text(text) => text.len(),
            CommandPart::Index => 10,
            CommandPart::Variable(_) => 0,
        };
        let text: usize = self.words.iter().map(|word| word.iter().map(length).sum()).max().unwrap_or(0);
        for (index, item) in items.numbered() {
            for (name, placeholder) in self.item_variables() {
                let value = placeholder.value_in(item);
                let problem = if value.contains(&0) {
                    "has a NUL byte, which no argument and no variable can carry".to_owned()
                } else if value.len() + name.len().max(text) + 2 > MAX_STRING_BYTES {
                    format!("has {} bytes, and Linux takes {MAX_STRING_BYTES} in one argument or variable", value.len())
                } else {
                    continue;
                };
                return Err(Error::usage(format!("{} {problem}", told(index, item)))
                    .hint("--item-as file and --item-as stdin carry any bytes"));
            }
        }
        Ok(())
    }
}

/// The item of which lines `NAME='VALUE'` were made.
pub(crate) fn parse_assigned_item(lines: &[u8], columns: &Columns) -> Option<Item> {
    let words = shlex::bytes::split(lines)?;
    let value = |name: &str| {
        words.iter().find_map(|word| Some(word.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_vec()))
    };
    let whole = value(ITEM_VARIABLE)?;
    let values: Option<Vec<_>> = match columns {
        Columns::Numbered(_) => Naming::of_columns(&columns.names()).iter().map(|(name, _)| value(name)).collect(),
        _ => None,
    };
    Some(match values {
        Some(values) => Item::record(whole, values),
        None => Item::read_back(&whole, columns),
    })
}

impl Payload {
    /// What stands for `item`, byte for byte.
    pub(crate) fn bytes<'a>(&self, item: &'a Item) -> Cow<'a, [u8]> {
        let Self::Assignments(lines) = self else { return Cow::Borrowed(item.bytes()) };
        let mut text = Vec::new();
        for (name, placeholder) in lines {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b"='");
            let unquoted: Vec<_> = placeholder.value_in(item).split(|&byte| byte == b'\'').collect();
            text.extend(unquoted.join(&br"'\''"[..]));
            text.extend_from_slice(b"'\n");
        }
        Cow::Owned(text)
    }
}

/// An item in an error: its position, and enough of it to know it by.
fn told(index: u32, item: &Item) -> String {
    const SHOWN: usize = 40;
    let text = item.lossy();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("item {index} ({:?}…)", &text[..end]),
        None => format!("item {index} ({text:?})"),
    }
}

fn choose_form(
    template: &CommandTemplate,
    names: &[String],
    items: &Items,
    wishes: &HandoverRequest<'_>,
    names_path: bool,
    path: &str,
) -> Result<(ItemForm, String), Error> {
    let Some(form) = wishes.form else {
        return if items.is_empty() {
            Ok((ItemForm::Index, "there are no items, only indexes".to_owned()))
        } else if let Some(placeholder) = template.placeholders().next() {
            let placeholder = placeholder.written(names);
            if names_path {
                return Err(Error::usage(format!(
                    "the command has the placeholder {placeholder} and names {path}: an item reaches the worker one way"
                ))
                .hint("leave one of them out, or add --no-placeholders to keep the braces as they are"));
            }
            Ok((ItemForm::Arg, format!("the command has the placeholder {placeholder}")))
        } else if let Some(because) = wishes.arguments {
            Ok((ItemForm::Arg, because.to_owned()))
        } else if names_path {
            Ok((ItemForm::File, format!("the command names {path}")))
        } else {
            Ok((ItemForm::File, format!("the command has no placeholder; {path} is its last argument")))
        };
    };
    if items.is_empty() && form != ItemForm::Index {
        let form = form.name();
        return Err(Error::usage(format!("--item-as {form} has no use: there are no items, only --completions"))
            .hint("leave --item-as out; the worker finds its index in the variable JOB_COMPLETION_INDEX"));
    }
    Ok((form, format!("--item-as {} asks for it", form.name())))
}

/// The command with its placeholders replaced by what stands for them.
fn words(command: &[String], template: &CommandTemplate, naming: &mut Naming) -> Result<Vec<CommandWord>, Error> {
    let scripts = script::scripts(command);
    let word = |(position, segments): (usize, &Vec<Segment>)| {
        segments.iter().filter_map(Segment::placeholder).for_each(|placeholder| naming.add(placeholder));
        // Where the whole script is a placeholder, the items are the scripts.
        if segments.len() > 1 && scripts.contains(&position) {
            let name = |placeholder: &Placeholder| naming.name(placeholder).to_owned();
            return Ok(vec![CommandPart::Text(script::refer(segments, &naming.columns, &name)?)]);
        }
        Ok(segments.iter().map(|segment| naming.part(segment)).collect())
    };
    template.arguments.iter().enumerate().map(word).collect()
}
