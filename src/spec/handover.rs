//! How an item reaches its worker: in a file, in arguments, in variables or on standard input.
//!
//! Kubernetes can mount a different file for each index, and put the index into a variable. Since 1.35 it can also set a
//! variable to a different value for each index: the kubelet reads it from a file that an init container of the Pod wrote
//! (`fileKeyRef`). On older servers, a shell in the worker's image reads the item and then executes the command.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::items::{Columns, Item, Items};
use super::script::{self, Evaluated};
use super::template::{self, CommandTemplate, Placeholder, Segment};
use super::variables::{Naming, check_shell_names, collect_variables};
use crate::args::Compat;
pub(crate) use crate::args::ItemForm;
use crate::contract::ITEM_VARIABLE;
use crate::error::Error;

pub(crate) use super::server::VARIABLE_FILE_SINCE;
/// The longest string in the arguments and the environment of a Linux process, with its final NUL (`MAX_ARG_STRLEN`).
const MAX_STRING_BYTES: usize = 128 * 1024;
/// The longest line of a variable file (`bufio.MaxScanTokenSize`, of the scanner in `pkg/kubelet/util/env`).
const MAX_LINE_BYTES: usize = 64 * 1024;

/// The source of a variable's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VariableSource {
    Constant(String),
    Index,
    /// A field of the Pod, by its name in the downward API.
    Field(&'static str),
    /// The completion index plus one.
    Position,
    /// The item, or a part of it.
    Item(Placeholder),
}

/// A variable of the worker, besides those of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) source: VariableSource,
    /// Whether the variable does not depend on the command, as those of another system.
    pub(crate) is_kept: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommandPart {
    /// As typed: Kubernetes expands `$(NAME)` in it.
    Text(String),
    Index,
    Variable(String),
}

pub(crate) type CommandWord = Vec<CommandPart>;

/// What fills variables and standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Kubernetes itself: no value needs more.
    Plain,
    /// The kubelet, from a file that an init container wrote.
    VariableFile,
    /// The shell with this name in the worker's image.
    Shell(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handover {
    pub(crate) form: ItemForm,
    /// The absolute path of the file with the item, in the forms `file` and `stdin`.
    pub(crate) path: String,
    /// The command; empty keeps that of the template.
    pub(crate) words: Vec<CommandWord>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) route: Route,
    /// What a later command must follow too.
    pub(crate) choices: HandoverChoices,
    columns: Columns,
    /// The reason for the form, for the user.
    form_reason: String,
    /// The reason for the route, for the user; `None` for [`Route::Plain`].
    route_reason: Option<String>,
    /// Whether the command is known, so that a shell can execute it.
    can_wrap: bool,
    /// The shell of [`Route::Shell`], if that is needed.
    shell: String,
}

/// The bytes that are stored for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Item,
    /// Lines `NAME='VALUE'` for a shell and the kubelet, with one for the whole item.
    Assignments(Vec<(String, Placeholder)>),
}

/// The choices of the user that do not depend on the command. They are stored with the Job for a later command.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent flag")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HandoverChoices {
    /// Whether the user chose the form.
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

/// Everything that decides how the items reach the worker.
pub(super) struct HandoverRequest<'a> {
    pub(super) form: Option<ItemForm>,
    pub(super) path: Option<String>,
    pub(super) choices: HandoverChoices,
    pub(super) index_env: Option<String>,
    pub(super) compat: Vec<Compat>,
    /// Variables of other systems that an existing Job keeps.
    pub(super) kept_variables: Vec<(String, VariableSource)>,
    pub(super) env: &'a [(String, String)],
    /// The reason to pass items as arguments to a command without placeholders, as after `:::`.
    pub(super) arguments: Option<&'static str>,
    /// Whether the items are the numbers of `--range`, as in a Slurm array.
    pub(super) is_range: bool,
    /// Whether only the template has a command.
    pub(super) template_command: bool,
    pub(super) completions: u32,
    pub(super) slurm: Slurm,
}

/// The facts of the Job that Slurm's variables hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Slurm {
    pub(super) job: String,
    /// Whole cores of each index, at least 1.
    pub(super) cpus: u32,
    /// The working directory, if it is known.
    pub(super) workdir: Option<String>,
}

