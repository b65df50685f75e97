use proptest::prelude::*;

use super::*;

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

fn parse_word(word: &str, names: &[&str]) -> CommandTemplate {
    parse(&words(&[word]), &words(names), true).unwrap()
}

/// Returns the template with placeholders in angle brackets.
fn shown(template: &CommandTemplate) -> String {
    let segments = template.arguments.iter().flatten();
    let show = |segment: &Segment| match segment {
        Segment::Text(text) => text.clone(),
        Segment::Value(placeholder) => placeholder.to_text(&[]).replace('{', "<").replace('}', ">"),
    };
    segments.map(show).collect()
}

#[test]
fn paths_are_cut_like_in_gnu_parallel() {
    // From a run of GNU parallel 20221122: {.}, {/}, {//}, {/.}.
    let table = [
        ("a.b/c", ["a.b/c", "c", "a.b", "c"]),
        (".hidden", ["", ".hidden", ".", ""]),
        ("dir/.x", ["dir/", ".x", "dir", ""]),
        ("foo.tar.gz", ["foo.tar", "foo.tar.gz", ".", "foo.tar"]),
        ("foo.", ["foo", "foo.", ".", "foo"]),
        ("dir/", ["dir/", "", ".", ""]),
        ("a/b/", ["a/b/", "", "a", ""]),
        ("/", ["/", "", "/", ""]),
        ("//", ["//", "", "/", ""]),
        ("", ["", "", ".", ""]),
        ("a", ["a", "a", ".", "a"]),
        ("a//b", ["a//b", "b", "a", "b"]),
        ("/a", ["/a", "a", "/", "a"]),
        ("/a/", ["/a/", "", "/", ""]),
        ("./a", ["./a", "a", ".", "a"]),
        (".", ["", ".", ".", ""]),
        ("..", [".", "..", ".", "."]),
        ("../x.y", ["../x", "x.y", "..", "x"]),
        ("a.b/", ["a.b/", "", ".", ""]),
        ("a/..b", ["a/.", "..b", "a", "."]),
        ("/x/y.tar.gz", ["/x/y.tar", "y.tar.gz", "/x", "y.tar"]),
        ("a b/c d.e", ["a b/c d", "c d.e", "a b", "c d"]),
    ];
    let operations = [Operation::WithoutExtension, Operation::Base, Operation::Folder, Operation::Stem];
    for (path, expected) in table {
        let cut = operations.map(|operation| String::from_utf8(operation.apply(path.as_bytes()).into()).unwrap());
        assert_eq!(cut, expected, "{path:?}");
    }
    assert_eq!(*Operation::Stem.apply(b"\xff/\n/\xfe\n.\x80"), *b"\xfe\n");
}

