//! Where the items come from: one of the sources that the command line can name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead};

use super::intake::FileLayout;
use super::intake::text::BYTE_ORDER_MARK;
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

/// The items, and what their source says besides.
#[derive(Debug)]
pub(super) struct FoundItems {
    pub(super) items: Items,
    /// How many indexes there are: as many as items, where there are any.
    pub(super) completions: u32,
    /// How many are to run at once, as the source says.
    pub(super) at_once: Option<u32>,
    /// Whether the items are numbers that the user counts by.
    pub(super) is_range: bool,
    /// Where the list is kept already.
    pub(super) listed: Option<ItemStore>,
    pub(super) notes: Vec<String>,
    /// The file whose first line was taken for a header, without a word of the user.
    pub(super) header_of: Option<String>,
}

impl FoundItems {
    fn of(taken: LoadedItems) -> Result<Self, Error> {
        Ok(Self { notes: taken.notes, header_of: taken.header_of, ..Self::new(taken.items)? })
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

    /// The same with these items only, which are kept anew: a list that is used in place can't be used in part.
    pub(super) fn only(self, positions: &IndexSet) -> Result<Self, Error> {
        let rows = (0..).zip(self.items.iter()).filter(|(position, _)| positions.contains(*position));
        let rows = rows.map(|(_, item)| item.clone()).collect();
        let kept = Self::new(Items::new(self.items.columns().clone(), rows))?;
        Ok(Self { listed: None, items: kept.items, completions: kept.completions, ..self })
    }
}

fn too_many(count: usize) -> Error {
    Error::usage(format!(
        "{count} indexes are more than one Job can have: Kubernetes takes {MAX_COMPLETIONS} with per-index limits"
    ))
    .hint(format!("split the work into runs of at most {MAX_COMPLETIONS}"))
}

/// The command, and the words from the first `:::` on.
pub(super) fn split_command(words: &[OsString]) -> Result<(Vec<String>, Vec<Vec<u8>>), Error> {
    let end = words.iter().position(|word| is_separator(word.as_encoded_bytes())).unwrap_or(words.len());
    let (command, list) = words.split_at(end);
    Ok((text_of(command)?, list.iter().map(|word| word.as_encoded_bytes().to_vec()).collect()))
}

/// The words of a command, which Kubernetes takes as text.
pub(super) fn text_of(command: &[OsString]) -> Result<Vec<String>, Error> {
    let text = |word: &OsString| {
        word.to_str().map(str::to_owned).ok_or_else(|| {
            Error::usage(format!("the command has an argument that is not UTF-8: {:?}", word.to_string_lossy()))
                .hint("write it another way, as by printf in a script")
                .hint("--items-file and ::: carry items of any bytes")
        })
    };
    command.iter().map(text).collect()
}

/// Checks that there is one source of items, before anything is read.
pub(crate) fn check(args: &ItemArgs, command: &[OsString]) -> Result<(), Error> {
    let sources = [
        ("--items", args.items.is_some()),
        ("--items-file", args.items_file.is_some()),
        ("--range", args.range.is_some()),
        ("--param", !args.params.is_empty()),
        ("--items-configmap", args.items_configmap.is_some()),
        ("--completions", args.completions.is_some()),
        (":::", command.iter().any(|word| is_separator(word.as_encoded_bytes()))),
    ];
    let given: Vec<_> = sources.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    match given.as_slice() {
        [] => Err(Error::usage("there are no items to run the command for")
            .hint(Hint::from("name them: ").then(Hint::indexed(&["run", "--items", "foo,bar,baz", "--", "rev"], "")))
            .hint("or read them, a line each, from a file or a pipe: --items-file FILE, or -")
            .hint("or only number them: --completions 10")),
        [first, second, ..] => Err(Error::usage(format!("{first} and {second} are two sources of items"))
            .hint("leave one of them out; --param can be repeated, and combines its lists")),
        [source] => check_modifiers(args, source),
    }
}

/// Checks that what refines a source goes with the one there is.
fn check_modifiers(args: &ItemArgs, source: &str) -> Result<(), Error> {
    let file_only = [
        ("--format", args.format.is_some()),
        ("--null", args.null),
        ("--colsep", args.colsep.is_some()),
        ("--no-header", args.no_header.is_some()),
    ];
    if let Some((flag, _)) = file_only.iter().find(|(_, given)| *given && source != "--items-file") {
        return Err(Error::usage(format!("{flag} says how --items-file is written, and the items come from {source}"))
            .hint(format!("leave {flag} out")));
    }
    if args.link && !matches!(source, "--param" | ":::") {
        return Err(Error::usage(format!("--link pairs several lists, and {source} is one"))
            .hint("repeat --param, as in --param a=1,2 --param b=x,y --link"));
    }
    let selecting = [
        ("--unique", args.unique),
        ("--skip", args.skip.is_some()),
        ("--shuffle", args.shuffle.is_some()),
        ("--first", args.first.is_some()),
    ];
    if let Some((flag, _)) = selecting.iter().find(|(_, given)| *given)
        && matches!(source, "--items-configmap" | "--completions")
    {
        let why = match source {
            "--completions" => "numbers the indexes only",
            _ => "is used in place, as it is",
        };
        return Err(Error::usage(format!("{flag} selects among items, and {source} {why}"))
            .hint(format!("leave {flag} out, or take the items from --items-file or --range")));
    }
    Ok(())
}

/// What the flags select; `seed` orders where the user named none.
pub(crate) fn selection(args: &ItemArgs, seed: u64) -> ItemSelection {
    ItemSelection {
        unique: args.unique,
        skip: args.skip.unwrap_or(0),
        shuffle: args.shuffle.map(|chosen| chosen.unwrap_or(seed)),
        first: args.first,
    }
}

/// The items of `--items-file`, as far as they are of use; `unreadable` tells of an error of `input` itself.
pub(crate) fn read_items_file(
    args: &ItemArgs,
    path: &str,
    seed: u64,
    input: impl BufRead,
    unreadable: impl Fn(io::Error) -> Error,
) -> Result<LoadedItems, Error> {
    let origin = if path == "-" { "stdin" } else { path };
    let collector = Collector::new(selection(args, seed), MAX_COMPLETIONS)?;
    intake::read(origin, layout(args, path)?, input, collector, unreadable)
}

/// How the flags and the name of a file say that it is written.
fn layout(args: &ItemArgs, path: &str) -> Result<FileLayout, Error> {
    let named = if args.null { ItemsFormat::Null } else { ItemsFormat::from_name(path) };
    let format = args.format.unwrap_or(named);
    let separator = args.colsep.as_deref().map(column_separator).transpose()?;
    let has_columns = matches!(format, ItemsFormat::Csv | ItemsFormat::Tsv);
    let is_lines = format == ItemsFormat::Lines;
    if separator.is_some() && !has_columns && !is_lines {
        let what = if format == ItemsFormat::Null { "items ended by NUL bytes" } else { "JSON" };
        return Err(Error::usage(format!("--colsep has no use: {path} is read as {what}, which has no separator"))
            .hint("leave --colsep out, or add --format csv"));
    }
    if args.no_header.is_some() && !has_columns && separator.is_none() {
        return Err(Error::usage(format!("--no-header has no use: {path} is not read as a table"))
            .hint("leave --no-header out, or add --format csv, --format tsv or --colsep"));
    }
    Ok(FileLayout { format, separator, no_header: args.no_header })
}

/// Reads the character of `--colsep`.
fn column_separator(text: &str) -> Result<u8, Error> {
    let usable = |byte: u8| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0);
    match text.as_bytes() {
        br"\t" => Ok(b'\t'),
        &[byte] if usable(byte) => Ok(byte),
        _ => Err(Error::usage(format!("--colsep {text:?} is not one ASCII character"))
            .hint("write it as ',', ';', ' ' or '\\t'")
            .hint("tr -s ' ' makes one blank of several")),
    }
}