impl Handover {
    /// Decides how `items` reach `command`. Returns warnings with it.
    pub(super) fn plan(
        command: &[String],
        items: &Items,
        request: &HandoverRequest<'_>,
    ) -> Result<(Self, Vec<String>), Error> {
        let names = items.columns().names();
        let template = match request.form {
            None | Some(ItemForm::Arg | ItemForm::Index) if !request.choices.no_placeholders => {
                let has_items = !items.is_empty() && request.form != Some(ItemForm::Index);
                template::parse(command, &names, has_items)?
            }
            _ => CommandTemplate::literal(command),
        };
        let path = request.path.clone().unwrap_or_else(|| crate::contract::ITEM_PATH.to_owned());
        let names_path = command.iter().any(|word| word.contains(&path));
        let (form, form_reason) = choose_form(&template, &names, items, request, names_path, &path)?;
        if request.path.is_some() && !matches!(form, ItemForm::File | ItemForm::Stdin) {
            let form = form.name();
            return Err(Error::usage(format!(
                "--item-path has no effect: the item is passed as {form}, not in a file"
            ))
            .hint("remove --item-path, or add --item-as=file"));
        }
        let mut naming = Naming::new(&names);
        let mut words = replace_placeholders(command, &template, &mut naming)?;
        match form {
            ItemForm::File if !words.is_empty() && !names_path => words.push(vec![CommandPart::Text(path.clone())]),
            ItemForm::Arg if template.is_literal() => words.extend(naming.column_words(&names)),
            _ => {}
        }
        let variables = collect_variables(form, items, &names, &naming, request)?;
        if form == ItemForm::Env && script::has_shell(command) {
            check_shell_names(&variables, &names)?;
        }
        let mut handover = Self {
            form,
            path,
            words,
            variables,
            route: Route::Plain,
            choices: request.choices.clone(),
            columns: items.columns().clone(),
            form_reason,
            route_reason: None,
            can_wrap: request.template_command || !command.is_empty(),
            shell: script::shell_of(command).unwrap_or("sh").to_owned(),
        };
        handover.check_evaluated(command, items)?;
        handover.choose_route(command, items, request)?;
        let warnings = template.notes.into_iter().chain(script::warn_of_windows_lines(command)).collect();
        Ok((handover, warnings))
    }

    /// Returns the variables that hold the item or a part of it, by name.
    pub(crate) fn item_variables(&self) -> impl Iterator<Item = (&str, &Placeholder)> {
        self.variables.iter().filter_map(|variable| match &variable.source {
            VariableSource::Item(placeholder) => Some((variable.name.as_str(), placeholder)),
            _ => None,
        })
    }

    /// Returns how the bytes that are stored for an item are made.
    pub(crate) fn payload(&self) -> Payload {
        let is_item = |placeholder: &Placeholder| *placeholder == Placeholder::ITEM;
        let numbered = matches!(self.columns, Columns::Numbered(_));
        let is_whole = !numbered && self.item_variables().all(|(_, placeholder)| is_item(placeholder));
        if !matches!(self.form, ItemForm::Arg | ItemForm::Env) || is_whole {
            return Payload::Item;
        }
        let mut lines: Vec<_> = self.item_variables().map(|(name, p)| (name.to_owned(), p.clone())).collect();
        if numbered {
            // The whole item does not separate the columns, and a later command may need another column.
            let all = Naming::of_columns(&self.columns.names());
            let missing = all.into_iter().filter(|(name, _)| !lines.iter().any(|(known, _)| known == name));
            lines.extend(missing.collect::<Vec<_>>());
        }
        if !lines.iter().any(|(name, _)| name == ITEM_VARIABLE) {
            // Last, because the kubelet stops at the variable that it looks for.
            lines.push((ITEM_VARIABLE.to_owned(), Placeholder::ITEM));
        }
        Payload::Assignments(lines)
    }

    /// Returns whether a Pod needs its item.
    pub(crate) fn needs_item(&self) -> bool {
        matches!(self.form, ItemForm::File | ItemForm::Stdin) || self.item_variables().next().is_some()
    }