#[test]
fn other_braces_are_no_placeholders() {
    let plain = |word| shown(&parse_word(word, &[]));
    insta::assert_snapshot!(plain("a{}b{.}{/}{//}{/.}{#}"), @"a<>b<.></><//></.><#>");
    // One nameless column is the item.
    insta::assert_snapshot!(plain("{1} {1.} {1/.}"), @"<> <.> </.>");
    for alone in [
        "{print $1}",
        r#"{"a":1}"#,
        "f() { echo hi; }; f",
        "{ }",
        "{1..3}",
        "{a,b}",
        "{01}",
        "{-1}",
        "${name} ${#} ${}",
        "{",
        "}{",
        "{{",
        "{\n}",
        "[0-9]{2,3}",
    ] {
        assert_eq!(plain(alone), alone);
    }
    insta::assert_snapshot!(plain(r#"{"a":{"b":"{}"}}"#), @r#"{"a":{"b":"<>"}}"#);
    insta::assert_snapshot!(plain("${x:-{}} $x{} ${x}{}"), @"${x:-<>} $x<> ${x}<>");
}

#[test]
fn columns_have_a_name_and_a_number() {
    let columns = ["name", "size", "a.b", "2", "größe", "print $1"];
    let named = |word| shown(&parse_word(word, &columns));
    insta::assert_snapshot!(named("{name} {size.} {size//} {}"), @"<1> <2.> <2//> <>");
    insta::assert_snapshot!(named("{a.b} {a.b.} {größe/.}"), @"<3> <3.> <5/.>");
    // A name comes before a place.
    insta::assert_snapshot!(named("{1} {2} {3/}"), @"<1> <4> <3/>");
    insta::assert_snapshot!(named("{print $1} {print $2}"), @"<6> {print $2}");
    let written =
        |word: &str| parse_word(word, &columns).placeholders().next().unwrap().to_text(&columns.map(str::to_owned));
    assert_eq!(["{name.}", "{5//}", "{/.}", "{#}"].map(written), ["{name.}", "{größe//}", "{/.}", "{#}"]);
}

#[test]
fn doubled_braces_escape_a_placeholder() {
    // A command with no other placeholder may be meant for another system.
    let named = |word: &str| {
        let template = parse(&words(&[word, "{}"]), &words(&["name"]), true).unwrap();
        shown(&template).strip_suffix("<>").unwrap().to_owned()
    };
    insta::assert_snapshot!(named("{{}} {{name}} {{/.}} {{#}} {{1}} {{4}}"), @"{} {name} {/.} {#} {1} {4}");
    insta::assert_snapshot!(named("{{}}{}{{}}"), @"{}<>{}");
    insta::assert_snapshot!(named("{{{}}} {{{{}}}}"), @"{{}} {{{}}}");
    insta::assert_snapshot!(named(r#"{"a":{{}}}"#), @r#"{"a":{}}"#);
    for alone in ["{{ .Name }}", "{{.Name}}", "{{ name }}", "{{other}}", "${{name}}", "{{print}}", "{{if .}}{{end}}"] {
        assert_eq!(named(alone), alone);
        assert_eq!(parse(&words(&[alone, "{}"]), &words(&["name"]), true).unwrap().notes, [""; 0]);
    }
}

#[test]
fn without_items_only_the_index_is_a_placeholder() {
    let template = parse(&words(&["{#}{}{1}{name}{{}}{{#}}"]), &[], false).unwrap();
    insta::assert_snapshot!(shown(&template), @"<#>{}{1}{name}{{}}{#}");
}

#[test]
fn a_word_that_names_no_column_is_noted_once() {
    let command = words(&["{other}", "{other} {other.} ${home} a{7} {a b} {{x}}"]);
    let template = parse(&command, &words(&["name", "size"]), true).unwrap();
    assert_eq!(shown(&template), "{other}{other} {other.} ${home} a{7} {a b} {{x}}");
    insta::assert_snapshot!(template.notes.join("\n"), @r#"
    {other} in the command names no column (the columns are "name", "size") and stays unchanged
    {other.} in the command names no column (the columns are "name", "size") and stays unchanged
    {7} in the command names no column (the columns are "name", "size") and stays unchanged
    "#);
    insta::assert_snapshot!(parse_word("{other}", &["name"]).notes[0], @r#"{other} in the command names no column (the column is "name") and stays unchanged"#);
    let many: Vec<_> = (0..12).map(|n| format!("c{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    insta::assert_snapshot!(parse_word("{x}", &many).notes[0], @r#"{x} in the command names no column (the columns are "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9" and 2 more) and stays unchanged"#);
    insta::assert_snapshot!(parse_word("x{3}", &[]).notes[0], @"{3} in the command names no column (the items have no columns) and stays unchanged");
    assert_eq!(parse_word("{name}", &[]).notes, [""; 0]);
}

fn error_of(word: &str, names: &[&str]) -> String {
    let error = parse(&words(&["cat", word]), &words(names), true).unwrap_err();
    format!("{error}\nhint: {}", error.hints().join("\nhint: "))
}

#[test]
fn a_mistyped_column_is_an_error() {
    insta::assert_snapshot!(error_of("{nmae}", &["name", "size"]), @r#"
    {nmae} in the command names no column: the columns are "name", "size"
    hint: did you mean {name}?
    hint: write {{nmae}} for the text {nmae} itself
    "#);
    for slip in ["{Name}", "{names}", "{nam}", "{nome.}", "{file-name}", "{nmae/.}"] {
        assert!(error_of(slip, &["name", "file_name"]).contains("hint: did you mean {"), "{slip}");
    }
    assert_eq!(shown(&parse_word("{{nmae}}", &["name"])), "{nmae}");
    // Awk's own, a format of curl's, a variable of the shell's, and words that are like no column.
    for alone in ["{print}", "%{http_code}", "${nmae}", "{line}", "{id}"] {
        assert_eq!(shown(&parse_word(alone, &["prints", "http_codes", "name", "ip"])), alone);
    }
    let code = words(&["python3", "-c", "print(f'{names}')"]);
    assert!(parse(&code, &words(&["name"]), true).unwrap().is_literal(), "braces of another language");
    assert!(parse(&words(&["sh", "-c", "echo {names}"]), &words(&["name"]), true).is_err());
}

#[test]
fn placeholders_that_only_gnu_parallel_has_are_errors() {
    insta::assert_snapshot!(error_of("{= s/a/b/ =}", &[]), @"
    {= s/a/b/ =} in the command is a Perl expression in GNU parallel, and is not supported here
    hint: change the value in a shell: -- sh -c 'printf %s {} | sed s/a/b/'
    hint: write {{= s/a/b/ =}} for the text {= s/a/b/ =} itself
    ");
    insta::assert_snapshot!(error_of("{%}", &["name"]), @"
    {%} in the command is the number of the job slot in GNU parallel, and is not supported here
    hint: use {#} for the index
    hint: write {{%}} for the text {%} itself
    ");
    insta::assert_snapshot!(error_of("{##}", &[]), @"
    {##} in the command is the number of jobs in GNU parallel, and is not supported here
    hint: use the variable ITEM_COUNT
    hint: write {{##}} for the text {##} itself
    ");
    assert!(error_of("{1} to {2}", &[]).starts_with("{2} in the command names no column"));
    assert_eq!(shown(&parse_word("grep -E ' {4}'", &[])), "grep -E ' {4}'", "a regular expression");
    insta::assert_snapshot!(error_of("{2}", &[]), @"
    {2} in the command names no column: the items have no columns
    hint: --colsep CHAR splits the lines of a file into columns
    hint: write {{2}} for the text {2} itself
    ");
    assert_eq!(
        shown(&parse_word("{{%}} {{= x =}} {{2}} [0-9]{2} (a){3} {=}", &[])),
        "{%} {= x =} {2} [0-9]{2} (a){3} {=}"
    );
    assert_eq!(shown(&parse_word("{%}", &["%"])), "<1>");
}

#[test]
fn placeholders_of_other_systems_in_doubled_braces_are_errors() {
    insta::assert_snapshot!(error_of("{{name}}", &["name"]), @"
    {{name}} in the command is text: a placeholder has single braces
    hint: write {name} for the value
    hint: or add --no-placeholders to keep every brace
    ");
    assert!(error_of("{{ name }}", &["name"]).contains("write {name} for the value"));
    assert!(error_of("{{item}}", &[]).contains("write {} for the value"));
    for alone in ["{{}}", "{{other}}", "{{ .Name }}", "${{name}}"] {
        assert!(parse_word(alone, &["name"]).is_literal(), "{alone}");
    }
    assert_eq!(shown(&parse_word("{name} {{name}}", &["name"])), "<1> {name}");
}

#[test]
fn a_column_with_the_name_of_the_index_needs_its_number() {
    insta::assert_snapshot!(error_of("{#}", &["name", "#"]), @r##"
    {#} in the command may be the index or the column "#"
    hint: write {2} for the column
    hint: use the variable JOB_COMPLETION_INDEX for the index
    hint: write {{#}} for the text {#} itself
    "##);
    assert_eq!(shown(&parse_word("{2} {name} {{#}}", &["name", "#"])), "<2> <1> {#}");
}

#[test]
fn a_number_past_the_last_column_is_an_error() {
    insta::assert_snapshot!(error_of("{3}", &["1", "2"]), @"
    {3} in the command names no column: the items have 2 columns, {1} to {2}
    hint: write {{3}} for the text {3} itself
    ");
    insta::assert_snapshot!(error_of("{0.}", &["1"]), @"
    {0.} in the command names no column: the items have one column, {1}
    hint: write {{0.}} for the text {0.} itself
    ");
    insta::assert_snapshot!(error_of("{99999999999999999999999}", &["1", "2"]), @"
    {99999999999999999999999} in the command names no column: the items have 2 columns, {1} to {2}
    hint: write {{99999999999999999999999}} for the text {99999999999999999999999} itself
    ");
    assert_eq!(shown(&parse_word("{{3}} ${3}", &["1", "2"])), "{3} ${3}");
}

#[test]
fn an_argument_is_split_into_text_and_placeholders() {
    let command = words(&["sh", "-c", "{}", "{}{}", ""]);
    let template = parse(&command, &[], true).unwrap();
    let item = Placeholder { subject: PlaceholderSubject::Item, operation: Operation::None };
    let value = || Segment::Value(item.clone());
    let text = |text: &str| vec![Segment::Text(text.to_owned())];
    assert_eq!(template.arguments, [text("sh"), text("-c"), vec![value()], vec![value(), value()], vec![]]);
    assert!(!template.is_literal());
    assert!(parse(&command[..2], &[], true).unwrap().is_literal());
}

#[test]
fn a_value_is_cut_from_its_subject() {
    let value = |word: &str| {
        let template = parse_word(word, &["a", "b"]);
        let placeholder = template.placeholders().next().unwrap().clone();
        let item = Item::record(b"x/y.z,\xff.q", vec![b"x/y.z".to_vec(), b"\xff.q".to_vec()]);
        placeholder.value_in(&item).to_vec()
    };
    assert_eq!(["{}", "{a/}", "{b.}", "{2}"].map(value), [&b"x/y.z,\xff.q"[..], b"y.z", b"\xff", b"\xff.q"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever braces there are, what is no placeholder stays, and nothing gets lost.
    #[test]
    fn text_is_kept(word in "[{}$#.1/a \n]{0,24}") {
        // A column beyond the last is an error, and so are doubled braces alone.
        let command = words(&[&word, "{}"]);
        let Ok(template) = parse(&command, &words(&["a", "b"]), true) else { return Ok(()) };
        let again: String = template.arguments[0].iter().map(|segment| match segment {
            Segment::Text(text) => text.clone(),
            Segment::Value(placeholder) => placeholder.to_text(&words(&["a", "b"])),
        }).collect();
        // Only a place becomes a name and an escape loses two braces.
        let squeezed = |text: &str| text.replace(['{', '}'], "").replace('1', "a");
        prop_assert_eq!(squeezed(&again), squeezed(&word));
        prop_assert!(again.len() <= word.len());
        let lone = |segments: &[Segment]| segments.windows(2).all(|pair| !matches!(pair, [Segment::Text(_), Segment::Text(_)]));
        prop_assert!(lone(&template.arguments[0]));
    }

    /// Every placeholder can be written as text.
    #[test]
    fn a_doubled_placeholder_is_text(inner in "(|a|b|1|2|77)(|[.]|/|//|/[.])|#") {
        let command = [format!("<{{{{{inner}}}}}>"), "{}".to_owned()];
        let template = parse(&command, &words(&["a", "b"]), true).unwrap();
        let text = format!("<{{{inner}}}>");
        prop_assert_eq!(&template.arguments[0], &[Segment::Text(text)]);
    }

    #[test]
    fn cuts_fit_together(path in "[a./\n]{0,8}") {
        let path = path.as_bytes();
        let base = Operation::Base.apply(path);
        prop_assert!(!base.contains(&b'/'));
        prop_assert_eq!(Operation::Stem.apply(path), Operation::WithoutExtension.apply(base));
        prop_assert!(path.ends_with(base));
        prop_assert!(!Operation::Folder.apply(path).is_empty());
    }
}
