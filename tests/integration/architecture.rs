//! Checks the sources against the table of layers in `src/lib.rs` (own modules) and the table below (crates), and limits the
//! length of files and functions.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{file, files};

/// The crates that a layer may use, and the paths that it must not use.
struct Outside {
    layer: &'static str,
    /// Allowed crates besides `std`; `None` allows all.
    crates: Option<&'static [&'static str]>,
    /// Forbidden beginnings of paths, as written in the code.
    never: &'static [&'static str],
}

/// Streams, files, the network, other processes, the environment.
const OUTSIDE_WORLD: [&str; 6] = ["std::io", "std::fs", "std::net", "std::process", "std::env", "std::thread"];
/// [`OUTSIDE_WORLD`] without the traits that read and write bytes in memory.
const ALL_BUT_READERS: [&str; 11] = [
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
];
/// Functions and types that read the clock: the same input would give another output.
const CLOCKS: [&str; 8] = [
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant",
    "std::time::SystemTime",
    "std::time::Instant",
    "TimeZone::system",
    "jiff::tz::TimeZone::system",
];

const OUTSIDE: [Outside; 13] = [
    Outside { layer: "index_set", crates: Some(&["range_set_blaze", "thiserror"]), never: &OUTSIDE_WORLD },
    // `manifest` and `state` read the name of the worker's container from a whole Job.
    Outside { layer: "contract", crates: Some(&["k8s_openapi"]), never: &OUTSIDE_WORLD },
    Outside { layer: "error", crates: Some(&["shlex", "thiserror"]), never: &OUTSIDE_WORLD },
    Outside { layer: "args", crates: Some(&["clap"]), never: &OUTSIDE_WORLD },
    Outside {
        layer: "spec",
        crates: Some(&[
            "aws_lc_rs",
            "csv",
            "csv_core",
            "fastrand",
            "itertools",
            "serde",
            "serde_json",
            "serde_saphyr",
            "shlex",
            "strsim",
        ]),
        never: &ALL_BUT_READERS,
    },
    Outside {
        layer: "manifest",
        crates: Some(&["flate2", "itertools", "k8s_openapi", "serde_json", "serde_saphyr", "shlex"]),
        never: &ALL_BUT_READERS,
    },
    Outside { layer: "state", crates: Some(&["jiff", "k8s_openapi", "serde"]), never: &OUTSIDE_WORLD },
    Outside {
        layer: "view",
        crates: Some(&[
            "base64",
            "comfy_table",
            "csv",
            "gotmpl",
            "jiff",
            "k8s_openapi",
            "owo_colors",
            "pulldown_cmark",
            "regex",
            "serde",
            "serde_json",
            "thiserror",
            "unicode_width",
        ]),
        never: &OUTSIDE_WORLD,
    },
    Outside {
        layer: "tracker",
        crates: Some(&["futures", "k8s_openapi", "regex", "tokio", "tokio_util"]),
        never: &["std::io", "std::net", "std::process", "std::env", "std::thread"],
    },
    Outside { layer: "cluster", crates: None, never: &["clap", "anyhow", "anstream", "indicatif", "std::env::var"] },
    Outside {
        layer: "ui",
        crates: Some(&["anstream", "anyhow", "crossterm", "indicatif", "owo_colors"]),
        never: &["std::fs", "std::net", "std::process"],
    },
    Outside { layer: "commands", crates: None, never: &["kube", "hyper", "rustls", "tower", "http"] },
    // The root of the crate only starts the verb.
    Outside { layer: "lib", crates: Some(&[]), never: &["std::io", "std::fs", "std::env"] },
];

/// Layers without async functions and clocks.
const PURE: [&str; 7] = ["index_set", "contract", "error", "args", "spec", "manifest", "state"];

/// A source file of the program, without its tests.
struct Source {
    path: String,
    /// Its path in the tree of modules: `["cluster", "connect"]`.
    module: Vec<String>,
    /// Its text without comments, contents of strings, and `#[cfg(test)]` items.
    code: String,
    /// The number of lines of `code`.
    lines: usize,
}

