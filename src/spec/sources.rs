//! Finds the one source of items that a command line names, and checks its flags.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead};

use super::intake::text::BYTE_ORDER_MARK;
use super::intake::{FileLayout, ListOrigin};
use super::items::{Columns, Item, Items};
use super::lists::{ListSource, is_separator};
use super::select::{Collector, ItemSelection, LoadedItems};
use super::stores::{ItemStore, ListDigest, has_windows_lines};
use super::{MAX_COMPLETIONS, intake, policy, script};
use crate::args::{ItemArgs, ItemsFormat};
use crate::error::{Error, Hint};
use crate::index_set::IndexSet;

/// The keys and values of a ConfigMap in the cluster that holds a list.
pub(crate) type ListedConfigMap = BTreeMap<String, Vec<u8>>;

/// The items, with what else their source says.
#[derive(Debug)]
pub(super) struct FoundItems {
    pub(super) items: Items,
    /// The number of indexes; that of the items, if there are any.
    pub(super) completions: u32,
    /// The parallelism of `--range 0-99%10`.
    pub(super) at_once: Option<u32>,
    /// Whether the items are the numbers of `--range`.
    pub(super) is_range: bool,
    /// The existing store of the list.
    pub(super) listed: Option<ItemStore>,
    pub(super) notes: Vec<String>,
    /// The file whose first line was taken for a header, although no flag said so.
    pub(super) header_of: Option<String>,
}

impl FoundItems {
    fn from_loaded(loaded: LoadedItems) -> Result<Self, Error> {
        Ok(Self { notes: loaded.notes, header_of: loaded.header_of, ..Self::new(loaded.items)? })
    }

    fn new(items: Items) -> Result<Self, Error> {
        let completions = u32::try_from(items.len()).map_err(|_| too_many(items.len()))?;
        Ok(Self {
            items,
            completions,
            at_once: None,
            is_range: false,
            listed: None,
            notes: Vec::new(),
            header_of: None,
        })
    }

    /// Keeps only these items. They are stored anew: a list that is used in place can't be used in part.
    pub(super) fn select(self, positions: &IndexSet) -> Result<Self, Error> {
        let rows = (0..).zip(self.items.iter()).filter(|(position, _)| positions.contains(*position));
        let rows = rows.map(|(_, item)| item.clone()).collect();
        let kept = Self::new(Items::new(self.items.columns().clone(), rows))?;
        Ok(Self { listed: None, items: kept.items, completions: kept.completions, ..self })
    }
}

fn too_many(count: usize) -> Error {
    Error::usage(format!(
        "{count} indexes are too many for one Job: Kubernetes allows {MAX_COMPLETIONS} with per-index limits"
    ))
    .hint(format!("split the work into runs of at most {MAX_COMPLETIONS} indexes"))
}

/// Splits the words after the two dashes into the command and the lists from the first `:::` on.
pub(super) fn split_command(words: &[OsString]) -> Result<(Vec<String>, Vec<Vec<u8>>), Error> {
    let end = words.iter().position(|word| is_separator(word.as_encoded_bytes())).unwrap_or(words.len());
    let (command, list) = words.split_at(end);
    Ok((command_text(command)?, list.iter().map(|word| word.as_encoded_bytes().to_vec()).collect()))
}

/// Returns the words of a command as text, because Kubernetes accepts only text.
pub(super) fn command_text(command: &[OsString]) -> Result<Vec<String>, Error> {
    let text = |word: &OsString| {
        word.to_str().map(str::to_owned).ok_or_else(|| {
            Error::usage(format!("the command has an argument that is not UTF-8: {:?}", word.to_string_lossy()))
                .hint("produce its bytes in a script, with printf")
                .hint("or pass it as an item: --items-file and ::: accept any bytes")
        })
    };
    command.iter().map(text).collect()
}

/// Checks that there is one source of items, before any is read.
pub(crate) fn check(args: &ItemArgs, command: &[OsString]) -> Result<(), Error> {
    let sources = [
        (SourceFlag::Items, args.items.is_some()),
        (SourceFlag::ItemsFile, args.items_file.is_some()),
        (SourceFlag::Range, args.range.is_some()),
        (SourceFlag::Param, !args.params.is_empty()),
        (SourceFlag::ItemsConfigmap, args.items_configmap.is_some()),
        (SourceFlag::Completions, args.completions.is_some()),
        (SourceFlag::Words, command.iter().any(|word| is_separator(word.as_encoded_bytes()))),
    ];
    let given: Vec<_> = sources.iter().filter(|(_, given)| *given).map(|(source, _)| *source).collect();
    match given.as_slice() {
        [] => Err(Error::usage("there are no items to run the command for")
            .hint(Hint::from("name them: ").then(Hint::indexed(&["run", "--items", "foo,bar,baz", "--", "rev"], "")))
            .hint(
                Hint::from("or read one per line from a file, or - for stdin: ")
                    .then(Hint::indexed(&["run", "--items-file", "FILE", "--", "rev"], "")),
            )
            .hint(
                Hint::from("or run indexes without items: ")
                    .then(Hint::indexed(&["run", "--completions", "10", "--", "rev"], "")),
            )),
        [first, second, ..] => Err(Error::usage(format!("{first} and {second} are two sources of items"))
            .hint("remove one of them; only --param can be repeated")),
        [source] => check_modifiers(args, *source),
    }
}