/// Whether names that are numbers are those of a header: years, or one after the other.
fn is_axis(names: &[(usize, &String)]) -> bool {
    let numbers: Vec<_> = names.iter().map_while(|(_, name)| name.parse::<u32>().ok()).collect();
    let are_years = numbers.iter().all(|number| (1900..=2100).contains(number));
    let in_turn = numbers.len() > 1 && numbers.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    numbers.len() == names.len() && (are_years || in_turn)
}

/// Checks that a first line that was taken for a header is one: a number that stands above numbers is an item's more
/// probably, unless the command uses the columns by name. Returns what the user should know.
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
    let no_header = "--no-header makes it an item, and the columns {1}, {2}, …";
    let row = items.first();
    let numbers: Vec<_> = names.iter().enumerate().filter(|(_, name)| script::is_number(name.as_bytes())).collect();
    let stands_above_number =
        |(column, _): &(usize, &String)| row.is_some_and(|row| script::is_number(row.value(*column)));
    if let Some((column, name)) =
        numbers.iter().find(|&&number| stands_above_number(&number)).filter(|_| !is_axis(&numbers))
    {
        return Err(Error::usage(format!(
            "the first line of {header_of} would name the columns, and column {} would be {name:?}",
            column + 1
        ))
        .hint(no_header)
        .hint("--no-header=false takes it as the header"));
    }
    let by_place = (1..=names.len()).any(|place| uses(&place.to_string()));
    Ok(by_place.then(|| {
        format!("the first line of {header_of} names the columns ({}) and is no item; {no_header}", names.join(", "))
    }))
}

