//! Items from the command line: lists, numbers, and combinations of lists.

use std::fmt;

use itertools::Itertools as _;
use serde::de::IgnoredAny;

use super::items::{Columns, Item, parse_csv};
use super::select::{Collector, LoadedItems};
use crate::error::{Error, Hint};
use crate::index_set::IndexSet;

/// Makes items one by one, no more than are needed.
pub(crate) struct ListSource<'a> {
    origin: &'static str,
    columns: Columns,
    /// The number of items; [`UNCOUNTABLE`] means that number or more.
    count: u64,
    rows: Box<dyn Iterator<Item = Vec<Vec<u8>>> + 'a>,
    notes: Vec<String>,
}

/// The number from which items are no longer counted.
const UNCOUNTABLE: u64 = u64::MAX;

impl<'a> ListSource<'a> {
    /// Returns the items of `--items a,b,"c,d"`: the fields of one CSV record.
    pub(crate) fn list(list: &[u8]) -> Result<Self, Error> {
        let fields = parse_list(list)?;
        check_notation(ListFlag::Items, list, &fields)?;
        let notes = note_of_single_value(ListFlag::Items, &fields);
        let notes = Vec::from_iter(notes);
        let (count, rows) = (fields.len() as u64, Box::new(fields.into_iter().map(|field| vec![field])));
        Ok(Self { origin: "--items", columns: Columns::None, count, rows, notes })
    }

    pub(crate) fn range(numbers: &'a IndexSet) -> Self {
        let rows = Box::new(numbers.iter().map(|number| vec![number.to_string().into_bytes()]));
        Self { origin: "--range", columns: Columns::None, count: numbers.len() as u64, rows, notes: Vec::new() }
    }

    /// Returns the combinations of named lists, each `NAME=VALUE,…` with the values quoted as in CSV. The last list
    /// changes fastest. With `link`, the first values form one item, then the second ones, and so on.
    pub(crate) fn params<S: AsRef<[u8]>>(params: &[S], link: bool) -> Result<Self, Error> {
        let (mut names, mut lists, mut notes) = (Vec::<String>::new(), Vec::new(), Vec::new());
        for param in params {
            let (name, values) = parse_param(param.as_ref())?;
            if let Some(earlier) = names.iter().position(|known| *known == name) {
                let (one, other) = (params[earlier].as_ref(), param.as_ref());
                return Err(Error::usage(format!(
                    "--param names {name:?} twice: {:?} and {:?}",
                    String::from_utf8_lossy(one),
                    String::from_utf8_lossy(other)
                ))
                .hint(format!("write its values into one --param {name}=VALUE,VALUE")));
            }
            notes.extend(note_of_single_value(ListFlag::Param(&name), &values));
            names.push(name);
            lists.push(values);
        }
        let groups =
            if link { vec![link_params(&names, lists)?] } else { lists.into_iter().map(|list| vec![list]).collect() };
        Ok(Self::combinations("--param", Columns::Named(names), groups, notes))
    }

