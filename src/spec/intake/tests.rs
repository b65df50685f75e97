use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::spec::select::ItemSelection;
use crate::spec::tests::error_text;

mod written;

const LIMIT: usize = 100_000;

/// Returns bytes in chunks.
struct Chunks<'a, I>(&'a [u8], I);

impl<'a, I: Iterator<Item = &'a [u8]>> io::Read for Chunks<'a, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.0.is_empty() {
            let Some(next) = self.1.next() else { return Ok(0) };
            self.0 = next;
        }
        self.0.read(buffer)
    }
}

fn read_all(format: ItemsFormat, input: impl io::Read, selection: ItemSelection) -> Result<LoadedItems, Error> {
    read_layout(FileLayout { format, separator: None, no_header: None }, input, selection)
}

fn read_layout(layout: FileLayout, input: impl io::Read, selection: ItemSelection) -> Result<LoadedItems, Error> {
    let collector = Collector::new(selection, LIMIT)?;
    read(ListOrigin::File("FILE"), layout, io::BufReader::new(input), collector, |error| panic!("{error}"))
}

fn parse_chunks<'a>(
    format: ItemsFormat,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    selection: ItemSelection,
) -> Result<LoadedItems, Error> {
    read_all(format, Chunks(b"", chunks.into_iter()), selection)
}

fn parse_all(format: ItemsFormat, bytes: &[u8]) -> Result<LoadedItems, Error> {
    let at_once = parse_chunks(format, [bytes], ItemSelection::default());
    let byte_by_byte = parse_chunks(format, bytes.chunks(1), ItemSelection::default());
    assert_eq!(
        at_once.as_ref().map_err(error_text),
        byte_by_byte.as_ref().map_err(error_text),
        "chunks make no difference"
    );
    at_once
}

fn texts(format: ItemsFormat, text: &str) -> Vec<String> {
    parse_all(format, text.as_bytes()).unwrap().items.iter().map(|item| item.lossy().into_owned()).collect()
}

fn notes(format: ItemsFormat, text: &str) -> String {
    parse_all(format, text.as_bytes()).unwrap().notes.join("\n")
}

fn refused(format: ItemsFormat, text: impl AsRef<[u8]>) -> String {
    error_text(&parse_all(format, text.as_ref()).unwrap_err())
}

/// Returns the values of each item, in the order of the columns.
fn values(format: ItemsFormat, text: &str) -> Vec<Vec<String>> {
    let lossy = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let taken = parse_all(format, text.as_bytes()).unwrap();
    let columns = taken.items.columns().len();
    let values = |item: &Item| (0..columns).map(|column| lossy(item.value(column))).collect();
    taken.items.iter().map(values).collect()
}

#[test]
fn the_ending_of_a_name_decides_the_format() {
    let formats = ["a.csv", "a.b/C.TSV", "x.json", "x.jsonl", "x.ndjson", "x.txt", "csv", "x.json.txt", "-"];
    insta::assert_snapshot!(
        format!("{:?}", formats.map(ItemsFormat::from_name)),
        @"[Csv, Tsv, Json, Jsonl, Jsonl, Lines, Lines, Lines, Lines]"
    );
}

#[test]
fn blank_lines_are_items_but_the_end_of_the_text_is_none() {
    assert_eq!(texts(ItemsFormat::Lines, "a\n\n b \nc\n"), ["a", "", " b ", "c"]);
    assert_eq!(texts(ItemsFormat::Lines, "a\nb"), ["a", "b"]);
    assert_eq!(texts(ItemsFormat::Lines, "\n"), [""]);
    assert_eq!(texts(ItemsFormat::Null, "a\n\0\0b\0"), ["a\n", "", "b"]);
    assert_eq!(texts(ItemsFormat::Null, "a\0b\r\n"), ["a", "b\r\n"]);
}

