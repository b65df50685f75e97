//! The variables that a worker finds besides those that the user sets: what they are called, and where they come from.

use std::collections::BTreeMap;

use super::handover::{CommandPart, CommandWord, HandoverRequest, ItemForm, Slurm, Variable, VariableSource};
use super::items::{Item, Items};
use super::template::{Operation, Placeholder, Segment, Subject};
use crate::args::Compat;
use crate::contract::{COUNT_VARIABLE, INDEX_VARIABLE, ITEM_VARIABLE};
use crate::error::Error;

/// The index, which Slurm's number of a job is made of.
const SLURM_INDEX: &str = "SLURM_TASK_INDEX";

/// The names of the variables that placeholders are replaced by.
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
            Subject::Index => INDEX_VARIABLE.to_owned(),
            Subject::Item => ITEM_VARIABLE.to_owned(),
            Subject::Column(column) => format!("{ITEM_VARIABLE}_{}", identifier(&self.columns[column])),
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
            Segment::Value(placeholder) if placeholder.subject == Subject::Index => CommandPart::Index,
            Segment::Value(placeholder) => CommandPart::Variable(self.name(placeholder).to_owned()),
        }
    }

    pub(super) fn of_columns(columns: &[String]) -> Vec<(String, Placeholder)> {
        let mut naming = Self::new(columns);
        naming.all(columns);
        naming.names.into_iter().map(|(placeholder, name)| (name, placeholder)).collect()
    }

    /// An argument for each column, or one for an item that has none.
    pub(super) fn all(&mut self, columns: &[String]) -> Vec<CommandWord> {
        let subjects = match columns.len() {
            0 => vec![Subject::Item],
            n => (0..n).map(Subject::Column).collect(),
        };
        let word = |subject| {
            let placeholder = Placeholder { subject, operation: Operation::None };
            self.add(&placeholder);
            vec![CommandPart::Variable(self.name(&placeholder).to_owned())]
        };
        subjects.into_iter().map(word).collect()
    }
}

