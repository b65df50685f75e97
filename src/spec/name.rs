//! Names of Jobs.
//!
//! The Pod of an index has the host name `NAME-INDEX`. The API requires a DNS label of at most 63 characters for the last
//! index (`validateJobSpec` in `pkg/apis/batch/validation`).

use crate::error::Error;

const LABEL_LENGTH: usize = 63;

/// Returns the longest name for `completions` indexes, in characters.
fn max_length(completions: u32) -> usize {
    LABEL_LENGTH - 1 - completions.saturating_sub(1).to_string().len()
}

/// Checks a name that the user chose.
pub(crate) fn check(name: &str, completions: u32) -> Result<String, Error> {
    let room = max_length(completions);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(allowed) || name.starts_with('-') || name.ends_with('-') {
        let cleaned = shorten(&clean(name), room);
        return Err(Error::usage(format!(
            "{name:?} is not a valid name of an Indexed Job: use a-z, 0-9 and -, with no - at either end"
        ))
        .hint_if((!cleaned.is_empty()).then(|| format!("use --name {cleaned}"))));
    }
    if name.len() > room {
        let last = completions.saturating_sub(1);
        return Err(Error::usage(format!(
            "the name {name:?} has {} characters, and at most {room} fit: NAME-{last} may have {LABEL_LENGTH}",
            name.len()
        ))
        .hint(format!("use --name {}", shorten(name, room))));
    }
    Ok(name.to_owned())
}

/// Returns a name made of a stem and a suffix that makes it unique.
pub(crate) fn generate(app: &str, suffix: &str, completions: u32) -> String {
    let stem = shorten(app, max_length(completions) - suffix.len() - 1);
    format!("{stem}-{suffix}")
}

/// Returns the name of the retry with this number of the Job `root`. It depends on nothing else: of two retries at the
/// same time, the second fails.
pub(crate) fn for_retry(root: &str, number: u32, completions: u32) -> String {
    let suffix = format!("-r{number}");
    format!("{}{suffix}", shorten(root, max_length(completions) - suffix.len()))
}

/// Returns `text` without the characters that a name must not have; may be empty.
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

fn shorten(name: &str, room: usize) -> String {
    name.chars().take(room).collect::<String>().trim_end_matches('-').to_owned()
}