/// The items of the one source that is named; what had to be read for it was read by the caller.
pub(super) fn find(
    args: &ItemArgs,
    behind_command: Vec<Vec<u8>>,
    file: Option<LoadedItems>,
    listed: Option<ListedConfigMap>,
    seed: u64,
) -> Result<FoundItems, Error> {
    let collector = || Collector::new(selection(args, seed), MAX_COMPLETIONS);
    let mut found = if let Some(list) = &args.items {
        FoundItems::of(ListSource::list(list.as_encoded_bytes())?.collect(collector()?)?)?
    } else if let Some(taken) = file {
        FoundItems::of(taken)?
    } else if let Some(range) = &args.range {
        range_of(range, collector()?)?
    } else if !args.params.is_empty() {
        let params: Vec<_> = args.params.iter().map(|text| text.as_encoded_bytes()).collect();
        FoundItems::of(ListSource::params(&params, args.link)?.collect(collector()?)?)?
    } else if !behind_command.is_empty() {
        FoundItems::of(ListSource::words(behind_command, args.link)?.collect(collector()?)?)?
    } else if let (Some(name), Some(list)) = (&args.items_configmap, listed) {
        in_place(name, list)?
    } else {
        numbered(args.completions.unwrap_or(0))?
    };
    if args.shuffle == Some(None) {
        found.notes.push(format!("the items are mixed; --shuffle={seed} gives this order again"));
    }
    Ok(found)
}

fn numbered(completions: u32) -> Result<FoundItems, Error> {
    match completions {
        0 => Err(Error::usage("--completions 0 would never run anything").hint("give at least 1")),
        n if n as usize > MAX_COMPLETIONS => Err(too_many(n as usize)),
        n => Ok(FoundItems { completions: n, ..FoundItems::new(Items::default())? }),
    }
}