/// A source of items on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceFlag {
    Items,
    ItemsFile,
    Range,
    Param,
    ItemsConfigmap,
    Completions,
    /// Lists after the command.
    Words,
}

impl fmt::Display for SourceFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Items => "--items",
            Self::ItemsFile => "--items-file",
            Self::Range => "--range",
            Self::Param => "--param",
            Self::ItemsConfigmap => "--items-configmap",
            Self::Completions => "--completions",
            Self::Words => ":::",
        })
    }
}

/// Checks that the flags that refine a source suit it.
fn check_modifiers(args: &ItemArgs, source: SourceFlag) -> Result<(), Error> {
    let file_only = [
        ("--format", args.format.is_some()),
        ("--null", args.null),
        ("--colsep", args.colsep.is_some()),
        ("--no-header", args.no_header.is_some()),
    ];
    if let Some((flag, _)) = file_only.iter().find(|(_, given)| *given && source != SourceFlag::ItemsFile) {
        return Err(Error::usage(format!(
            "{flag} describes the file of --items-file, and the items come from {source}"
        ))
        .hint(format!("remove {flag}")));
    }
    if args.link && !matches!(source, SourceFlag::Param | SourceFlag::Words) {
        return Err(Error::usage(format!("--link pairs several lists, and {source} is one list"))
            .hint("repeat --param, as in --param a=1,2 --param b=x,y --link"));
    }
    let selecting = [
        ("--unique", args.unique),
        ("--skip", args.skip.is_some()),
        ("--shuffle", args.shuffle.is_some()),
        ("--first", args.first.is_some()),
    ];
    if let Some((flag, _)) = selecting.iter().find(|(_, given)| *given)
        && let Some(obstacle) = match source {
            SourceFlag::Completions => Some("provides no items"),
            SourceFlag::ItemsConfigmap => Some("uses the whole list"),
            _ => None,
        }
    {
        return Err(Error::usage(format!("{flag} selects items, and {source} {obstacle}"))
            .hint(format!("remove {flag}, or take the items from --items-file or --range")));
    }
    Ok(())
}

/// Returns the selection of the flags. `seed` is the default of `--shuffle`.
pub(crate) fn selection(args: &ItemArgs, seed: u64) -> ItemSelection {
    ItemSelection {
        unique: args.unique,
        skip: args.skip.unwrap_or(0),
        shuffle: args.shuffle.map(|chosen| chosen.unwrap_or(seed)),
        first: args.first,
    }
}

/// Reads the items of `--items-file`, no more than are needed. `unreadable` makes the error of a failed read.
pub(crate) fn read_items_file(
    args: &ItemArgs,
    path: &str,
    seed: u64,
    input: impl BufRead,
    unreadable: impl Fn(io::Error) -> Error,
) -> Result<LoadedItems, Error> {
    let origin = if path == "-" { ListOrigin::Stdin } else { ListOrigin::File(path) };
    let collector = Collector::new(selection(args, seed), MAX_COMPLETIONS)?;
    intake::read(origin, file_layout(args, path)?, input, collector, unreadable)
}

/// Returns the layout of a file by its flags and its name.
fn file_layout(args: &ItemArgs, path: &str) -> Result<FileLayout, Error> {
    let named = if args.null { ItemsFormat::Null } else { ItemsFormat::from_name(path) };
    let format = args.format.unwrap_or(named);
    let separator = args.colsep.as_deref().map(parse_separator).transpose()?;
    let has_columns = matches!(format, ItemsFormat::Csv | ItemsFormat::Tsv);
    let is_lines = format == ItemsFormat::Lines;
    if separator.is_some() && !has_columns && !is_lines {
        let read_as = if format == ItemsFormat::Null { "NUL-separated items" } else { "JSON" };
        return Err(Error::usage(format!("--colsep has no effect: {path} is read as {read_as}, without columns"))
            .hint("remove --colsep, or add --format csv"));
    }
    if args.no_header.is_some() && !has_columns && separator.is_none() {
        return Err(Error::usage(format!("--no-header has no effect: {path} is not read as a table"))
            .hint("remove --no-header, or add --format csv, --format tsv or --colsep"));
    }
    Ok(FileLayout { format, separator, no_header: args.no_header })
}