    /// Returns the combinations of the lists after the command, as in `::: a b ::: 1 2`. The last list changes fastest. A
    /// list after `:::+` is paired with the one before it, up to the shorter one; with `link` all lists are paired.
    ///
    /// `words` begins with one of these separators.
    pub(crate) fn words(words: Vec<Vec<u8>>, link: bool) -> Result<Self, Error> {
        let mut groups: Vec<LinkedLists> = Vec::new();
        for word in words {
            match word.as_slice() {
                separator @ (b":::" | b":::+") => match groups.last_mut() {
                    Some(group) if link || separator == b":::+" => group.push(Vec::new()),
                    _ if separator == b":::" => groups.push(vec![Vec::new()]),
                    _ => {
                        return Err(Error::usage("\":::+\" has no list before it to pair with")
                            .hint("begin with \":::\", as in ::: a b :::+ 1 2"));
                    }
                },
                b"::::" | b"::::+" => {
                    return Err(Error::usage(format!(
                        "{:?} would read files, which is not supported after the command",
                        String::from_utf8_lossy(&word)
                    ))
                    .hint(
                        Hint::from("name the file before the command: ")
                            .then(Hint::indexed(&["run", "--items-file", "FILE", "--", "CMD"], "")),
                    ));
                }
                _ => {
                    let Some(list) = groups.last_mut().and_then(|group| group.last_mut()) else {
                        let word = String::from_utf8_lossy(&word);
                        return Err(Error::usage(format!("{word:?} comes before the first \":::\"")));
                    };
                    list.push(word);
                }
            }
        }
        let (mut notes, mut number) = (Vec::new(), 0);
        for lists in &groups {
            let shortest = row_count(lists);
            for (place, list) in lists.iter().enumerate() {
                number += 1;
                let separator = if place == 0 { ":::" } else { ":::+" };
                if list.is_empty() {
                    return Err(Error::usage(format!("list {number} after the command ({separator}) has no values")));
                }
                let length = list.len();
                let ignored = match length - shortest {
                    0 => continue,
                    1 => "the last is".to_owned(),
                    more => format!("the last {more} are"),
                };
                notes.push(format!(
                    "list {number} after the command ({separator}) has {length} values and is paired with a list of \
                     {shortest}: {ignored} ignored"
                ));
            }
        }
        let columns = if number == 1 { Columns::None } else { Columns::Numbered(number) };
        Ok(Self::combinations("the lists after the command", columns, groups, notes))
    }

    fn combinations(origin: &'static str, columns: Columns, groups: Vec<LinkedLists>, notes: Vec<String>) -> Self {
        let lengths = groups.iter().map(|group| row_count(group) as u64);
        let count = lengths.into_iter().try_fold(1_u64, u64::checked_mul).unwrap_or(UNCOUNTABLE);
        let combinations = groups.iter().map(|group| 0..row_count(group)).multi_cartesian_product();
        let rows = combinations.map(move |at| {
            let rows = groups.iter().zip(at);
            rows.flat_map(|(group, row)| group.iter().map(move |list| list[row].clone())).collect()
        });
        Self { origin, columns, count, rows: Box::new(rows), notes }
    }

    /// Gives the items to `collector` until it needs no more, and returns the selected ones.
    pub(crate) fn collect(self, mut collector: Collector) -> Result<LoadedItems, Error> {
        let Self { origin, columns, count, rows, notes } = self;
        let counted = if count == UNCOUNTABLE { "more than 10^19".to_owned() } else { count.to_string() };
        collector.check_count(count, &counted)?;
        for values in rows {
            let item = Item::from_values(&columns, values).map_err(|column| {
                let (item, label) = (collector.pushed(), columns.label(column));
                Error::usage(format!("{label} of item {item} of {origin} is not UTF-8, so a record can't hold it"))
                    .hint("pass the values as one list without names: --items accepts any bytes")
            })?;
            if collector.push(item)? {
                break;
            }
        }
        let items = collector.finish(origin, columns)?;
        Ok(LoadedItems { items, notes, header_of: None })
    }
}

/// Returns whether a word after the command begins a list, as in GNU parallel.
pub(crate) fn is_separator(word: &[u8]) -> bool {
    matches!(word, b":::" | b":::+" | b"::::" | b"::::+")
}

type ListValues = Vec<Vec<u8>>;

/// Lists that are paired value by value.
type LinkedLists = Vec<ListValues>;

/// Returns the length of the shortest list.
fn row_count(group: &LinkedLists) -> usize {
    group.iter().map(Vec::len).min().unwrap_or(0)
}