    fn choose_route(&mut self, command: &[String], items: &Items, request: &HandoverRequest<'_>) -> Result<(), Error> {
        // Kubernetes itself sets all others.
        let is_passed =
            |variable: &Variable| matches!(variable.source, VariableSource::Position | VariableSource::Item(_));
        let passes_any = self.variables.iter().any(is_passed);
        if !passes_any && self.form != ItemForm::Stdin {
            if request.choices.shell {
                return Err(Error::usage(format!(
                    "--shell has no effect: --item-as {} needs no shell",
                    self.form.name()
                ))
                .hint("remove --shell"));
            }
            return Ok(());
        }
        self.check_strings(items)?;
        if self.form == ItemForm::Stdin {
            return self.use_shell("only a shell can fill standard input");
        }
        if request.choices.shell {
            return self.use_shell("--shell was given");
        }
        if let Some(misfit) = self.find_misfit(items) {
            return self.use_shell(&misfit);
        }
        if script::shell_of(command).is_some() && !request.choices.no_shell {
            // That shell exists for certain, and saves the Pod an init container.
            return self.use_shell("the command is a shell");
        }
        self.route = Route::VariableFile;
        self.route_reason = Some(format!(
            "the kubelet reads {} from a file that an init container writes, so the image needs no shell",
            self.passed_value()
        ));
        Ok(())
    }

    /// Returns the reasons for form and route, for the user.
    pub(crate) fn reason(&self) -> String {
        match &self.route_reason {
            None => self.form_reason.clone(),
            Some(route) => format!("{}; {route}", self.form_reason),
        }
    }

    /// Returns what a shell or the kubelet reads, as a sentence names it.
    fn passed_value(&self) -> &'static str {
        match self.form {
            ItemForm::Arg | ItemForm::Env | ItemForm::Stdin => "it",
            ItemForm::File | ItemForm::Index => "other systems' variables",
        }
    }

    fn use_shell(&mut self, because: &str) -> Result<(), Error> {
        let cannot = |obstacle: &str| {
            let (flag, hint) = match self.form {
                ItemForm::File | ItemForm::Index => ("--compat".to_owned(), "remove --compat"),
                form => (format!("--item-as {}", form.name()), "use --item-as file, which needs no shell"),
            };
            Error::usage(format!("{flag} needs a shell in the worker's image ({because}), and {obstacle}")).hint(hint)
        };
        if self.choices.no_shell {
            return Err(cannot("--no-shell forbids one"));
        }
        if !self.can_wrap {
            return Err(cannot("the command of the template's image is unknown"));
        }
        let (shell, value) = (&self.shell, self.passed_value());
        self.route_reason = Some(format!("the shell {shell} in the worker's image reads {value}: {because}"));
        self.route = Route::Shell(self.shell.clone());
        Ok(())
    }

    /// Returns whether the route depends on the version of the server.
    pub(crate) fn depends_on_server(&self) -> bool {
        self.route == Route::VariableFile
    }

    /// Adapts the route to a server of Kubernetes 1.`minor`.
    pub(crate) fn settle(&mut self, minor: u32) -> Result<(), Error> {
        if self.route != Route::VariableFile || minor >= VARIABLE_FILE_SINCE {
            return Ok(());
        }
        self.use_shell(&format!(
            "this server is Kubernetes 1.{minor}, and variables from a file need 1.{VARIABLE_FILE_SINCE}"
        ))
    }

    /// Returns why a variable file can't hold the first item that does not fit.
    fn find_misfit(&self, items: &Items) -> Option<String> {
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
                Some(format!("{} {problem}, which the kubelet can't read from a file", item.quoted(index)))
            })
        })
    }

    /// Checks that every item is a number wherever a shell evaluates its value again.
    fn check_evaluated(&self, command: &[String], items: &Items) -> Result<(), Error> {
        let scripts = script::scripts(command).into_iter().filter_map(|at| match self.words.get(at)?.as_slice() {
            [CommandPart::Text(text)] if self.item_variables().next().is_some() => Some(text),
            // If the whole script is a placeholder, the items are the scripts.
            _ => None,
        });
        for text in scripts {
            for (variable, evaluated) in script::find_evaluated(text)? {
                let Some((name, placeholder)) = self.item_variables().find(|(name, _)| *name == variable) else {
                    continue;
                };
                let is_number = |item: &Item| script::is_number(placeholder.value_in(item));
                let Some((index, item)) = items.numbered().find(|(_, item)| !is_number(item)) else { continue };
                let written = match self.form {
                    ItemForm::Arg => placeholder.to_text(&items.columns().names()),
                    _ => format!("${name}"),
                };
                let (place, hint) = match evaluated {
                    Evaluated::Arithmetic => {
                        ("in arithmetic", "assign it to a variable first, and check that variable")
                    }
                    Evaluated::Name => ("as the name of a variable", "write the name itself into the script"),
                    Evaluated::Code => ("in text that the shell runs as code", "use it outside that text"),
                };
                return Err(Error::usage(format!(
                    "{written} is used {place}, where only numbers are safe, and is no number in {}",
                    item.quoted(index)
                ))
                .hint(hint));
            }
        }
        Ok(())
    }

    /// Checks that each value can be part of the environment and the arguments of a process.
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
                    "has a NUL byte, which arguments and variables can't hold".to_owned()
                } else if value.len() + name.len().max(text) + 2 > MAX_STRING_BYTES {
                    format!(
                        "has {} bytes, and Linux allows {MAX_STRING_BYTES} in one argument or variable",
                        value.len()
                    )
                } else {
                    continue;
                };
                return Err(Error::usage(format!("{} {problem}", item.quoted(index)))
                    .hint("use --item-as file or --item-as stdin, which pass any bytes"));
            }
        }
        Ok(())
    }
}