/// Parses the character of `--colsep`.
fn parse_separator(text: &str) -> Result<u8, Error> {
    let usable = |byte: u8| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0);
    match text.as_bytes() {
        br"\t" => Ok(b'\t'),
        &[byte] if usable(byte) => Ok(byte),
        _ => Err(Error::usage(format!("--colsep {text:?} is not one ASCII character"))
            .hint("write it as --colsep ',' or --colsep '\\t'")
            .hint("tr -s ' ' joins several spaces into one")),
    }
}

/// Returns whether numbers are plausible names of columns: years, or consecutive numbers.
fn is_axis(names: &[(usize, &String)]) -> bool {
    let numbers: Vec<_> = names.iter().map_while(|(_, name)| name.parse::<u32>().ok()).collect();
    let are_years = numbers.iter().all(|number| (1900..=2100).contains(number));
    let in_turn = numbers.len() > 1 && numbers.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    numbers.len() == names.len() && (are_years || in_turn)
}

/// Checks that a first line is a header and no item. A number above numbers is more likely an item's, unless the command
/// uses the columns by name. Returns a note for the user.
pub(super) fn check_header(header_of: &str, items: &Items, command: &[String]) -> Result<Option<String>, Error> {
    let Columns::Named(names) = items.columns() else { return Ok(None) };
    let is_place = |name: &str| name.parse::<usize>().is_ok_and(|place| (1..=names.len()).contains(&place));
    let uses = |name: &str| {
        let open = format!("{{{name}");
        let ends = |rest: &str| rest.starts_with(['}', '.', '/']);
        command.iter().any(|word| word.split(&open).skip(1).any(ends))
    };
    if names.iter().any(|name| !is_place(name) && uses(name)) {
        return Ok(None);
    }
    let no_header = "--no-header makes it an item, with the columns {1}, {2}, ...";
    let row = items.first();
    let numbers: Vec<_> = names.iter().enumerate().filter(|(_, name)| script::is_number(name.as_bytes())).collect();
    let stands_above_number =
        |(column, _): &(usize, &String)| row.is_some_and(|row| script::is_number(row.value(*column)));
    if let Some((column, name)) =
        numbers.iter().find(|&&number| stands_above_number(&number)).filter(|_| !is_axis(&numbers))
    {
        return Err(Error::usage(format!(
            "the first line of {header_of} looks like an item: as the header it would name column {} {name:?}",
            column + 1
        ))
        .hint(no_header)
        .hint("--no-header=false makes it the header"));
    }
    let by_place = (1..=names.len()).any(|place| uses(&place.to_string()));
    Ok(by_place.then(|| {
        format!("the first line of {header_of} is the header ({}), not an item; {no_header}", names.join(", "))
    }))
}

/// Returns the items of the one source that is given. The caller has read its file or ConfigMap.
pub(super) fn find(
    args: &ItemArgs,
    after_command: Vec<Vec<u8>>,
    file: Option<LoadedItems>,
    listed: Option<ListedConfigMap>,
    seed: u64,
) -> Result<FoundItems, Error> {
    let collector = || Collector::new(selection(args, seed), MAX_COMPLETIONS);
    let mut found = if let Some(list) = &args.items {
        FoundItems::from_loaded(ListSource::list(list.as_encoded_bytes())?.collect(collector()?)?)?
    } else if let Some(taken) = file {
        FoundItems::from_loaded(taken)?
    } else if let Some(range) = &args.range {
        parse_range(range, collector()?)?
    } else if !args.params.is_empty() {
        let params: Vec<_> = args.params.iter().map(|text| text.as_encoded_bytes()).collect();
        FoundItems::from_loaded(ListSource::params(&params, args.link)?.collect(collector()?)?)?
    } else if !after_command.is_empty() {
        FoundItems::from_loaded(ListSource::words(after_command, args.link)?.collect(collector()?)?)?
    } else if let (Some(name), Some(list)) = (&args.items_configmap, listed) {
        items_in_place(name, list)?
    } else {
        indexes_only(args.completions.unwrap_or(0))?
    };
    if args.shuffle == Some(None) {
        found.notes.push(format!("the items are shuffled; --shuffle={seed} repeats this order"));
    }
    Ok(found)
}