/// Reads `1-100:3%4`: the numbers, and how many to run at once.
fn range_of(text: &str, collector: Collector) -> Result<FoundItems, Error> {
    let (range, at_once) = match text.split_once('%') {
        Some((range, at_once)) => (range, Some(at_once)),
        None => (text, None),
    };
    let at_once = at_once.map(|digits| match digits.parse::<u32>() {
        Ok(at_once) if at_once > 0 => Ok(at_once),
        _ => Err(Error::usage(format!(
            "--range {text:?}: {digits:?} behind % is not a number of indexes to run at once"
        ))
        .hint("write it as 0-99%10, or give -j 10")),
    });
    let numbers = policy::index_set("--range", range, "write it as 1-100, 0-9:2 or 1,5,9-12")?;
    let found = FoundItems::of(ListSource::range(&numbers).collect(collector)?)?;
    Ok(FoundItems { at_once: at_once.transpose()?, is_range: true, ..found })
}

/// The name and the key in `NAME[/KEY]`.
pub(crate) fn config_map_named(text: &str) -> (&str, Option<&str>) {
    text.split_once('/').map_or((text, None), |(name, key)| (name, Some(key)))
}

/// The items of a list that is in the cluster already.
fn in_place(text: &str, mut entries: ListedConfigMap) -> Result<FoundItems, Error> {
    let (name, key) = config_map_named(text);
    let keys = entries.keys().take(10).cloned().collect::<Vec<_>>().join(", ");
    let Some(key) = key else {
        let count = entries.len();
        let digest = ListDigest::of_keys(&entries, u32::try_from(count).map_err(|_| too_many(count))?);
        let rows = (0..count).map_while(|index| entries.remove(&index.to_string())).map(Item::new);
        let items = Items::new(Columns::None, rows.collect());
        if let Some(stranger) = entries.keys().next() {
            return Err(Error::usage(format!(
                "configmap {name:?} is no list by itself: {stranger:?} is not one of the keys 0 to {}",
                count - 1
            ))
            .hint(format!("name the key with an item a line, as in --items-configmap {name}/{stranger}")));
        }
        check_some(&items, name)?;
        let listed = ItemStore::Listed { config_map: name.to_owned(), key: None, crlf: false, digest };
        return Ok(FoundItems { listed: Some(listed), ..FoundItems::new(items)? });
    };
    let Some(text) = entries.remove(key) else {
        return Err(Error::usage(format!("configmap {name:?} has no key {key:?}")).hint(format!("its keys are {keys}")));
    };
    let collector = Collector::new(ItemSelection::default(), MAX_COMPLETIONS)?;
    let unreadable = |error| Error::usage("a text can't be read").caused_by(error);
    let origin = format!("configmap {name}/{key}");
    let layout = FileLayout { format: ItemsFormat::Lines, separator: None, no_header: None };
    let LoadedItems { items, notes, header_of: _ } =
        intake::read(&origin, layout, text.as_slice(), collector, unreadable)?;
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(Error::usage(format!("{origin} begins with a byte order mark, which its first item would have"))
            .hint("make the configmap of a file without: sed '1s/^\\xEF\\xBB\\xBF//' FILE"));
    }
    check_some(&items, name)?;
    let crlf = has_windows_lines(&text);
    if let Some(index) = items.iter().position(|item| item.bytes().contains(&0)) {
        return Err(Error::usage(format!(
            "item {index} of configmap {name}/{key} has a NUL byte, which no line can carry"
        ))
        .hint("give each item a key of its own, 0, 1, …, in binaryData"));
    }
    let found = FoundItems::new(items)?;
    let digest = ListDigest::of_lines(&text, found.completions);
    let listed = ItemStore::Listed { config_map: name.to_owned(), key: Some(key.to_owned()), crlf, digest };
    Ok(FoundItems { listed: Some(listed), notes, ..found })
}

fn check_some(items: &Items, name: &str) -> Result<(), Error> {
    if items.is_empty() {
        return Err(Error::usage(format!("configmap {name:?} is empty: there are no items to run the command for"))
            .hint(Hint::kubectl(&["get", "configmap", name, "-o", "yaml"], "shows it")));
    }
    Ok(())
}