/// Parses an item from its lines `NAME='VALUE'`.
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
    /// Returns the bytes that are stored for `item`.
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

/// Returns the form, and the reason for it.
fn choose_form(
    template: &CommandTemplate,
    names: &[String],
    items: &Items,
    request: &HandoverRequest<'_>,
    names_path: bool,
    path: &str,
) -> Result<(ItemForm, String), Error> {
    let Some(form) = request.form else {
        return if items.is_empty() {
            Ok((ItemForm::Index, "there are no items, only indexes".to_owned()))
        } else if let Some(placeholder) = template.placeholders().next() {
            let placeholder = placeholder.to_text(names);
            if names_path {
                return Err(Error::usage(format!(
                    "the command has the placeholder {placeholder} and the file {path}, and an item is passed only one way"
                ))
                .hint("remove one of them, or add --no-placeholders to keep the braces"));
            }
            Ok((ItemForm::Arg, format!("the command has the placeholder {placeholder}")))
        } else if let Some(reason) = request.arguments {
            Ok((ItemForm::Arg, reason.to_owned()))
        } else if names_path {
            Ok((ItemForm::File, format!("the command names {path}")))
        } else {
            Ok((ItemForm::File, format!("the command has no placeholder; {path} is its last argument")))
        };
    };
    if items.is_empty() && form != ItemForm::Index {
        let form = form.name();
        return Err(Error::usage(format!("--item-as {form} has no effect: there are no items, only --completions"))
            .hint("remove --item-as, and read the index from the variable JOB_COMPLETION_INDEX"));
    }
    Ok((form, format!("--item-as {} was given", form.name())))
}

/// Returns the command with its placeholders replaced.
fn replace_placeholders(
    command: &[String],
    template: &CommandTemplate,
    naming: &mut Naming,
) -> Result<Vec<CommandWord>, Error> {
    let scripts = script::scripts(command);
    let word = |(position, segments): (usize, &Vec<Segment>)| {
        segments.iter().filter_map(Segment::placeholder).for_each(|placeholder| naming.add(placeholder));
        // If the whole script is a placeholder, the items are the scripts.
        if segments.len() > 1 && scripts.contains(&position) {
            let name = |placeholder: &Placeholder| naming.name(placeholder).to_owned();
            return Ok(vec![CommandPart::Text(script::insert_references(segments, &naming.columns, &name)?)]);
        }
        Ok(segments.iter().map(|segment| naming.part(segment)).collect())
    };
    template.arguments.iter().enumerate().map(word).collect()
}
