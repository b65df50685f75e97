//! The variables that a worker finds besides those that the user sets: what they are called, and where they come from.

use std::collections::BTreeMap;

use super::handover::{ItemForm, Origin, Part, Variable, Wishes, Word};
use super::items::{Item, Items};
use super::template::{Operation, Placeholder, Segment, Subject};
use crate::args::Compat;
use crate::contract::{COUNT_VARIABLE, INDEX_VARIABLE, ITEM_VARIABLE};
use crate::error::Error;

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

    pub(super) fn part(&self, segment: &Segment) -> Part {
        match segment {
            Segment::Text(text) => Part::Text(text.clone()),
            Segment::Value(placeholder) if placeholder.subject == Subject::Index => Part::Index,
            Segment::Value(placeholder) => Part::Variable(self.name(placeholder).to_owned()),
        }
    }

    pub(super) fn of_columns(columns: &[String]) -> Vec<(String, Placeholder)> {
        let mut naming = Self::new(columns);
        naming.all(columns);
        naming.names.into_iter().map(|(placeholder, name)| (name, placeholder)).collect()
    }

    /// An argument for each column, or one for an item that has none.
    pub(super) fn all(&mut self, columns: &[String]) -> Vec<Word> {
        let subjects = match columns.len() {
            0 => vec![Subject::Item],
            n => (0..n).map(Subject::Column).collect(),
        };
        let word = |subject| {
            let placeholder = Placeholder { subject, operation: Operation::None };
            self.add(&placeholder);
            vec![Part::Variable(self.name(&placeholder).to_owned())]
        };
        subjects.into_iter().map(word).collect()
    }
}

/// A name that a shell takes for that of a variable.
fn identifier(column: &str) -> String {
    let name: String = column.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// All variables that the worker finds besides those that the user sets; each name only once.
pub(super) fn variables(
    form: ItemForm,
    items: &Items,
    columns: &[String],
    naming: &Naming,
    wishes: &Wishes<'_>,
) -> Result<Vec<Variable>, Error> {
    let mut known: Vec<(Variable, String)> = Vec::new();
    let mut add = |name: String, origin: Origin, standing: bool, by: &str| {
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
    add(COUNT_VARIABLE.to_owned(), Origin::Constant(wishes.completions.to_string()), true, "the number of items")?;
    if let Some(name) = &wishes.index_env {
        add(name.clone(), Origin::Index, true, "--index-env")?;
    }
    for &system in &wishes.compat {
        for (name, origin) in compatible(system, items, wishes) {
            add(name.to_owned(), origin, true, "--compat")?;
        }
    }
    for (name, origin) in &wishes.standing {
        add(name.clone(), origin.clone(), true, "the first command")?;
    }
    match form {
        ItemForm::Env => {
            add(ITEM_VARIABLE.to_owned(), Origin::Item(Placeholder::ITEM), false, "the item")?;
            for (column, name) in columns.iter().enumerate() {
                let variable = identifier(name);
                if matches!(variable.as_str(), INDEX_VARIABLE | "PATH") {
                    return Err(Error::usage(format!("the column {name:?} would hide the worker's own {variable}"))
                        .hint("give the column another name"));
                }
                let placeholder = Placeholder { subject: Subject::Column(column), operation: Operation::None };
                add(variable, Origin::Item(placeholder), false, &format!("column {name:?}"))?;
            }
        }
        ItemForm::Arg => {
            for (placeholder, name) in &naming.names {
                if placeholder.subject != Subject::Index {
                    add(name.clone(), Origin::Item(placeholder.clone()), false, "a placeholder")?;
                }
            }
        }
        ItemForm::File | ItemForm::Stdin | ItemForm::Index => {}
    }
    Ok(known.into_iter().map(|(variable, _)| variable).collect())
}

/// The variables of another system, by its own documentation.
fn compatible(system: Compat, items: &Items, wishes: &Wishes<'_>) -> Vec<(&'static str, Origin)> {
    let constant = |number: u32| Origin::Constant(number.to_string());
    // Whoever counts from 1, or by threes, sees those numbers; where they are the index, Kubernetes gives them itself.
    let number = |item: &Item| item.text().and_then(|text| text.parse::<u32>().ok());
    let is_index = |(index, item): (usize, &Item)| number(item).is_some_and(|number| number as usize == index);
    let counts_by_item = wishes.is_range && !items.iter().enumerate().all(is_index);
    let id = if counts_by_item { Origin::Item(Placeholder::ITEM) } else { Origin::Index };
    match system {
        Compat::Slurm => {
            let numbers = || items.iter().filter_map(number).filter(|_| counts_by_item);
            vec![
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", constant(wishes.completions)),
                ("SLURM_ARRAY_TASK_MIN", constant(numbers().min().unwrap_or(0))),
                ("SLURM_ARRAY_TASK_MAX", constant(numbers().max().unwrap_or(wishes.completions - 1))),
            ]
        }
        Compat::Hyperqueue => {
            let mut variables = vec![("HQ_TASK_ID", id)];
            if !items.is_empty() {
                variables.push(("HQ_ENTRY", Origin::Item(Placeholder::ITEM)));
            }
            variables
        }
        Compat::Aws => vec![
            ("AWS_BATCH_JOB_ARRAY_INDEX", Origin::Index),
            ("AWS_BATCH_JOB_ARRAY_SIZE", constant(wishes.completions)),
        ],
        Compat::Parallel => vec![("PARALLEL_SEQ", Origin::Position)],
    }
}
