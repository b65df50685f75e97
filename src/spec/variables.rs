//! The variables that a worker gets besides those of the user: their names and sources.

use std::collections::BTreeMap;
use std::fmt;

use super::handover::{CommandPart, CommandWord, HandoverRequest, ItemForm, Slurm, Variable, VariableSource};
use super::items::{Item, Items};
use super::template::{Operation, Placeholder, PlaceholderSubject, Segment};
use crate::args::Compat;
use crate::contract::{COUNT_VARIABLE, INDEX_VARIABLE, ITEM_VARIABLE};
use crate::error::Error;

/// The index, which is part of Slurm's job number.
const SLURM_INDEX: &str = "SLURM_TASK_INDEX";

/// The variable for each placeholder.
pub(super) struct Naming {
    pub(super) columns: Vec<String>,
    names: BTreeMap<Placeholder, String>,
}

impl Naming {
    pub(super) fn new(columns: &[String]) -> Self {
        Self { columns: columns.to_vec(), names: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, placeholder: &Placeholder) {
        if self.names.contains_key(placeholder) {
            return;
        }
        let subject = match placeholder.subject {
            PlaceholderSubject::Index => INDEX_VARIABLE.to_owned(),
            PlaceholderSubject::Item => ITEM_VARIABLE.to_owned(),
            PlaceholderSubject::Column(column) => format!("{ITEM_VARIABLE}_{}", identifier(&self.columns[column])),
        };
        let operation = match placeholder.operation {
            Operation::None => "",
            Operation::WithoutExtension => "__NOEXT",
            Operation::Base => "__BASE",
            Operation::Folder => "__DIR",
            Operation::Stem => "__STEM",
        };
        let stem = subject + operation;
        let taken = |name: &str| name == COUNT_VARIABLE || self.names.values().any(|known| known == name);
        let numbered = (2..).map(|n| format!("{stem}_{n}"));
        let name = std::iter::once(stem.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or_default();
        self.names.insert(placeholder.clone(), name);
    }

    pub(super) fn name(&self, placeholder: &Placeholder) -> &str {
        self.names.get(placeholder).map_or(ITEM_VARIABLE, String::as_str)
    }

    pub(super) fn part(&self, segment: &Segment) -> CommandPart {
        match segment {
            Segment::Text(text) => CommandPart::Text(text.clone()),
            Segment::Value(placeholder) if placeholder.subject == PlaceholderSubject::Index => CommandPart::Index,
            Segment::Value(placeholder) => CommandPart::Variable(self.name(placeholder).to_owned()),
        }
    }

    pub(super) fn of_columns(columns: &[String]) -> Vec<(String, Placeholder)> {
        let mut naming = Self::new(columns);
        naming.column_words(columns);
        naming.names.into_iter().map(|(placeholder, name)| (name, placeholder)).collect()
    }

    /// Returns one argument for each column, or one for an item without columns.
    pub(super) fn column_words(&mut self, columns: &[String]) -> Vec<CommandWord> {
        let subjects = match columns.len() {
            0 => vec![PlaceholderSubject::Item],
            n => (0..n).map(PlaceholderSubject::Column).collect(),
        };
        let word = |subject| {
            let placeholder = Placeholder { subject, operation: Operation::None };
            self.add(&placeholder);
            vec![CommandPart::Variable(self.name(&placeholder).to_owned())]
        };
        subjects.into_iter().map(word).collect()
    }
}

/// Returns a name that is valid for a shell variable.
fn identifier(column: &str) -> String {
    let name: String = column.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Variables that bash, dash, busybox, ksh, mksh or zsh set themselves, or that bash documents as its own. Names that
/// begin with BASH count too.
const OF_SHELLS: &str = "_ COMP_WORDBREAKS DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS HISTCMD IFS LINENO \
                         OLDPWD OPTERR OPTIND PIPESTATUS POSIXLY_CORRECT PPID PS0 PS1 PS2 PS3 PS4 PWD RANDOM SECONDS \
                         SHELLOPTS SHLVL SRANDOM TMOUT UID";

/// Checks that no column becomes a variable that shells set themselves.
pub(super) fn check_shell_names(variables: &[Variable], columns: &[String]) -> Result<(), Error> {
    let of_column = |variable: &Variable| match &variable.source {
        VariableSource::Item(Placeholder { subject: PlaceholderSubject::Column(column), .. }) => Some(*column),
        _ => None,
    };
    let is_of_shells = |name: &str| name.starts_with("BASH") || OF_SHELLS.split(' ').any(|known| known == name);
    let owned = variables.iter().filter(|variable| is_of_shells(&variable.name));
    let mut owned = owned.filter_map(|variable| Some((columns.get(of_column(variable)?)?, &variable.name)));
    let Some((column, name)) = owned.next() else { return Ok(()) };
    Err(Error::usage(format!("column {column:?} would become the variable {name}, which shells set themselves"))
        .hint(format!("remove --item-as env, and write {{{column}}} in the command"))
        .hint("or rename the column"))
}

/// What sets a variable, as an error names it.
#[derive(Clone, Copy)]
enum Setter<'a> {
    Env,
    Count,
    IndexEnv,
    Compat,
    FirstCommand,
    Item,
    Column(&'a str),
    Placeholder,
}

impl fmt::Display for Setter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env => "--env",
            Self::Count => "the number of items",
            Self::IndexEnv => "--index-env",
            Self::Compat => "--compat",
            Self::FirstCommand => "the first command",
            Self::Item => "the item",
            Self::Column(name) => return write!(f, "column {name:?}"),
            Self::Placeholder => "a placeholder",
        })
    }
}