/// Parses a list such as `a,b,"c,d"`: the fields of one CSV record.
pub(super) fn parse_list(list: &[u8]) -> Result<ListValues, Error> {
    if list.is_empty() {
        return Err(Error::usage("--items is empty: there are no items to run the command for")
            .hint(Hint::from("name them: ").then(Hint::indexed(&["run", "--items", "foo,bar,baz", "--", "rev"], ""))));
    }
    match parse_csv(list).as_mut_slice() {
        [fields] => Ok(std::mem::take(fields)),
        _ => Err(Error::usage("--items has a line break between items, and commas separate them")
            .hint("quote an item that has a line break: --items $'a,\"b\\nc\"'")),
    }
}

/// A flag with a list of values.
#[derive(Clone, Copy)]
enum ListFlag<'a> {
    Items,
    Param(&'a str),
}

impl fmt::Display for ListFlag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Items => f.write_str("--items"),
            Self::Param(name) => write!(f, "--param {name}"),
        }
    }
}

impl ListFlag<'_> {
    /// Returns the flag with a list, as typed in a shell.
    fn with_list(self, list: &str) -> String {
        match self {
            Self::Items => format!("--items '{list}'"),
            Self::Param(name) => format!("--param '{name}={list}'"),
        }
    }

    /// Returns the hint how to make numbers.
    fn numbers_hint(self) -> String {
        match self {
            Self::Items => "--range 1-3 makes numbers".to_owned(),
            Self::Param(name) => format!("--param {name}=$(seq -s, 1 3) makes numbers"),
        }
    }
}

/// Checks that a list is neither JSON, which its commas would cut, nor a shell's range.
fn check_notation(flag: ListFlag<'_>, text: &[u8], fields: &[Vec<u8>]) -> Result<(), Error> {
    let Ok(text) = std::str::from_utf8(text) else { return Ok(()) };
    let values = format!("[{text}]");
    if let Ok(values) = serde_json::from_str::<Vec<IgnoredAny>>(&values)
        && (values.len() != fields.len() || text.trim_start().starts_with("[\""))
    {
        let example = flag.with_list("\"[1,2]\",b");
        return Err(Error::usage(format!("{flag} is JSON, and must be values separated by commas"))
            .hint(match flag {
                ListFlag::Items => "write --items a,b".to_owned(),
                ListFlag::Param(name) => format!("write --param {name}=a,b"),
            })
            .hint("or read the JSON from a file: --items-file FILE.json")
            .hint(format!("quote a value that has a comma or a quote, as in CSV: {example}")));
    }
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let is_number = |text: &str| text.strip_prefix('-').unwrap_or(text).parse::<u32>().is_ok();
    if inner.contains("..") && inner.split("..").all(is_number) {
        return Err(Error::usage(format!("{flag} {text:?} looks like a range, and would be one value"))
            .hint(flag.numbers_hint())
            .hint(format!("if it is one value, quote it as in CSV: {}", flag.with_list(&format!("\"{text}\"")))));
    }
    Ok(())
}

/// Returns a note if a list has a single value that may be meant as several.
fn note_of_single_value(flag: ListFlag<'_>, fields: &[Vec<u8>]) -> Option<String> {
    let [only] = fields else { return None };
    let noun = if matches!(flag, ListFlag::Items) { "item" } else { "value" };
    let text = String::from_utf8_lossy(only);
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    if text.split_once('-').is_some_and(|(first, last)| is_number(first) && is_number(last)) {
        return Some(format!("{flag} has one {noun}, {text:?}; {}", flag.numbers_hint()));
    }
    // A space after a semicolon separates commands.
    if text.contains(';') && !text.contains("; ") && !text.ends_with(';') {
        return Some(format!("{flag} has one {noun}, {text:?}; commas separate values, semicolons do not"));
    }
    None
}