impl Source {
    /// Returns the first folder or file below `src`.
    fn layer(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

fn sources() -> Vec<Source> {
    let all = files("src", "rs");
    assert!(all.len() > 20, "the sources are found");
    let own = all.into_iter().filter(|path| {
        let parts: Vec<_> = path.split(['/', '.']).collect();
        !parts.contains(&"tests") && path != "src/main.rs"
    });
    own.map(|path| {
        let inner = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
        let mut module: Vec<_> = inner.split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        let code = without_tests(&without_words(&file(&path)));
        let lines = code.lines().count();
        Source { path, module, code, lines }
    })
    .collect()
}

/// Replaces comments and the contents of strings and characters by blanks, so all other positions stay the same.
fn without_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Keeps line ends and replaces all other characters.
    let blank = |out: &mut String, passage: &str| {
        out.extend(passage.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
    };
    while let Some(c) = rest.chars().next() {
        let word_before = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let hashes = rest.strip_prefix('r').map(|rest| rest.len() - rest.trim_start_matches('#').len());
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = hashes.filter(|&hashes| !word_before && rest[1 + hashes..].starts_with('"')) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        blank(&mut out, &rest[..length]);
        rest = &rest[length..];
    }
    out
}

/// Returns whether the quote at the start begins a character, not a lifetime.
fn is_character(text: &str) -> bool {
    let mut inner = text.chars().skip(1);
    inner.next() == Some('\\') || inner.next() == Some('\'')
}

/// Returns the length of the quoted text at the start, with both quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Removes every item after `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = match (rest.find('{'), rest.find(';')) {
            (Some(open), Some(semicolon)) if semicolon < open => semicolon + 1,
            (Some(open), _) => open + block(&rest[open..]),
            (None, semicolon) => semicolon.map_or(rest.len(), |at| at + 1),
        };
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

/// Returns the length of the block at the start, with both braces.
fn block(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    panic!("a brace has no partner:\n{code}");
}

/// Returns every path with `::` in the code. Groups are expanded: `a::{b, c::{self, D}}` gives `a::b`, `a::c`, `a::c::D`.
fn paths(code: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    let mut at = 0;
    while let Some(offset) = code[at..].find("::") {
        let middle = at + offset;
        let start = code[..middle].rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
        // Part of a longer path that was already read, or after a type as in `<T>::new`.
        let inner = code[..start].ends_with("::");
        at = middle + 2;
        if !inner && start < middle {
            at = start + spell(&code[start..], "", &mut found).max(at - start);
        }
    }
    found
}

/// Expands the path or branch of a group at the start into `found`, and returns its length.
fn spell(code: &str, before: &str, found: &mut BTreeSet<String>) -> usize {
    let word = code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len());
    let name = &code[..word];
    let path =
        if before.is_empty() || name.is_empty() { format!("{before}{name}") } else { format!("{before}::{name}") };
    match code[word..].strip_prefix("::") {
        Some(rest) if rest.starts_with('{') => {
            let length = block(rest);
            let mut inside = &rest[1..length - 1];
            while !inside.trim_start().is_empty() {
                inside = inside.trim_start().trim_start_matches(',').trim_start();
                let taken = spell(inside, &path, found);
                let next = inside[taken..].find(',').map_or(inside.len(), |comma| taken + comma + 1);
                inside = &inside[next..];
            }
            word + 2 + length
        }
        Some(rest) if rest.starts_with(|c: char| c.is_alphabetic() || c == '_') => word + 2 + spell(rest, &path, found),
        _ => {
            found.insert(path.strip_suffix("::self").unwrap_or(&path).to_owned());
            word
        }
    }
}

/// Returns the modules of this crate that a file uses, as paths from the root, also those written with `super`.
fn own(source: &Source) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for path in paths(&source.code) {
        let mut parts: Vec<_> = path.split("::").collect();
        if parts[0] == "crate" {
            parts.remove(0);
        } else if parts[0] == "super" {
            let ups = parts.iter().take_while(|part| **part == "super").count();
            let above = &source.module[..source.module.len().saturating_sub(ups)];
            parts = above.iter().map(String::as_str).chain(parts[ups..].iter().copied()).collect();
        } else {
            continue;
        }
        used.extend(parts.first().map(|first| (*first).to_owned()));
    }
    used
}

/// Reads the table in `src/lib.rs`: the layers that each layer may import, `None` for all.
fn map() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let names = |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = file("src/lib.rs");
    let rows = rows.lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
        let [layer, _, may] = cells[..] else { panic!("a row of the table does not have three cells: {row}") };
        let may = match may {
            "all" => None,
            "–" => Some(BTreeSet::new()),
            may => Some(names(may)),
        };
        (layer.trim_end_matches('`').to_owned(), may)
    })
    .collect()
}

#[test]
fn the_table_has_every_layer() {
    let map = map();
    let layers: BTreeSet<_> = map.keys().map(String::as_str).collect();
    let found = sources();
    let found: BTreeSet<_> = found.iter().map(Source::layer).filter(|layer| *layer != "lib").collect();
    assert_eq!(layers, found);
    for may in map.values().flatten() {
        assert!(may.iter().all(|layer| layers.contains(layer.as_str())), "{may:?}");
    }
    let outside: BTreeSet<_> = OUTSIDE.iter().map(|row| row.layer).filter(|layer| *layer != "lib").collect();
    assert_eq!(layers, outside, "the table in this file has a row for each layer");
}

