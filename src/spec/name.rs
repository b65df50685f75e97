//! Names of Jobs.
//!
//! The Pod of an index has the host name `NAME-INDEX`, so the API takes an Indexed Job only if that is a DNS label for
//! its last index: at most 63 characters (`validateJobSpec` in `pkg/apis/batch/validation`).

use crate::error::Error;

const LABEL_LENGTH: usize = 63;

/// How long a name may be for `completions` indexes.
fn room(completions: u32) -> usize {
    LABEL_LENGTH - 1 - completions.saturating_sub(1).to_string().len()
}

/// A name that the user chose.
pub(crate) fn check(name: &str, completions: u32) -> Result<String, Error> {
    let room = room(completions);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(allowed) || name.starts_with('-') || name.ends_with('-') {
        let cleaned = fit(&clean(name), room);
        return Err(Error::usage(format!(
            "{name:?} can't be the name of an Indexed Job: a name has only a-z, 0-9 and -, and neither starts nor ends \
             with -"
        ))
        .hint_if((!cleaned.is_empty()).then(|| format!("try --name {cleaned}"))));
    }
    if name.len() > room {
        let last = completions.saturating_sub(1);
        return Err(Error::usage(format!(
            "the name {name:?} is too long: with {completions} indexes, NAME-{last} must fit into {LABEL_LENGTH} \
             characters, so NAME may have {room} and has {}",
            name.len()
        ))
        .hint(format!("try --name {}", fit(name, room))));
    }
    Ok(name.to_owned())
}

/// A name made of what the work is called and a suffix that makes it unique.
pub(crate) fn generate(app: &str, suffix: &str, completions: u32) -> String {
    let stem = fit(app, room(completions) - suffix.len() - 1);
    format!("{stem}-{suffix}")
}

/// The name of a Job that retries `root` for the `number`th time, with so many indexes: always the same, so that two who
/// retry at once are told of each other.
pub(crate) fn for_retry(root: &str, number: u32, completions: u32) -> String {
    let suffix = format!("-r{number}");
    format!("{}{suffix}", fit(root, room(completions) - suffix.len()))
}

/// `text` with everything taken out that a name can't have; may be empty.
pub(crate) fn clean(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    name.trim_end_matches('-').to_owned()
}

fn fit(name: &str, room: usize) -> String {
    name.chars().take(room).collect::<String>().trim_end_matches('-').to_owned()
}