fn indexes_only(completions: u32) -> Result<FoundItems, Error> {
    match completions {
        0 => Err(Error::usage("--completions 0 would run nothing").hint("use --completions 1 or more")),
        n if n as usize > MAX_COMPLETIONS => Err(too_many(n as usize)),
        n => Ok(FoundItems { completions: n, ..FoundItems::new(Items::default())? }),
    }
}

/// Parses `1-100:3%4`: the numbers and the parallelism.
fn parse_range(text: &str, collector: Collector) -> Result<FoundItems, Error> {
    let (range, at_once) = match text.split_once('%') {
        Some((range, at_once)) => (range, Some(at_once)),
        None => (text, None),
    };
    let at_once = at_once.map(|digits| match digits.parse::<u32>() {
        Ok(at_once) if at_once > 0 => Ok(at_once),
        _ => Err(Error::usage(format!("--range {text:?}: {digits:?} after % is not a number of indexes, at least 1"))
            .hint("write it as --range 0-99%10, or use --parallelism 10")),
    });
    let numbers = policy::parse_index_set("--range", range, "1-100, 0-9:2 or 1,5,9-12")?;
    let found = FoundItems::from_loaded(ListSource::range(&numbers).collect(collector)?)?;
    Ok(FoundItems { at_once: at_once.transpose()?, is_range: true, ..found })
}

/// Splits `NAME[/KEY]` into name and key.
pub(crate) fn split_config_map(text: &str) -> (&str, Option<&str>) {
    text.split_once('/').map_or((text, None), |(name, key)| (name, Some(key)))
}

/// Returns the items of a list that is already in the cluster.
fn items_in_place(text: &str, mut entries: ListedConfigMap) -> Result<FoundItems, Error> {
    let (name, key) = split_config_map(text);
    let keys = entries.keys().take(10).cloned().collect::<Vec<_>>().join(", ");
    let Some(key) = key else {
        let count = entries.len();
        let digest = ListDigest::of_keys(&entries, u32::try_from(count).map_err(|_| too_many(count))?);
        let rows = (0..count).map_while(|index| entries.remove(&index.to_string())).map(Item::new);
        let items = Items::new(Columns::None, rows.collect());
        if let Some(stranger) = entries.keys().next() {
            return Err(Error::usage(format!(
                "configmap {name:?} does not have the keys 0 to {}, one for each item: it has {stranger:?}",
                count - 1
            ))
            .hint(format!("if that key has an item per line, write --items-configmap {name}/{stranger}")));
        }
        check_not_empty(&items, name)?;
        let listed = ItemStore::Listed { config_map: name.to_owned(), key: None, crlf: false, digest };
        return Ok(FoundItems { listed: Some(listed), ..FoundItems::new(items)? });
    };
    let Some(text) = entries.remove(key) else {
        return Err(Error::usage(format!("configmap {name:?} has no key {key:?}")).hint(format!("its keys are {keys}")));
    };
    let collector = Collector::new(ItemSelection::default(), MAX_COMPLETIONS)?;
    let unreadable = |error| Error::usage("the configmap can't be read").caused_by(error);
    let full_name = format!("{name}/{key}");
    let origin = ListOrigin::ConfigMap(&full_name);
    let layout = FileLayout { format: ItemsFormat::Lines, separator: None, no_header: None };
    let LoadedItems { items, notes, header_of: _ } =
        intake::read(origin, layout, text.as_slice(), collector, unreadable)?;
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(Error::usage(format!(
            "{origin} begins with a byte order mark, which would be part of its first item"
        ))
        .hint("create the configmap from a file without it: sed '1s/^\\xEF\\xBB\\xBF//' FILE"));
    }
    check_not_empty(&items, name)?;
    let crlf = has_windows_lines(&text);
    if let Some(index) = items.iter().position(|item| item.bytes().contains(&0)) {
        return Err(Error::usage(format!("item {index} of {origin} has a NUL byte, which a line can't hold"))
            .hint("store each item under its own key in binaryData: 0, 1, ..."));
    }
    let found = FoundItems::new(items)?;
    let digest = ListDigest::of_lines(&text, found.completions);
    let listed = ItemStore::Listed { config_map: name.to_owned(), key: Some(key.to_owned()), crlf, digest };
    Ok(FoundItems { listed: Some(listed), notes, ..found })
}

fn check_not_empty(items: &Items, name: &str) -> Result<(), Error> {
    if items.is_empty() {
        return Err(Error::usage(format!("configmap {name:?} has no items"))
            .hint(Hint::kubectl(&["get", "configmap", name, "-o", "yaml"], "shows it")));
    }
    Ok(())
}