/// Parses `NAME=VALUE,VALUE`.
fn parse_param(param: &[u8]) -> Result<(String, ListValues), Error> {
    let shown = String::from_utf8_lossy(param);
    let example = "write it as --param NAME=VALUE,VALUE, as in --param lr=0.1,0.01";
    let equals = param.iter().position(|&byte| byte == b'=').filter(|&at| at > 0);
    let Some(equals) = equals else {
        return Err(Error::usage(format!("--param {shown:?} is not NAME=VALUES")).hint(example));
    };
    let Ok(name) = std::str::from_utf8(&param[..equals]) else {
        return Err(Error::usage(format!("the name in --param {shown:?} is not UTF-8")).hint(example));
    };
    match parse_csv(&param[equals + 1..]).as_mut_slice() {
        [] => Err(Error::usage(format!("--param {name} has no values"))
            .hint(example)
            .hint(format!("for one empty value, write --param '{name}=\"\"'"))),
        [values] => {
            check_notation(ListFlag::Param(name), &param[equals + 1..], values)?;
            Ok((name.to_owned(), std::mem::take(values)))
        }
        _ => Err(Error::usage(format!("--param {name} has a line break between values, and commas separate them"))
            .hint("quote a value that has a line break, as in CSV")),
    }
}

/// Pairs all lists; a list of one value is paired with every value of the others.
fn link_params(names: &[String], mut lists: Vec<ListValues>) -> Result<LinkedLists, Error> {
    if lists.len() < 2 {
        return Err(Error::usage("--link pairs the values of two or more --param, and there is one")
            .hint("remove --link, or add another --param"));
    }
    let rows = lists.iter().map(Vec::len).max().unwrap_or(0);
    let longest = lists.iter().position(|list| list.len() == rows).unwrap_or(0);
    for (place, list) in lists.iter_mut().enumerate() {
        match list.as_slice() {
            [only] => *list = vec![only.clone(); rows],
            values if values.len() == rows => {}
            values => {
                return Err(Error::usage(format!(
                    "--link pairs value by value, but column {:?} has {rows} values and column {:?} has {}",
                    names[longest],
                    names[place],
                    values.len()
                ))
                .hint("give each --param the same number of values, or one; without --link all combinations run"));
            }
        }
    }
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::select::ItemSelection;
    use crate::spec::tests::error_text;

    const LIMIT: usize = 100_000;

    fn collect_all(source: ListSource) -> Result<LoadedItems, Error> {
        collect(source, ItemSelection::default())
    }

    fn collect(source: ListSource, selection: ItemSelection) -> Result<LoadedItems, Error> {
        source.collect(Collector::new(selection, LIMIT)?)
    }

    fn item_texts(taken: &LoadedItems) -> Vec<String> {
        taken.items.iter().map(|item| item.lossy().into_owned()).collect()
    }

    fn words_source(line: &str) -> Result<ListSource<'static>, Error> {
        ListSource::words(line.split(' ').map(|word| word.as_bytes().to_vec()).collect(), false)
    }

    fn refused(source: Result<ListSource, Error>) -> String {
        error_text(&source.and_then(collect_all).unwrap_err())
    }

    #[test]
    fn json_and_ranges_are_refused_as_lists() {
        let list = |text: &str| refused(ListSource::list(text.as_bytes()));
        let param = |text: &str| refused(ListSource::params(&[text], false));
        insta::assert_snapshot!(list("[\"a\",\"b\"]"), @r#"
        --items is JSON, and must be values separated by commas
        hint: write --items a,b
        hint: or read the JSON from a file: --items-file FILE.json
        hint: quote a value that has a comma or a quote, as in CSV: --items '"[1,2]",b'
        "#);
        for text in ["[1, 2]", "[\"a\"]", "{\"a\":1,\"b\":2}", "[[1,2],[3,4]]"] {
            assert!(list(text).starts_with("--items is JSON, "), "{text}");
        }
        assert!(param("lr=[0.1,0.01]").starts_with("--param lr is JSON, "));
        insta::assert_snapshot!(list("{1..3}"), @r#"
        --items "{1..3}" looks like a range, and would be one value
        hint: --range 1-3 makes numbers
        hint: if it is one value, quote it as in CSV: --items '"{1..3}"'
        "#);
        insta::assert_snapshot!(param("lr=1..3"), @r#"
        --param lr "1..3" looks like a range, and would be one value
        hint: --param lr=$(seq -s, 1 3) makes numbers
        hint: if it is one value, quote it as in CSV: --param 'lr="1..3"'
        "#);
        let taken = |text: &str| collect_all(ListSource::list(text.as_bytes()).unwrap()).unwrap();
        for text in ["a", "[x]", "[1]", "{\"a\":1}", "\"a\",\"b\"", "a..b", "..", "\"1..3\"", "1..3,4", "1,2", "x[0],y"]
        {
            assert_eq!(taken(text).notes, [""; 0], "{text}");
        }
        assert_eq!(item_texts(&taken("\"[1,2]\",b")), ["[1,2]", "b"]);
        assert_eq!(item_texts(&taken("\"1..3\"")), ["1..3"]);
        insta::assert_snapshot!(taken("a;b;c").notes.concat(), @r#"--items has one item, "a;b;c"; commas separate values, semicolons do not"#);
        insta::assert_snapshot!(taken("1-10").notes.concat(), @r#"--items has one item, "1-10"; --range 1-3 makes numbers"#);
        assert_eq!(taken("cd /x; make").notes.concat() + &taken("1-10,11-20").notes.concat(), "");
        let param = |text: &str| collect_all(ListSource::params(&[text], false).unwrap()).unwrap().notes.concat();
        insta::assert_snapshot!(param("seed=1-3"), @r#"--param seed has one value, "1-3"; --param seed=$(seq -s, 1 3) makes numbers"#);
        assert_eq!(param("lr=\"1..3\""), "");
    }

    #[test]
    fn the_selection_applies_to_a_list() {
        let first = ItemSelection { skip: 1, first: Some(1), ..ItemSelection::default() };
        let taken = collect(ListSource::list(b"a,\"b,\xff\",c").unwrap(), first).unwrap();
        assert_eq!((taken.items.len(), taken.items[0].bytes()), (1, &b"b,\xff"[..]));
        insta::assert_snapshot!(refused(ListSource::list(b"\n")), @r#"
        --items has a line break between items, and commas separate them
        hint: quote an item that has a line break: --items $'a,"b\nc"'
        "#);
    }

    #[test]
    fn numbers_become_items_as_text() {
        let set = "1-10:3,2".parse().unwrap();
        assert_eq!(item_texts(&collect_all(ListSource::range(&set)).unwrap()), ["1", "2", "4", "7", "10"]);
        let set = "0-99_999".parse().unwrap();
        assert_eq!(collect_all(ListSource::range(&set)).unwrap().items.len(), LIMIT);
        let set = "1-4_000_000_000".parse().unwrap();
        insta::assert_snapshot!(refused(Ok(ListSource::range(&set))), @"
        4000000000 items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
        hint: split the list into runs of at most 100000 items with --skip and --first
        ");
        let part = ItemSelection { skip: 3_000_000, first: Some(2), ..ItemSelection::default() };
        assert_eq!(item_texts(&collect(ListSource::range(&set), part).unwrap()), ["3000001", "3000002"]);
        let sample = ItemSelection { shuffle: Some(1), first: Some(2), ..ItemSelection::default() };
        insta::assert_snapshot!(error_text(&collect(ListSource::range(&set), sample).unwrap_err()), @"
        4000000000 items are too many to choose from: the limit is 10000000
        hint: give fewer values, or take the first items with --first alone
        ");
    }

    #[test]
    fn named_lists_are_combined_and_the_last_changes_fastest() {
        let taken = collect_all(ListSource::params(&["lr=0.1,0.01", "seed=1,2,\"3,4\""], false).unwrap()).unwrap();
        insta::assert_snapshot!(item_texts(&taken).join("\n"), @r#"
        {"lr":"0.1","seed":"1"}
        {"lr":"0.1","seed":"2"}
        {"lr":"0.1","seed":"3,4"}
        {"lr":"0.01","seed":"1"}
        {"lr":"0.01","seed":"2"}
        {"lr":"0.01","seed":"3,4"}
        "#);
        assert_eq!(taken.items.columns(), &Columns::Named(vec!["lr".to_owned(), "seed".to_owned()]));
        assert_eq!(taken.items[2].value(1), b"3,4");
        assert_eq!(taken.items.displays().last().unwrap(), "lr=0.01 seed=3,4");
        let one = collect_all(ListSource::params(&["x=a"], false).unwrap()).unwrap();
        assert_eq!(item_texts(&one), ["{\"x\":\"a\"}"]);
    }

    #[test]
    fn linked_lists_are_paired_and_a_single_value_repeats() {
        let taken = collect_all(ListSource::params(&["a=1,2", "b=x", "c=\"\",z"], true).unwrap()).unwrap();
        assert_eq!(taken.items.displays().collect::<Vec<_>>(), ["a=1 b=x c=", "a=2 b=x c=z"]);
    }

    #[test]
    fn a_malformed_named_list_is_refused() {
        insta::assert_snapshot!(refused(ListSource::params(&["lr=1", "n=2", "lr=3,4"], false)), @r#"
        --param names "lr" twice: "lr=1" and "lr=3,4"
        hint: write its values into one --param lr=VALUE,VALUE
        "#);
        insta::assert_snapshot!(refused(ListSource::params(&["lr"], false)), @r#"
        --param "lr" is not NAME=VALUES
        hint: write it as --param NAME=VALUE,VALUE, as in --param lr=0.1,0.01
        "#);
        insta::assert_snapshot!(refused(ListSource::params(&["=1"], false)), @r#"
        --param "=1" is not NAME=VALUES
        hint: write it as --param NAME=VALUE,VALUE, as in --param lr=0.1,0.01
        "#);
        insta::assert_snapshot!(refused(ListSource::params(&["lr="], false)), @r#"
        --param lr has no values
        hint: write it as --param NAME=VALUE,VALUE, as in --param lr=0.1,0.01
        hint: for one empty value, write --param 'lr=""'
        "#);
        insta::assert_snapshot!(refused(ListSource::params(&["lr=1\n2"], false)), @"
        --param lr has a line break between values, and commas separate them
        hint: quote a value that has a line break, as in CSV
        ");
        insta::assert_snapshot!(refused(ListSource::params(&["a=1,2,3", "b=x,y"], true)), @r#"
        --link pairs value by value, but column "a" has 3 values and column "b" has 2
        hint: give each --param the same number of values, or one; without --link all combinations run
        "#);
        insta::assert_snapshot!(refused(ListSource::params(&["a=1,2,3"], true)), @"
        --link pairs the values of two or more --param, and there is one
        hint: remove --link, or add another --param
        ");
        insta::assert_snapshot!(refused(ListSource::params(&[&b"a=1,\xff"[..], b"b=x,y"], false)), @r#"
        column "a" of item 2 of --param is not UTF-8, so a record can't hold it
        hint: pass the values as one list without names: --items accepts any bytes
        "#);
    }

    #[test]
    fn lists_after_the_command_are_combined_like_gnu_parallel() {
        assert!([":::", ":::+", "::::", "::::+"].iter().all(|word| is_separator(word.as_bytes())));
        assert!(!is_separator(b"::"));
        let taken = collect_all(words_source("::: a b").unwrap()).unwrap();
        assert_eq!((item_texts(&taken).join(","), taken.items.columns()), ("a,b".to_owned(), &Columns::None));
        let taken = collect_all(words_source("::: a b ::: 1 2 3").unwrap()).unwrap();
        assert_eq!(item_texts(&taken), ["a 1", "a 2", "a 3", "b 1", "b 2", "b 3"]);
        assert_eq!(taken.items.columns(), &Columns::Numbered(2));
        assert_eq!((taken.items[4].value(0), taken.items[4].value(1)), (&b"b"[..], &b"2"[..]));
        let taken = collect_all(words_source("::: a b c :::+ 1 2 ::: X Y :::+ p q r s").unwrap()).unwrap();
        assert_eq!(item_texts(&taken), ["a 1 X p", "a 1 Y q", "b 2 X p", "b 2 Y q"]);
        insta::assert_snapshot!(taken.notes.join("\n"), @"
        list 1 after the command (:::) has 3 values and is paired with a list of 2: the last is ignored
        list 4 after the command (:::+) has 4 values and is paired with a list of 2: the last 2 are ignored
        ");
    }

    #[test]
    fn lists_that_cannot_be_combined_are_refused() {
        insta::assert_snapshot!(refused(words_source("::: a ::: ::: b")), @"list 2 after the command (:::) has no values");
        insta::assert_snapshot!(refused(words_source("::: a :::+")), @"list 2 after the command (:::+) has no values");
        insta::assert_snapshot!(refused(words_source(":::+ a")), @r#"
        ":::+" has no list before it to pair with
        hint: begin with ":::", as in ::: a b :::+ 1 2
        "#);
        insta::assert_snapshot!(refused(words_source("::: a :::: b")), @r#"
        "::::" would read files, which is not supported after the command
        hint: name the file before the command: kubectl indexed run --items-file FILE -- CMD
        "#);
        insta::assert_snapshot!(refused(words_source("a ::: b")), @r#""a" comes before the first ":::""#);
    }

    #[test]
    fn combinations_beyond_the_limit_are_only_counted() {
        let line = "::: 0 1 2 3 4 5 6 7 8 9 ";
        insta::assert_snapshot!(refused(words_source(line.repeat(9).trim_end())), @"
        1000000000 items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
        hint: split the list into runs of at most 100000 items with --skip and --first
        ");
        insta::assert_snapshot!(refused(words_source(line.repeat(40).trim_end())), @"
        18446744073709551615 items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
        hint: split the list into runs of at most 100000 items with --skip and --first
        ");
        let first = ItemSelection { skip: 1, first: Some(1), ..ItemSelection::default() };
        let taken = collect(words_source(line.repeat(40).trim_end()).unwrap(), first).unwrap();
        assert_eq!(item_texts(&taken), [format!("{}1", "0 ".repeat(39))]);
        let skip = ItemSelection { skip: 1, ..ItemSelection::default() };
        insta::assert_snapshot!(error_text(&collect(words_source(line.repeat(6).trim_end()).unwrap(), skip).unwrap_err()), @"
        999999 items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
        hint: split the list into runs of at most 100000 items with --skip and --first
        ");
        let unique = ItemSelection { unique: true, ..ItemSelection::default() };
        let twice = format!("{}::: a a", line.repeat(5));
        assert_eq!(collect(words_source(&twice).unwrap(), unique).unwrap().items.len(), LIMIT);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn combinations_count_like_digits(lengths in proptest::collection::vec(1_usize..5, 1..5)) {
            let lists = lengths.iter().map(|&length| {
                let list: Vec<_> = (0..length).map(|n| n.to_string()).collect();
                format!("::: {}", list.join(" "))
            });
            let line = lists.collect::<Vec<_>>().join(" ");
            let items = item_texts(&collect_all(words_source(&line).unwrap()).unwrap());
            prop_assert_eq!(items.len(), lengths.iter().product::<usize>());
            for (mut number, item) in items.into_iter().enumerate() {
                let mut digits = Vec::new();
                for length in lengths.iter().rev() {
                    digits.push((number % length).to_string());
                    number /= length;
                }
                digits.reverse();
                prop_assert_eq!(item, digits.join(" "));
            }
        }
    }
}
