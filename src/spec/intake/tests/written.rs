//! Lists in other encodings, compressed, with other line ends or separators.

use super::*;

fn utf16(text: &str, mark: bool, little: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

fn utf32(text: &str, mark: bool, little: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.chars().map(u32::from));
    units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

const FORMATS: [ItemsFormat; 5] =
    [ItemsFormat::Lines, ItemsFormat::Csv, ItemsFormat::Tsv, ItemsFormat::Json, ItemsFormat::Jsonl];

#[test]
fn other_encodings_are_refused_in_every_format() {
    for text in ["foo\r\nbar\r\n", "foo\nbär\n", "foo", "[\"a\",\n\"b\"]"] {
        for format in FORMATS {
            for mark in [true, false] {
                for little in [true, false] {
                    let end = if mark { "" } else { ["BE", "LE"][usize::from(little)] };
                    let error = refused(format, utf16(text, mark, little));
                    assert!(error.starts_with(&format!("FILE is UTF-16{end}, and a list must be UTF-8\n")), "{error}");
                    let error = refused(format, utf32(text, mark, little));
                    assert!(error.starts_with(&format!("FILE is UTF-32{end}, and a list must be UTF-8\n")), "{error}");
                }
            }
        }
    }
    insta::assert_snapshot!(refused(ItemsFormat::Csv, utf16("a,b\n", true, true)), @"
    FILE is UTF-16, and a list must be UTF-8
    hint: convert it: iconv -f UTF-16 -t UTF-8 FILE | kubectl indexed run -a - --format csv -- CMD
    hint: in PowerShell, write UTF-8 with Out-File -Encoding utf8 instead of >
    ");
    assert!(refused(ItemsFormat::Null, utf16("foo", true, true)).starts_with("FILE is UTF-16, "));
    assert_eq!(texts(ItemsFormat::Null, "a\0b\0\0c\0"), ["a", "b", "", "c"]);
}

#[test]
fn compressed_files_are_refused_with_the_command_that_unpacks_them() {
    for (start, command) in [
        (&b"\x1f\x8b\x08\0abc"[..], "gzip -dc FILE"),
        (b"PK\x03\x04\x14\0", "unzip -p FILE"),
        (b"\x28\xb5\x2f\xfd\x04\n", "zstd -dc FILE"),
        (b"\xfd7zXZ\0\0", "xz -dc FILE"),
        (b"BZh91AY&SY\0", "bzip2 -dc FILE"),
    ] {
        for format in FORMATS.into_iter().chain([ItemsFormat::Null]) {
            let error = refused(format, start);
            assert!(error.contains(&format!("convert it: {command} | kubectl indexed run -a -")), "{error}");
        }
    }
    let layout = FileLayout { format: ItemsFormat::Lines, separator: None, no_header: None };
    let from = |origin: ListOrigin<'_>, bytes: &[u8]| {
        let collector = Collector::new(ItemSelection::default(), LIMIT).unwrap();
        error_text(&read(origin, layout, bytes, collector, |error| panic!("{error}")).unwrap_err())
    };
    insta::assert_snapshot!(from(ListOrigin::File("my items.txt.gz"), b"\x1f\x8b\x08\0"), @"
    my items.txt.gz is a gzip file, not a list
    hint: convert it: gzip -dc 'my items.txt.gz' | kubectl indexed run -a - -- CMD
    ");
    assert!(
        from(ListOrigin::File("a/sizes.csv.zst"), b"\x28\xb5\x2f\xfd")
            .contains("zstd -dc a/sizes.csv.zst | kubectl indexed run -a - --format csv -- CMD")
    );
    insta::assert_snapshot!(from(ListOrigin::Stdin, b"PK\x03\x04"), @"
    stdin is a zip file, not a list
    hint: convert it: ... | funzip | kubectl indexed run -a - -- CMD
    ");
    insta::assert_snapshot!(from(ListOrigin::File("Items.XLSX"), b"PK\x03\x04"), @"
    Items.XLSX is a spreadsheet, not a list
    hint: save its sheet as CSV UTF-8, and use that file
    ");
    insta::assert_snapshot!(from(ListOrigin::ConfigMap("words/list"), &utf16("foo", true, true)), @r#"
    configmap "words/list" is UTF-16, and a list must be UTF-8
    hint: create the configmap from a converted file: iconv -f UTF-16 -t UTF-8 <FILE
    hint: in PowerShell, write UTF-8 with Out-File -Encoding utf8 instead of >
    "#);
}

#[test]
fn a_template_may_have_any_encoding() {
    let yaml = "kind: Job # größe \u{1f980}\n";
    let decoded = |bytes: Vec<u8>| String::from_utf8(text::decode("job.yaml", bytes).unwrap()).unwrap();
    for mark in [true, false] {
        for little in [true, false] {
            assert_eq!(decoded(utf16(yaml, mark, little)), yaml);
            assert_eq!(decoded(utf32(yaml, mark, little)), yaml);
        }
    }
    assert_eq!(decoded(yaml.into()), yaml);
    assert_eq!(decoded(format!("\u{feff}{yaml}").into()), yaml);
    let error = |bytes: &[u8]| error_text(&text::decode("the template job.yaml", bytes.to_vec()).unwrap_err());
    insta::assert_snapshot!(error(b"\xff\xfea\0b"), @"
    the template job.yaml looks like UTF-16, but is not valid UTF-16
    hint: iconv -f UTF-16 -t UTF-8 FILE shows where
    ");
    insta::assert_snapshot!(error(b"\x1f\x8b\x08\0"), @"
    the template job.yaml is a gzip file
    hint: unpack it first: gzip -dc FILE
    ");
}

#[test]
fn nul_bytes_in_place_of_line_breaks_are_refused() {
    insta::assert_snapshot!(refused(ItemsFormat::Lines, "one\0two\0"), @"
    NUL bytes, not line breaks, end the items of FILE
    hint: add -0
    hint: if the NUL bytes are part of the items, end the last line with a line break
    ");
    for text in ["one\0", "one\0two", "a b\nc\0d\0"] {
        assert!(refused(ItemsFormat::Lines, text).starts_with("NUL bytes, not line breaks"), "{text:?}");
    }
    assert!(refused(ItemsFormat::Csv, "name\0size\0").starts_with("NUL bytes, not line breaks"));
    // Items of one character look like UTF-16.
    insta::assert_snapshot!(refused(ItemsFormat::Lines, "a\0b\0c\0"), @"
    FILE is UTF-16LE, and a list must be UTF-8
    hint: convert it: iconv -f UTF-16LE -t UTF-8 FILE | kubectl indexed run -a - -- CMD
    hint: in PowerShell, write UTF-8 with Out-File -Encoding utf8 instead of >
    hint: if NUL bytes end its items, add -0
    ");
    assert_eq!(texts(ItemsFormat::Lines, "one\0two\nthree\n"), ["one\0two", "three"]);
    insta::assert_snapshot!(notes(ItemsFormat::Lines, "one\0two\nthree\n"), @"line 1 of FILE has NUL bytes, which are kept; -0 splits items at them");
}

#[test]
fn line_ends_and_blank_lines_follow_one_rule() {
    assert_eq!(texts(ItemsFormat::Lines, "a\nb\r\nc\n"), ["a", "b", "c"]);
    insta::assert_snapshot!(notes(ItemsFormat::Lines, "a\nb\r\nc\r\n"), @"2 lines of FILE have Windows line ends: the carriage returns are removed (the first is line 2)");
    insta::assert_snapshot!(notes(ItemsFormat::Lines, "a\nb\r\n"), @"line 2 of FILE has a Windows line end: the carriage return is removed");
    insta::assert_snapshot!(refused(ItemsFormat::Lines, "a\rb\rc\r"), @r"
    FILE has carriage returns instead of line breaks
    hint: convert it: tr '\r' '\n' < FILE | kubectl indexed run -a - -- CMD
    hint: if all of it is one item, add -0
    ");
    assert_eq!(texts(ItemsFormat::Null, "a\rb\rc\r"), ["a\rb\rc\r"]);
    assert_eq!(texts(ItemsFormat::Lines, "a\r"), ["a\r"], "one carriage return separates nothing");
    assert_eq!(
        texts(ItemsFormat::Csv, "n\ra\rb\r"),
        ["{\"n\":\"a\"}", "{\"n\":\"b\"}"],
        "CSV has always ended rows so"
    );
    insta::assert_snapshot!(notes(ItemsFormat::Lines, "a\rb\nc\n"), @r#"line 1 of FILE has carriage returns inside, which are kept; tr '\r' '\n' turns them into line breaks"#);
    insta::assert_snapshot!(notes(ItemsFormat::Lines, "a\n\nb\n\n"), @"2 lines of FILE are blank: empty items (the first is line 2); grep . removes such lines");
    assert_eq!(notes(ItemsFormat::Csv, "a\n\n1\n\n") + &notes(ItemsFormat::Jsonl, "1\n\n2\n"), "");
}

#[test]
fn byte_order_marks_are_removed_at_the_start_and_noted_elsewhere() {
    for format in [ItemsFormat::Lines, ItemsFormat::Jsonl] {
        assert_eq!(texts(format, "\u{feff}\u{feff}1\n"), ["1"]);
    }
    assert_eq!(texts(ItemsFormat::Csv, "\u{feff}\u{feff}a\n1\n"), ["{\"a\":\"1\"}"]);
    insta::assert_snapshot!(notes(ItemsFormat::Lines, "a\n\u{feff}b\n"), @r#"line 2 of FILE begins with a byte order mark, which is kept; sed 's/^\xEF\xBB\xBF//' removes it"#);
}

#[test]
fn tsv_has_no_quoting() {
    let text = "x\ty\n\"foo\t1\nbar\"\t2\nbaz\t3\n";
    assert_eq!(values(ItemsFormat::Tsv, text), [["\"foo", "1"], ["bar\"", "2"], ["baz", "3"]]);
    assert_eq!(notes(ItemsFormat::Tsv, text), "");
    assert_eq!(values(ItemsFormat::Tsv, "x\ty\n\"a\"\t5\" disk\n"), [["\"a\"", "5\" disk"]]);
    insta::assert_snapshot!(notes(ItemsFormat::Tsv, "x\ty\n\"a\"\t1\n"), @"TSV has no quoting: the double quotes in line 2 of FILE are part of the values");
    insta::assert_snapshot!(refused(ItemsFormat::Tsv, "x\ty\n\"a\tb\"\t1\n"), @"
    item 0 (line 2) of FILE has 3 fields, but the header names 2 columns
    hint: a field can't have a tab; use CSV, which allows it between double quotes
    ");
}

#[test]
fn another_separator_needs_colsep() {
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "name;size\na;1\n"), @r#"
    FILE has only the column "name;size", which has ';' in its name
    hint: if ';' separates its columns, add --colsep ';'; if not, add --colsep ,
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Csv, "name\tsize\na\t1\n"), @r#"
    FILE has only the column "name\tsize", which has '\t' in its name
    hint: if tabs separate its columns, add --format tsv; if not, add --colsep ,
    "#);
    insta::assert_snapshot!(refused(ItemsFormat::Tsv, "name,size\na,1\n"), @r#"
    FILE has only the column "name,size", which has ',' in its name
    hint: if commas separate its columns, add --format csv; if not, add --colsep '\t'
    "#);
    assert_eq!(texts(ItemsFormat::Csv, "note; free text\nhello\n").len(), 1, "the rows have none");
    let table = |format, separator, no_header, text: &str| {
        let layout = FileLayout { format, separator: Some(separator), no_header };
        let taken = read_layout(layout, text.as_bytes(), ItemSelection::default()).unwrap();
        let items: Vec<_> = taken.items.iter().map(|item| item.lossy().into_owned()).collect();
        format!("{:?} {} {}", taken.items.columns().names(), items.join(" | "), taken.notes.join("\n"))
    };
    insta::assert_snapshot!(table(ItemsFormat::Csv, b';', None, "name;size\n\"a;b\";1,5\n"), @r#"["name", "size"] {"name":"a;b","size":"1,5"} "#);
    insta::assert_snapshot!(table(ItemsFormat::Csv, b',', None, "a;b\n1;2\n"), @r#"["a;b"] {"a;b":"1;2"} "#);
    // As in GNU parallel, lines have no header.
    insta::assert_snapshot!(table(ItemsFormat::Lines, b':', None, "a:1\nb:2\n"), @r#"["1", "2"] a 1 | b 2 "#);
    insta::assert_snapshot!(table(ItemsFormat::Lines, b':', Some(false), "x:y\nb:2\n"), @r#"["x", "y"] {"x":"b","y":"2"} "#);
    insta::assert_snapshot!(table(ItemsFormat::Csv, b',', Some(true), "a,1\n\"b,c\",2\n"), @r#"["1", "2"] a 1 | b,c 2 "#);
}

#[test]
fn spaces_around_names_in_a_header_are_removed() {
    let taken = parse_all(ItemsFormat::Csv, b"name, size ,file name\na, 1,x\n").unwrap();
    assert_eq!(taken.items.columns().names(), ["name", "size", "file name"]);
    assert_eq!(taken.items[0].value(1), b" 1");
    insta::assert_snapshot!(taken.notes.join("\n"), @"spaces around names in the header of FILE are removed; those around values are kept");
    assert!(refused(ItemsFormat::Csv, "a, a\n1,2\n").starts_with("columns 1 and 2 of FILE have the same name \"a\""));
}
