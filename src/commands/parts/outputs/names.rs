//! The names of the files of results.

use std::collections::{BTreeMap, HashMap};

use crate::state::ItemTexts;

/// The extension of every output file: no output can take the name of another file of the folder.
const ENDING: &str = ".out";
/// Stands before an index in a name. `make_safe` removes it from items.
const MARK: char = '~';
/// The maximum length of an item in a name, in bytes. File systems allow 255 for a whole name.
const MAX_LENGTH: usize = 120;

pub(crate) fn by_index(index: u32) -> String {
    format!("{index}{ENDING}")
}

/// Returns a file name for each item of a Job. They are unique, also on file systems that ignore case.
pub(crate) fn by_item(items: &ItemTexts) -> BTreeMap<u32, String> {
    let safe: Vec<_> = items.iter().map(|(&index, item)| (index, make_safe(item))).collect();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (_, name) in &safe {
        *counts.entry(name.to_lowercase()).or_default() += 1;
    }
    let unique = |(index, name): (u32, String)| {
        let key = name.to_lowercase();
        let alone = counts.get(&key) == Some(&1) && !is_reserved(&key);
        (index, if alone { format!("{name}{ENDING}") } else { format!("{name}{MARK}{index}{ENDING}") })
    };
    safe.into_iter().map(unique).collect()
}

/// Replaces characters of an item that could lead out of the folder, hide the file in it, or look like a flag.
fn make_safe(item: &str) -> String {
    let mut name = String::new();
    for c in item.chars() {
        let c = if c.is_alphanumeric() || "-_.,=+@%".contains(c) { c } else { '_' };
        // A name that begins with a dot is hidden, or is a folder.
        let c = if name.is_empty() && matches!(c, '.' | '-') { '_' } else { c };
        if name.len() + c.len_utf8() > MAX_LENGTH {
            break;
        }
        name.push(c);
    }
    if name.is_empty() { "_".to_owned() } else { name }
}

/// Returns the name of a Job's folder.
pub(crate) fn of_job(name: &str) -> String {
    if is_reserved(name) { format!("{name}{MARK}") } else { name.to_owned() }
}

/// Whether the name is that of a device on Windows, with any extension.
fn is_reserved(lower: &str) -> bool {
    let stem = lower.split('.').next().unwrap_or_default();
    let numbered = |start: &str| {
        stem.strip_prefix(start)
            .is_some_and(|rest| matches!(rest, "¹" | "²" | "³") || matches!(rest.as_bytes(), [b'0'..=b'9']))
    };
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// Whether a name from a list can be that of an output file within its folder.
pub(crate) fn is_safe(name: &str) -> bool {
    name.strip_suffix(ENDING).is_some_and(|stem| !stem.is_empty())
        && !name.starts_with(['.', '-'])
        && !name.contains(['/', '\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(items: &[&str]) -> Vec<String> {
        by_item(&(0..).zip(items.iter().map(|item| (*item).to_owned())).collect()).into_values().collect()
    }

    #[test]
    fn items_become_safe_file_names() {
        assert_eq!(names(&["foo", "a b", "é.txt", "x=1,y=2"]), ["foo.out", "a_b.out", "é.txt.out", "x=1,y=2.out"]);
        assert_eq!(
            names(&["../../etc/passwd", "/", "..", "", "-n"]),
            ["_._.._etc_passwd.out", "_~1.out", "_..out", "_~3.out", "_n.out"]
        );
        assert_eq!(names(&["a/b", "a:b", "A_B", "c"]), ["a_b~0.out", "a_b~1.out", "A_B~2.out", "c.out"]);
        assert_eq!(names(&["con", "com1.x", "comb"]), ["con~0.out", "com1.x~1.out", "comb.out"]);
        assert_eq!(names(&["LPT³", "NUL.", "a.", "b "]), ["LPT³~0.out", "NUL.~1.out", "a..out", "b_.out"]);
        assert_eq!(names(&[&"é".repeat(200)]), [format!("{}.out", "é".repeat(60))]);
    }

    #[test]
    fn a_job_with_the_name_of_a_device_gets_a_safe_folder() {
        assert_eq!(["train", "nul", "con.b", "console"].map(of_job), ["train", "nul~", "con.b~", "console"]);
    }

    proptest! {
        #[test]
        fn names_stay_in_their_folder_and_are_unique(items in prop::collection::vec("(\\PC|[./~\\\\-]){0,6}", 0..12)) {
            let texts: ItemTexts = (0..).zip(items).collect();
            let names = by_item(&texts);
            prop_assert!(names.values().all(|name| is_safe(name)), "{names:?}");
            let distinct: std::collections::BTreeSet<_> = names.values().map(|name| name.to_lowercase()).collect();
            prop_assert_eq!(distinct.len(), texts.len());
        }
    }
}