/// A name that a shell takes for that of a variable.
fn identifier(column: &str) -> String {
    let name: String = column.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Variables that bash, dash, busybox, ksh, mksh or zsh set themselves, or that bash documents as its own; those that
/// begin with BASH are too.
const OF_SHELLS: &str = "_ COMP_WORDBREAKS DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS HISTCMD IFS LINENO \
                         OLDPWD OPTERR OPTIND PIPESTATUS POSIXLY_CORRECT PPID PS0 PS1 PS2 PS3 PS4 PWD RANDOM SECONDS \
                         SHELLOPTS SHLVL SRANDOM TMOUT UID";

/// Checks that no column is a variable of the shell that reads it.
pub(super) fn check_shell_names(variables: &[Variable], columns: &[String]) -> Result<(), Error> {
    let of_column = |variable: &Variable| match &variable.origin {
        VariableSource::Item(Placeholder { subject: Subject::Column(column), .. }) => Some(*column),
        _ => None,
    };
    let is_of_shells = |name: &str| name.starts_with("BASH") || OF_SHELLS.split(' ').any(|known| known == name);
    let owned = variables.iter().filter(|variable| is_of_shells(&variable.name));
    let mut owned = owned.filter_map(|variable| Some((columns.get(of_column(variable)?)?, &variable.name)));
    let Some((column, name)) = owned.next() else { return Ok(()) };
    Err(Error::usage(format!("the column {column:?} would be the variable {name}, which shells set themselves"))
        .hint(format!("leave --item-as env out, and write {{{column}}} in the command"))
        .hint("or give the column another name"))
}

/// All variables that the worker finds besides those that the user sets; each name only once.
pub(super) fn variables(
    form: ItemForm,
    items: &Items,
    columns: &[String],
    naming: &Naming,
    wishes: &HandoverRequest<'_>,
) -> Result<Vec<Variable>, Error> {
    let mut known: Vec<(Variable, String)> = Vec::new();
    let mut add = |name: String, origin: VariableSource, standing: bool, by: &str| {
        let earlier = known.iter().find(|(variable, _)| variable.name == name).map(|(_, by)| by.as_str());
        let users = wishes.env.iter().any(|(users, _)| *users == name).then_some("--env");
        if let Some(earlier) = earlier.or(users) {
            return Err(Error::usage(format!("{earlier} and {by} both set the variable {name}")).hint(match by {
                by if by.starts_with("column") => "give the column another name".to_owned(),
                _ => format!("leave one of them out, or give it another name than {name}"),
            }));
        }
        known.push((Variable { name, origin, standing }, by.to_owned()));
        Ok(())
    };
    add(
        COUNT_VARIABLE.to_owned(),
        VariableSource::Constant(wishes.completions.to_string()),
        true,
        "the number of items",
    )?;
    if let Some(name) = &wishes.index_env {
        add(name.clone(), VariableSource::Index, true, "--index-env")?;
    }
    for &system in &wishes.compat {
        for (name, origin) in compatible(system, items, wishes) {
            // The user's own value is the better one, as of SLURM_CPUS_PER_TASK.
            if !wishes.env.iter().any(|(users, _)| users == name) {
                add(name.to_owned(), origin, true, "--compat")?;
            }
        }
    }
    for (name, origin) in &wishes.standing {
        add(name.clone(), origin.clone(), true, "the first command")?;
    }
    match form {
        ItemForm::Env => {
            add(ITEM_VARIABLE.to_owned(), VariableSource::Item(Placeholder::ITEM), false, "the item")?;
            for (column, name) in columns.iter().enumerate() {
                let variable = identifier(name);
                if matches!(variable.as_str(), INDEX_VARIABLE | "PATH") {
                    return Err(Error::usage(format!("the column {name:?} would hide the worker's own {variable}"))
                        .hint("give the column another name"));
                }
                let placeholder = Placeholder { subject: Subject::Column(column), operation: Operation::None };
                add(variable, VariableSource::Item(placeholder), false, &format!("column {name:?}"))?;
            }
        }
        ItemForm::Arg => {
            for (placeholder, name) in &naming.names {
                if placeholder.subject != Subject::Index {
                    add(name.clone(), VariableSource::Item(placeholder.clone()), false, "a placeholder")?;
                }
            }
        }
        ItemForm::File | ItemForm::Stdin | ItemForm::Index => {}
    }
    Ok(known.into_iter().map(|(variable, _)| variable).collect())
}

/// Returns a warning if the command reads a variable of another system that nothing sets.
pub(super) fn unset_variable(command: &[String], items: &Items, wishes: &HandoverRequest<'_>) -> Option<String> {
    Compat::named().filter(|(system, _)| !wishes.compat.contains(system)).find_map(|(system, word)| {
        let names = compatible(system, items, wishes).into_iter().map(|(name, _)| name);
        let mut unset = names.filter(|name| !wishes.env.iter().any(|(users, _)| users == name));
        let read = unset.find(|name| command.iter().any(|word| word.contains(name)))?;
        Some(format!("the command reads {read}, which nothing sets: --compat {word} does"))
    })
}

/// The variables of another system, by its own documentation.
fn compatible(system: Compat, items: &Items, wishes: &HandoverRequest<'_>) -> Vec<(&'static str, VariableSource)> {
    let constant = |number: u32| VariableSource::Constant(number.to_string());
    // Whoever counts from 1, or by threes, sees those numbers; where they are the index, Kubernetes gives them itself.
    let number = |item: &Item| item.text().and_then(|text| text.parse::<u32>().ok());
    let is_index = |(index, item): (usize, &Item)| number(item).is_some_and(|number| number as usize == index);
    let counts_by_item = wishes.is_range && !items.iter().enumerate().all(is_index);
    let id = if counts_by_item { VariableSource::Item(Placeholder::ITEM) } else { VariableSource::Index };
    match system {
        Compat::Slurm => {
            let numbers: Vec<_> = items.iter().filter_map(number).filter(|_| counts_by_item).collect();
            let ends = (numbers.iter().min().copied(), numbers.iter().max().copied());
            slurm(wishes, id, (ends.0.unwrap_or(0), ends.1.unwrap_or(wishes.completions - 1)), step(&numbers))
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
            ("AWS_BATCH_JOB_ARRAY_SIZE", constant(wishes.completions)),
        ],
        Compat::Parallel => vec![("PARALLEL_SEQ", VariableSource::Position)],
    }
}

/// The step of an array's numbers; 1 where they are not evenly spaced.
fn step(numbers: &[u32]) -> u32 {
    let mut steps = numbers.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    steps.next().filter(|step| *step > 0 && steps.all(|next| next == *step)).unwrap_or(1)
}

/// What Slurm sets in an array of jobs with one task each, by the output environment variables of sbatch(1). A job's
/// number is made of the array's, which the name of the Job gives, and the index.
fn slurm(
    wishes: &HandoverRequest<'_>,
    id: VariableSource,
    ends: (u32, u32),
    step: u32,
) -> Vec<(&'static str, VariableSource)> {
    const NODE: VariableSource = VariableSource::Field("spec.nodeName");
    let Slurm { job, cpus, workdir } = &wishes.slurm;
    let text = |text: &str| VariableSource::Constant(text.to_owned());
    let number = |number: u32| VariableSource::Constant(number.to_string());
    // FNV-1a; five digits with no 0 in front.
    let hash = job.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let array_id = 10_000 + hash % 90_000;
    let job_id = || VariableSource::Constant(format!("{array_id}$({SLURM_INDEX})"));
    vec![
        ("SLURM_ARRAY_TASK_ID", id),
        ("SLURM_ARRAY_TASK_COUNT", number(wishes.completions)),
        ("SLURM_ARRAY_TASK_MIN", number(ends.0)),
        ("SLURM_ARRAY_TASK_MAX", number(ends.1)),
        ("SLURM_ARRAY_TASK_STEP", number(step)),
        ("SLURM_ARRAY_JOB_ID", number(array_id)),
        // Kubernetes expands a variable that stands before.
        (SLURM_INDEX, VariableSource::Index),
        ("SLURM_JOB_ID", job_id()),
        ("SLURM_JOBID", job_id()),
        ("SLURM_JOB_NAME", text(job)),
        // The image's own folder is not known here.
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