#[test]
fn a_carriage_return_before_a_line_break_is_part_of_it() {
    assert_eq!(texts(ItemsFormat::Lines, "a\r\n\r\nb\nc\r\r\nd\r"), ["a", "", "b", "c\r", "d\r"]);
    insta::assert_snapshot!(notes(ItemsFormat::Lines, "a\r\nb\r\n"), @"FILE has Windows line ends: the carriage returns are removed");
    assert_eq!(texts(ItemsFormat::Lines, "a\r"), ["a\r"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_an_item() {
    assert_eq!(texts(ItemsFormat::Lines, "\u{feff}a\n"), ["a"]);
    insta::assert_snapshot!(notes(ItemsFormat::Lines, "\u{feff}a\n"), @"the byte order mark at the start of FILE is removed");
    assert_eq!(texts(ItemsFormat::Lines, "\u{feff}\u{feff}a\n\u{feff}b"), ["a", "\u{feff}b"]);
    assert_eq!(texts(ItemsFormat::Null, "\u{feff}a\0"), ["\u{feff}a"], "bytes are bytes");
    assert_eq!(texts(ItemsFormat::Csv, "\u{feff}a\n1\n"), ["{\"a\":\"1\"}"]);
    assert_eq!(texts(ItemsFormat::Json, "\u{feff}[1]"), ["1"]);
    let half = parse_all(ItemsFormat::Lines, b"\xef\xbb").unwrap();
    assert_eq!(half.items[0].bytes(), b"\xef\xbb");
}

#[test]
fn a_table_has_columns_named_by_its_header() {
    let table = "name,size,note\r\na,3,\"say \"\"hi\"\"\"\r\n\r\nb,4,\"two\nlines\"\r\n, 5 ,";
    insta::assert_snapshot!(texts(ItemsFormat::Csv, table).join("\n"), @r#"
    {"name":"a","size":"3","note":"say \"hi\""}
    {"name":"b","size":"4","note":"two\nlines"}
    {"name":"","size":" 5 ","note":""}
    "#);
    assert_eq!(values(ItemsFormat::Csv, table), [["a", "3", "say \"hi\""], ["b", "4", "two\nlines"], ["", " 5 ", ""]]);
    assert_eq!(values(ItemsFormat::Tsv, "a b\tc\n1,2\t3\n"), [["1,2", "3"]]);
    assert_eq!(values(ItemsFormat::Csv, " a \n\"\"\n\n"), [[""]]);
    let taken = parse_all(ItemsFormat::Csv, b" a ,b\n1,2\n").unwrap();
    assert_eq!(taken.items.columns(), &Columns::Named(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(taken.items.columns().names()[1], "b");
}

#[test]
fn an_incomplete_table_is_refused() {
    insta::assert_snapshot!(refused(ItemsFormat::Csv, ""), @"FILE is empty: its first line must name the columns");
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "\n\n"), @"FILE is empty: its first line must name the columns");
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "a,b\n"), @"there are no items in FILE: it has a header but no rows");
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "a,,b\n1,2,3\n"), @"
    column 2 of FILE has no name
    hint: the first line names the columns; --no-header reads a table without names
    ");
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "a,b,a\n1,2,3\n"), @r#"
    columns 1 and 3 of FILE have the same name "a"
    hint: the first line names the columns; --no-header reads a table without names
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Csv, b"a,\xff\n1,2\n"), @"
    the name of column 2 of FILE is not UTF-8
    hint: the first line names the columns; --no-header reads a table without names
    ");
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "a,b\r\n1,\"2\r\n3\"\r\n\r\n4,5,6\r\n"), @"
    item 1 (line 5) of FILE has 3 fields, but the header names 2 columns
    hint: put a field that has a comma between double quotes
    ");
    insta::assert_snapshot!(refused(ItemsFormat::Tsv, "a\tb\n1"), @"
    item 0 (line 2) of FILE has 1 field, but the header names 2 columns
    hint: an empty field needs its tab too
    ");
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "a\n1,2\n"), @"
    item 0 (line 2) of FILE has 2 fields, but the header names 1 column
    hint: put a field that has a comma between double quotes
    ");
    insta::assert_snapshot!(refused(ItemsFormat::Csv, b"a,b\n1,2\n3,\xff\n"), @r#"
    column "b" of item 1 (line 3) of FILE is not UTF-8, so a record can't hold it
    hint: write the list as lines (--format lines) or NUL-separated (-0): both accept any bytes
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "a,b\n1,2\n3,\"4\n5,6\n"), @r#"
    a double quote opens in item 1 (line 3) of FILE and never closes
    hint: write a literal double quote twice: "say ""hi"""
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "a,\"b\n5,6\n"), @r#"
    a double quote opens in the header of FILE and never closes
    hint: write a literal double quote twice: "say ""hi"""
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Csv, format!("a\n{}\n", ",".repeat(70_000))), @"item 0 (line 2) of FILE has more than 65536 fields");
}