#[test]
fn layers_import_only_allowed_layers() {
    let map = map();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(Some(may)) = map.get(source.layer()) else { continue };
        let used = own(&source);
        let others = used.iter().filter(|layer| *layer != source.layer() && map.contains_key(*layer));
        wrong.extend(others.filter(|layer| !may.contains(*layer)).map(|layer| format!("{} uses {layer}", source.path)));
    }
    assert_eq!(wrong, [""; 0]);
}

/// Returns the names of the dependencies, as the code writes them.
fn dependencies() -> BTreeSet<String> {
    let manifest = file("Cargo.toml");
    let table = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.trim().replace('-', "_")).collect()
}

#[test]
fn layers_use_only_allowed_crates() {
    let dependencies = dependencies();
    let mut wrong = Vec::new();
    for source in sources() {
        let row = OUTSIDE.iter().find(|row| row.layer == source.layer()).unwrap();
        let pure = PURE.contains(&row.layer);
        let mut never = row.never.to_vec();
        if pure || row.layer == "view" {
            never.extend(CLOCKS);
        }
        for path in paths(&source.code) {
            let first = path.split("::").next().unwrap();
            // A module of this crate may have the name of a dependency.
            let module = source.module.len() > 1 && source.code.contains(&format!("mod {first};"));
            let foreign = dependencies.contains(first) && !module;
            if foreign && row.crates.is_some_and(|crates| !crates.contains(&first)) {
                wrong.push(format!("{} uses the crate {first}", source.path));
            }
            if never.iter().any(|bad| path == *bad || path.starts_with(&format!("{bad}::"))) {
                wrong.push(format!("{} uses {path}", source.path));
            }
        }
        if pure && source.code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == "async" || w == "await") {
            wrong.push(format!("{} waits for something", source.path));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// Only `ui` writes to the streams. The place that reads the command line may use clap's printing.
#[test]
fn only_ui_prints() {
    let mut wrong = Vec::new();
    for source in sources().into_iter().filter(|source| source.layer() != "ui") {
        for word in ["print!", "println!", "eprint!", "eprintln!", "io::stdout", "io::stderr", "stdout()", "stderr()"] {
            if source.code.contains(word) {
                wrong.push(format!("{} has {word}", source.path));
            }
        }
        if source.code.contains(".print()") && source.path != "src/commands/mod.rs" {
            wrong.push(format!("{} lets clap print", source.path));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn files_are_short() {
    let long: Vec<_> = sources().into_iter().filter(|source| source.lines > 600).collect();
    let long: Vec<_> = long.iter().map(|source| format!("{} has {} lines", source.path, source.lines)).collect();
    assert_eq!(long, [""; 0]);
}

/// No function of `commands` has more than 80 lines.
#[test]
fn functions_of_verbs_are_short() {
    let mut long = Vec::new();
    let mut seen = 0;
    for source in sources().into_iter().filter(|source| source.layer() == "commands") {
        for (at, _) in source.code.match_indices("fn ") {
            let code = &source.code[at..];
            let name = code[3..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            // A type such as `&dyn Fn(…)` has no name, and a declaration has no body.
            let Some(open) = code.find('{').filter(|open| !name.is_empty() && !code[..*open].contains(';')) else {
                continue;
            };
            let lines = code[..open + block(&code[open..])].lines().count();
            seen += 1;
            if lines > 80 {
                long.push(format!("{}: {name} has {lines} lines", source.path));
            }
        }
    }
    assert!(seen > 20, "the functions are found: {seen}");
    assert_eq!(long, [""; 0]);
}

/// The functions of this file find all that they must find.
#[test]
fn paths_are_found_outside_of_comments_and_strings() {
    let text = r##"
use crate::{state::{self, Event}, view};
/* crate::no */ // crate::no
const A: &str = "crate::no \" { "; const B: char = '"'; const C: &str = r#"crate::no " { "#;
fn f<'a>(x: &'a str) -> char { super::super::deep::g(); '\'' }
#[cfg(test)]
mod tests { use crate::no; fn h() { } }
fn i() { Vec::<crate::error::Error>::new(); std::env::var("x"); Timestamp::now() }
"##;
    let code = without_tests(&without_words(text));
    let found = paths(&code);
    let expected = [
        "Timestamp::now",
        "Vec",
        "crate::error::Error",
        "crate::state",
        "crate::state::Event",
        "crate::view",
        "std::env::var",
        "super::super::deep::g",
    ];
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    let source = Source { path: String::new(), module: vec!["a".into(), "b".into()], code, lines: 0 };
    assert_eq!(own(&source).into_iter().collect::<Vec<_>>(), ["deep", "error", "state", "view"]);
}