/// Returns all variables that the worker gets besides those of the user. No name repeats.
pub(super) fn collect_variables<'a>(
    form: ItemForm,
    items: &Items,
    columns: &'a [String],
    naming: &Naming,
    request: &HandoverRequest<'_>,
) -> Result<Vec<Variable>, Error> {
    let mut known: Vec<(Variable, Setter<'_>)> = Vec::new();
    let mut add = |name: String, source: VariableSource, is_kept: bool, setter: Setter<'a>| {
        let earlier = known.iter().find(|(variable, _)| variable.name == name).map(|(_, setter)| *setter);
        let users = request.env.iter().any(|(users, _)| *users == name).then_some(Setter::Env);
        if let Some(earlier) = earlier.or(users) {
            return Err(Error::usage(format!("{earlier} and {setter} both set the variable {name}")).hint(
                match setter {
                    Setter::Column(_) => "rename the column",
                    _ => "remove one of them, or rename the variable",
                },
            ));
        }
        known.push((Variable { name, source, is_kept }, setter));
        Ok(())
    };
    add(COUNT_VARIABLE.to_owned(), VariableSource::Constant(request.completions.to_string()), true, Setter::Count)?;
    if let Some(name) = &request.index_env {
        add(name.clone(), VariableSource::Index, true, Setter::IndexEnv)?;
    }
    for &system in &request.compat {
        for (name, source) in variables_of_system(system, items, request) {
            // The user's own value takes precedence, as for SLURM_CPUS_PER_TASK.
            if !request.env.iter().any(|(users, _)| users == name) {
                add(name.to_owned(), source, true, Setter::Compat)?;
            }
        }
    }
    for (name, source) in &request.kept_variables {
        add(name.clone(), source.clone(), true, Setter::FirstCommand)?;
    }
    match form {
        ItemForm::Env => {
            add(ITEM_VARIABLE.to_owned(), VariableSource::Item(Placeholder::ITEM), false, Setter::Item)?;
            for (column, name) in columns.iter().enumerate() {
                let variable = identifier(name);
                if matches!(variable.as_str(), INDEX_VARIABLE | "PATH") {
                    return Err(Error::usage(format!(
                        "column {name:?} would replace the worker's variable {variable}"
                    ))
                    .hint("rename the column"));
                }
                let placeholder =
                    Placeholder { subject: PlaceholderSubject::Column(column), operation: Operation::None };
                add(variable, VariableSource::Item(placeholder), false, Setter::Column(name))?;
            }
        }
        ItemForm::Arg => {
            for (placeholder, name) in &naming.names {
                if placeholder.subject != PlaceholderSubject::Index {
                    add(name.clone(), VariableSource::Item(placeholder.clone()), false, Setter::Placeholder)?;
                }
            }
        }
        ItemForm::File | ItemForm::Stdin | ItemForm::Index => {}
    }
    Ok(known.into_iter().map(|(variable, _)| variable).collect())
}

/// Returns a warning if the command reads a variable of another system that nothing sets.
pub(super) fn warn_of_unset_variable(
    command: &[String],
    items: &Items,
    request: &HandoverRequest<'_>,
) -> Option<String> {
    Compat::named().filter(|(system, _)| !request.compat.contains(system)).find_map(|(system, word)| {
        let names = variables_of_system(system, items, request).into_iter().map(|(name, _)| name);
        let mut unset = names.filter(|name| !request.env.iter().any(|(users, _)| users == name));
        let read = unset.find(|name| command.iter().any(|word| word.contains(name)))?;
        Some(format!("the command reads {read}, which is not set; --compat {word} sets it"))
    })
}