#[test]
fn json_values_keep_their_text() {
    let list = r#"[ "a\u00e9\n", 12345678901234567890123, 1e400, 0.10, -0, true, null, "" ]"#;
    assert_eq!(
        texts(ItemsFormat::Json, list),
        ["aé\n", "12345678901234567890123", "1e400", "0.10", "-0", "true", "", ""]
    );
    assert_eq!(texts(ItemsFormat::Jsonl, "\"a\"\r\n\n  \n 1.50 \n\"[x]\""), ["a", "1.50", "[x]"]);
}

#[test]
fn json_objects_become_records_that_keep_their_types() {
    let list = r#"[{"name": "a", "size": 3.0, "ok": true, "n": null}, {"size": 1e400, "n": "", "ok": false, "name": "\u0041"}]"#;
    insta::assert_snapshot!(texts(ItemsFormat::Json, list).join("\n"), @r#"
    {"name":"a","size":3.0,"ok":true,"n":null}
    {"size":1e400,"n":"","ok":false,"name":"A"}
    "#);
    assert_eq!(values(ItemsFormat::Json, list), [["a", "3.0", "true", ""], ["A", "1e400", "false", ""]]);
    let lines = "{\"a\":1}\n\n{\"a\": 2}\n";
    assert_eq!(texts(ItemsFormat::Jsonl, lines), ["{\"a\":1}", "{\"a\":2}"]);
    let taken = parse_all(ItemsFormat::Jsonl, lines.as_bytes()).unwrap();
    assert_eq!(taken.items.columns(), &Columns::Named(vec!["a".to_owned()]));
    assert_eq!(taken.items.displays().collect::<Vec<_>>(), ["a=1", "a=2"]);
}

#[test]
fn json_without_a_list_of_items_is_refused() {
    insta::assert_snapshot!(refused(ItemsFormat::Json, " \n"), @r#"
    FILE is empty
    hint: write one array: ["a", "b"], or [{"name": "a"}, {"name": "b"}]
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[]"), @"
    there are no items in FILE
    hint: write one item per line; a table needs rows below its header
    ");
    insta::assert_snapshot!(refused(ItemsFormat::Json, "{\"a\": [1]}"), @r#"
    FILE is an object, not a list
    hint: write one array: ["a", "b"], or [{"name": "a"}, {"name": "b"}]
    hint: if each line is an object, add --format jsonl
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Json, "3"), @r#"
    FILE is not a list
    hint: write one array: ["a", "b"], or [{"name": "a"}, {"name": "b"}]
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[1,\n2,,3]"), @"FILE is not JSON: expected value at line 2 column 3");
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[1] [2]"), @"FILE is not JSON: trailing characters at line 1 column 5");
    insta::assert_snapshot!(refused(ItemsFormat::Json, b"[1, \"\xff\"]"), @"FILE is not JSON: invalid unicode code point at line 1 column 6");
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[1, [2]]"), @"
    item 1 of FILE is an array, but an item is one value or a flat object
    hint: flatten it first with jq
    hint: or use each as a line of text: jq -c '.[]' FILE | kubectl indexed run --items-file - -- CMD
    ");
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[{\"a\": {\"b\": 1}}]"), @r#"
    the value of "a" in item 0 of FILE is an object, but an item is one value or a flat object
    hint: flatten it first with jq
    hint: or use each as a line of text: jq -c '.[]' FILE | kubectl indexed run --items-file - -- CMD
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[1, {\"a\": 1}]"), @"item 1 of FILE is an object, but item 0 is one value: all must be of one kind");
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[{\"a\": 1}, null]"), @"item 1 of FILE is null, but item 0 is an object: all must be of one kind");
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[{\"a\": 1, \"b\": 2}, {\"a\": 1}]"), @r#"
    item 1 of FILE lacks the key "b", which item 0 has
    hint: give every object the same keys; null counts as empty
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[{\"a\": 1}, {\"a\": 1, \"c\": 2}]"), @r#"
    item 1 of FILE has the key "c", which item 0 lacks
    hint: give every object the same keys; null counts as empty
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[{\"a\": 1, \"a\": 2}]"), @r#"item 0 of FILE has the key "a" twice"#);
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[{}]"), @"item 0 of FILE is an object without keys");
    insta::assert_snapshot!(refused(ItemsFormat::Json, "[{\"\": 1}]"), @"item 0 of FILE has an empty key, which can't name a column");
    insta::assert_snapshot!(refused(ItemsFormat::Json, r#"["\ud800"]"#), @"item 0 of FILE is not JSON: unexpected end of hex escape");
    insta::assert_snapshot!(refused(ItemsFormat::Jsonl, "{\"a\": 1}\n\n{\"a\": }\n"), @"item 1 (line 3) of FILE is not JSON: expected value at column 7");
    insta::assert_snapshot!(refused(ItemsFormat::Jsonl, "{\"a\": 1}\n{\"a\": []}\n"), @r#"
    the value of "a" in item 1 (line 2) of FILE is an array, but an item is one value or a flat object
    hint: flatten it first with jq
    hint: or use each line as text: --format lines
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Jsonl, "1 2\n"), @"item 0 (line 1) of FILE is not JSON: trailing characters at column 3");
    insta::assert_snapshot!(refused(ItemsFormat::Jsonl, "\n\n"), @"
    there are no items in FILE
    hint: write one item per line; a table needs rows below its header
    ");
}

#[test]
fn a_json_document_has_a_size_limit() {
    let error = read_all(ItemsFormat::Json, io::repeat(b' '), ItemSelection::default()).unwrap_err();
    insta::assert_snapshot!(error_text(&error), @"
    FILE is larger than 64 MiB, and JSON is read as a whole
    hint: convert it to JSON Lines, which is read line by line: jq -c '.[]' FILE > FILE.jsonl
    ");
}

#[test]
fn an_endless_item_is_refused_at_the_size_limit() {
    for (format, start) in [
        (ItemsFormat::Lines, "a\n"),
        (ItemsFormat::Null, "a\0"),
        (ItemsFormat::Csv, "h\na\n"),
        (ItemsFormat::Tsv, "h\na\n\""),
        (ItemsFormat::Jsonl, "\"a\"\n\""),
    ] {
        let mut endless = io::repeat(b'x').take(u64::MAX);
        let error = read_all(format, start.as_bytes().chain(&mut endless), ItemSelection::default()).unwrap_err();
        assert_eq!((u64::MAX - endless.limit()).div_ceil(8192), 129, "{format:?}");
        assert!(error_text(&error).contains(" is larger than 1 MiB"), "{}", error_text(&error));
    }
    let large = format!("a\n{}", "x".repeat(MAX_ITEM_BYTES + 1));
    insta::assert_snapshot!(refused(ItemsFormat::Lines, &large), @"
    item 1 (line 2) of FILE is larger than 1 MiB
    hint: put large inputs into a volume, and pass their names as items
    ");
    let large = "x".repeat(MAX_ITEM_BYTES);
    insta::assert_snapshot!(refused(ItemsFormat::Json, format!("[1,\"{large}\"]")), @"
    item 1 of FILE is larger than 1 MiB
    hint: put large inputs into a volume, and pass their names as items
    ");
    let largest = format!("a\r\n{}\r\n", "x".repeat(MAX_ITEM_BYTES));
    assert_eq!(parse_all(ItemsFormat::Lines, largest.as_bytes()).unwrap().items[1].bytes().len(), MAX_ITEM_BYTES);
}

#[test]
fn a_million_lines_are_refused_by_their_number() {
    let chunk = b"some line or other\n".repeat(1000);
    let taken = parse_chunks(ItemsFormat::Lines, std::iter::repeat_n(&chunk[..], 1000), ItemSelection::default());
    insta::assert_snapshot!(error_text(&taken.unwrap_err()), @"
    1000000 items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
    hint: split the list into runs of at most 100000 items with --skip and --first
    ");
}

#[test]
fn nothing_is_read_beyond_the_first_items() {
    let first = || ItemSelection { first: Some(2), ..ItemSelection::default() };
    for (format, text) in [
        (ItemsFormat::Lines, &b"1\n2\n3"[..]),
        (ItemsFormat::Null, b"1\x002\x003"),
        (ItemsFormat::Csv, b"h\n1\n2\n3,wrong"),
        (ItemsFormat::Json, b"[1,2,[3]]"),
        (ItemsFormat::Jsonl, b"1\n2\nwrong"),
    ] {
        for size in [1, 4, 100] {
            let taken = parse_chunks(format, text.chunks(size), first()).unwrap();
            assert_eq!(taken.items.len(), 2, "{format:?}");
        }
    }
}

/// Bytes with a special meaning in some format.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = proptest::sample::select(vec![
        "\n",
        "\r\n",
        "\r",
        "\0",
        ",",
        "\t",
        "\"",
        "\"\"",
        " ",
        "a",
        "b,c",
        "\u{feff}",
        "é",
        "{",
        "}",
        "[",
        "]",
        ":",
        "{\"a\":1}",
        "{\"a\":\"x\"}",
        "12",
        "null",
        "true",
        "\\",
        "\\u00e9",
    ]);
    let text = proptest::collection::vec(telling, 0..24).prop_map(|parts| parts.concat().into_bytes());
    prop_oneof![text, proptest::collection::vec(any::<u8>(), 0..40)]
}

fn format() -> impl Strategy<Value = ItemsFormat> {
    proptest::sample::select(vec![
        ItemsFormat::Lines,
        ItemsFormat::Null,
        ItemsFormat::Csv,
        ItemsFormat::Tsv,
        ItemsFormat::Json,
        ItemsFormat::Jsonl,
    ])
}

/// Text that is valid as the value of a column.
fn text() -> impl Strategy<Value = String> {
    let telling = proptest::sample::select(vec!["\n", "\r\n", "\r", "\0", ",", "\t", "\"", " ", "a", "é", "\u{1f980}"]);
    proptest::collection::vec(telling, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_make_no_difference(
        format in format(),
        bytes in bytes(),
        cuts in proptest::collection::vec(0_usize..40, 0..6),
        first in proptest::option::of(1_usize..4),
    ) {
        let selection = ItemSelection { first, ..ItemSelection::default() };
        let (mut chunks, mut from) = (Vec::new(), 0);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        for cut in cuts.into_iter().chain([bytes.len()]) {
            chunks.push(&bytes[from..cut]);
            from = cut;
        }
        let said = |taken: Result<LoadedItems, Error>| taken.map_err(|error| error_text(&error));
        let at_once = said(parse_chunks(format, [&bytes[..]], selection.clone()));
        prop_assert_eq!(&at_once, &said(parse_chunks(format, chunks, selection.clone())));
        prop_assert_eq!(&at_once, &said(parse_chunks(format, bytes.chunks(1), selection)));
    }

    #[test]
    fn lines_carry_all_but_line_ends(lines in proptest::collection::vec(bytes(), 1..8), windows in any::<bool>()) {
        let end = if windows { &b"\r\n"[..] } else { b"\n" };
        let mut lines: Vec<Vec<u8>> =
            lines.into_iter().map(|line| line.into_iter().filter(|&byte| byte != b'\n').collect()).collect();
        // The start of a text decides its encoding.
        lines[0].splice(0..0, *b"....");
        for line in lines.iter_mut().filter(|line| !windows && line.ends_with(b"\r")) {
            line.push(b'.');
        }
        let fed: Vec<u8> = lines.iter().flat_map(|line| [line, end].concat()).collect();
        let taken = parse_all(ItemsFormat::Lines, &fed).unwrap();
        prop_assert_eq!(taken.items.iter().map(|item| item.bytes().to_vec()).collect::<Vec<_>>(), lines);
    }

    #[test]
    fn nul_separated_items_carry_all_but_nul(items in proptest::collection::vec(bytes(), 1..8)) {
        let mut items: Vec<Vec<u8>> =
            items.into_iter().map(|item| item.into_iter().filter(|&byte| byte != 0).collect()).collect();
        // The start of a list decides its encoding.
        items[0].insert(0, b'.');
        let fed: Vec<u8> = items.iter().flat_map(|item| [item, &b"\0"[..]].concat()).collect();
        let taken = parse_all(ItemsFormat::Null, &fed).unwrap();
        prop_assert_eq!(taken.items.iter().map(|item| item.bytes().to_vec()).collect::<Vec<_>>(), items);
    }

    #[test]
    fn tables_carry_any_text(
        rows in proptest::collection::vec(proptest::collection::vec(text(), 3), 1..6),
        semicolons in any::<bool>(),
    ) {
        let quoted = |row: &[String]| {
            let fields: Vec<_> = row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            fields.join(if semicolons { ";" } else { "," })
        };
        let lines: Vec<_> = rows.iter().map(|row| quoted(row)).collect();
        let header = quoted(&["a".to_owned(), "b\nb".to_owned(), "c\"".to_owned()]);
        let fed = format!("{header}\n{}\n", lines.join("\n"));
        let layout = FileLayout { format: ItemsFormat::Csv, separator: semicolons.then_some(b';'), no_header: None };
        let taken = read_layout(layout, fed.as_bytes(), ItemSelection::default()).unwrap();
        prop_assert_eq!(taken.items.len(), rows.len());
        for (item, row) in taken.items.iter().zip(rows) {
            prop_assert_eq!([0, 1, 2].map(|column| item.value(column)), [0, 1, 2].map(|column| row[column].as_bytes()));
            let back: Value = serde_json::from_slice(item.bytes()).unwrap();
            prop_assert_eq!(back, serde_json::json!({"a": row[0], "b\nb": row[1], "c\"": row[2]}));
        }
    }

    #[test]
    fn json_carries_any_text(rows in proptest::collection::vec(proptest::collection::vec(text(), 2), 1..6)) {
        let objects: Vec<_> = rows.iter().map(|row| serde_json::json!({"a": row[0], "b": row[1]})).collect();
        let wholes: Vec<_> = objects.iter().map(ToString::to_string).collect();
        let pretty = serde_json::to_string_pretty(&objects).unwrap();
        prop_assert_eq!(texts(ItemsFormat::Json, &pretty), wholes.clone());
        prop_assert_eq!(values(ItemsFormat::Json, &pretty), rows.clone());
        prop_assert_eq!(texts(ItemsFormat::Jsonl, &wholes.join("\n")), wholes);
        let scalars = serde_json::to_string(&rows.concat()).unwrap();
        prop_assert_eq!(texts(ItemsFormat::Json, &scalars), rows.concat());
    }
}