/// Returns the variables of another system, as its documentation defines them.
fn variables_of_system(
    system: Compat,
    items: &Items,
    request: &HandoverRequest<'_>,
) -> Vec<(&'static str, VariableSource)> {
    let constant = |number: u32| VariableSource::Constant(number.to_string());
    // An array of its own numbers, such as 1-9:3, passes those; where they equal the index, Kubernetes sets them.
    let number = |item: &Item| item.text().and_then(|text| text.parse::<u32>().ok());
    let is_index = |(index, item): (usize, &Item)| number(item).is_some_and(|number| number as usize == index);
    let counts_by_item = request.is_range && !items.iter().enumerate().all(is_index);
    let id = if counts_by_item { VariableSource::Item(Placeholder::ITEM) } else { VariableSource::Index };
    match system {
        Compat::Slurm => {
            let numbers: Vec<_> = items.iter().filter_map(number).filter(|_| counts_by_item).collect();
            let ends = (numbers.iter().min().copied(), numbers.iter().max().copied());
            slurm(request, id, (ends.0.unwrap_or(0), ends.1.unwrap_or(request.completions - 1)), array_step(&numbers))
        }
        Compat::Hyperqueue => {
            let mut variables = vec![("HQ_TASK_ID", id)];
            if !items.is_empty() {
                variables.push(("HQ_ENTRY", VariableSource::Item(Placeholder::ITEM)));
            }
            variables
        }
        Compat::Aws => vec![
            ("AWS_BATCH_JOB_ARRAY_INDEX", VariableSource::Index),
            ("AWS_BATCH_JOB_ARRAY_SIZE", constant(request.completions)),
        ],
        Compat::Parallel => vec![("PARALLEL_SEQ", VariableSource::Position)],
    }
}

/// Returns the step of an array's numbers; 1 if they are not evenly spaced.
fn array_step(numbers: &[u32]) -> u32 {
    let mut steps = numbers.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    steps.next().filter(|step| *step > 0 && steps.all(|next| next == *step)).unwrap_or(1)
}

/// Returns the variables that Slurm sets in a job array of one task each: the output environment variables of sbatch(1).
/// A job's number consists of the array's, a hash of the Job's name, and the index.
fn slurm(
    request: &HandoverRequest<'_>,
    id: VariableSource,
    ends: (u32, u32),
    step: u32,
) -> Vec<(&'static str, VariableSource)> {
    const NODE: VariableSource = VariableSource::Field("spec.nodeName");
    let Slurm { job, cpus, workdir } = &request.slurm;
    let text = |text: &str| VariableSource::Constant(text.to_owned());
    let number = |number: u32| VariableSource::Constant(number.to_string());
    // FNV-1a; five digits, the first not 0.
    let hash = job.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let array_id = 10_000 + hash % 90_000;
    let job_id = || VariableSource::Constant(format!("{array_id}$({SLURM_INDEX})"));
    vec![
        ("SLURM_ARRAY_TASK_ID", id),
        ("SLURM_ARRAY_TASK_COUNT", number(request.completions)),
        ("SLURM_ARRAY_TASK_MIN", number(ends.0)),
        ("SLURM_ARRAY_TASK_MAX", number(ends.1)),
        ("SLURM_ARRAY_TASK_STEP", number(step)),
        ("SLURM_ARRAY_JOB_ID", number(array_id)),
        // Kubernetes expands variables that are defined earlier.
        (SLURM_INDEX, VariableSource::Index),
        ("SLURM_JOB_ID", job_id()),
        ("SLURM_JOBID", job_id()),
        ("SLURM_JOB_NAME", text(job)),
        // The working directory of the image is unknown.
        ("SLURM_SUBMIT_DIR", text(workdir.as_deref().unwrap_or("."))),
        ("SLURM_SUBMIT_HOST", text("localhost")),
        ("SLURM_CLUSTER_NAME", text("kubernetes")),
        ("SLURM_JOB_NODELIST", NODE),
        ("SLURM_NODELIST", NODE),
        ("SLURMD_NODENAME", NODE),
        ("SLURM_JOB_NUM_NODES", number(1)),
        ("SLURM_NNODES", number(1)),
        ("SLURM_NTASKS", number(1)),
        ("SLURM_NPROCS", number(1)),
        ("SLURM_TASKS_PER_NODE", number(1)),
        ("SLURM_NODEID", number(0)),
        ("SLURM_PROCID", number(0)),
        ("SLURM_LOCALID", number(0)),
        ("SLURM_GTIDS", number(0)),
        ("SLURM_CPUS_PER_TASK", number(*cpus)),
        ("SLURM_CPUS_ON_NODE", number(*cpus)),
        ("SLURM_JOB_CPUS_PER_NODE", number(*cpus)),
    ]
}
