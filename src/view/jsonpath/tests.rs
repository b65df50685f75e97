use serde_json::{Value, json};

use super::*;

fn text(template: &str, document: &Value) -> String {
    let template = PathTemplate::parse(template).unwrap();
    String::from_utf8(template.text(document).unwrap()).unwrap()
}

fn refused(template: &str) -> String {
    let fault = PathTemplate::parse(template).unwrap_err();
    fault.hint().map_or_else(|| fault.to_string(), |hint| format!("{fault}; {hint}"))
}

fn misfit(template: &str, document: &Value) -> String {
    PathTemplate::parse(template).unwrap().text(document).unwrap_err().to_string()
}

/// The document of kubectl's own documentation.
fn documented() -> Value {
    json!({
        "kind": "List",
        "items": [
            {
                "kind": "None",
                "metadata": {"name": "127.0.0.1", "labels": {"kubernetes.io/hostname": "127.0.0.1"}},
                "status": {
                    "capacity": {"cpu": "4"},
                    "addresses": [{"type": "LegacyHostIP", "address": "127.0.0.1"}],
                },
            },
            {
                "kind": "None",
                "metadata": {"name": "127.0.0.2"},
                "status": {
                    "capacity": {"cpu": "8"},
                    "addresses": [
                        {"type": "LegacyHostIP", "address": "127.0.0.2"},
                        {"type": "another", "address": "127.0.0.3"},
                    ],
                },
            },
        ],
        "users": [
            {"name": "myself", "user": {}},
            {"name": "e2e", "user": {"username": "admin", "password": "secret"}},
        ],
    })
}

#[test]
fn the_documented_templates_print_the_documented_text() {
    let document = documented();
    let examples = [
        ("kind is {.kind}", "kind is List"),
        ("{['kind']}", "List"),
        ("{['items'][0]['metadata']['labels']['kubernetes\\.io/hostname']}", "127.0.0.1"),
        ("{.items[*].metadata.name}", "127.0.0.1 127.0.0.2"),
        ("{.users[0].name}", "myself"),
        ("{.items[*]['metadata.name', 'status.capacity']}", "127.0.0.1 127.0.0.2 {\"cpu\":\"4\"} {\"cpu\":\"8\"}"),
        ("{.users[?(@.name==\"e2e\")].user.password}", "secret"),
        (
            "{range .items[*]}[{.metadata.name}, {.status.capacity}] {end}",
            "[127.0.0.1, {\"cpu\":\"4\"}] [127.0.0.2, {\"cpu\":\"8\"}] ",
        ),
        ("{range .items[*]}{.metadata.name}{'\\t'}{end}", "127.0.0.1\t127.0.0.2\t"),
        ("{.items[0].metadata.labels.kubernetes\\.io/hostname}", "127.0.0.1"),
    ];
    for (template, expected) in examples {
        assert_eq!(text(template, &document), expected, "{template}");
    }
    assert_eq!(text("{..name}", &document), "127.0.0.1 127.0.0.2 myself e2e");
}

#[test]
fn values_are_formatted_as_in_go() {
    let document = json!({
        "float": 1_234_567.5, "whole": 3.0, "big": 18_446_744_073_709_551_615_u64, "small": 0.000_001_5, "no": null,
        "yes": true, "empty": [], "none": {}, "html": ["<a> & \u{2028}"], "deep": {"b": [1, null, 1.5e-7], "a": {"x": 1e21}},
    });
    assert_eq!(text("{.float} {.whole} {.big} {.small}", &document), "1.2345675e+06 3 1.8446744073709552e+19 1.5e-06");
    assert_eq!(text("{.no} {.yes} {.empty} {.none} {.missing}", &document), "null true [] {} ");
    assert_eq!(text("{.html}", &document), r#"["\u003ca\u003e \u0026 \u2028"]"#);
    assert_eq!(text("{.deep}", &document), r#"{"a":{"x":1e+21},"b":[1,null,1.5e-7]}"#);
    let columns = PathColumns::parse("DEEP:.deep,NO:no,MISSING:{.missing},TWO:.deep.b[0:2]").unwrap();
    assert_eq!(columns.names, ["DEEP", "NO", "MISSING", "TWO"]);
    assert_eq!(
        columns.row(&document).unwrap(),
        ["map[a:map[x:1e+21] b:[1 <nil> 1.5e-07]]", "<nil>", "<none>", "1,<nil>"]
    );
}

#[test]
fn json_output_has_an_array_for_each_part() {
    let template = PathTemplate::parse("{.a}-{.b[*]}").unwrap();
    let json = template.json(&json!({"a": {"x": []}, "b": []})).unwrap();
    assert_eq!(String::from_utf8(json).unwrap(), "[\n    {\n        \"x\": []\n    }\n]\n[\n    \"-\"\n]\n[]\n");
}

#[test]
fn a_syntax_error_names_its_position() {
    insta::assert_snapshot!(
        ["{.a", "{.é[0}", "x {items[0]}", "{end}", "{.a[x]}", "{.a['b]}", "{.a[?(@.b)}", "{.a[?(@.b=1)]}",
         "{.a[?(@.b==True)]}", "{.a[?(@.b==\"x)]}", "{\"\\q\"}", "{.a....b}", "{.a,.b}", "{1.2.3}", "{\"a}"]
        .map(|template| format!("{template:20} {}", refused(template)))
        .join("\n"),
        @r#"
    {.a                  { is not closed by } on its line (at character 1); {"\n"} is a line break
    {.é[0}               [ is not closed by ] on its line (at character 4)
    x {items[0]}         "items" is not a known word here (at character 3); a path begins with a dot, as in {.metadata.name}; text needs quotes
    {end}                {end} has no {range} before it (at character 1)
    {.a[x]}              [x] is neither an index nor a name (at character 5); write [0], [-1], [1:3], [*], ['name'] or [?(@.type=="Ready")]
    {.a['b]}             ['b] is neither an index nor a name (at character 5); write [0], [-1], [1:3], [*], ['name'] or [?(@.type=="Ready")]
    {.a[?(@.b)}          a filter is closed by )] (at character 11); write a filter as in [?(@.type=="Ready")]
    {.a[?(@.b=1)]}       "=" is not an operator (at character 10); use ==, !=, <, <=, > or >=
    {.a[?(@.b==True)]}   "True" is not a known word here (at character 12); text needs quotes, as in [?(@.type=="Ready")]; a path begins with @.
    {.a[?(@.b=="x)]}     [?( is not closed by )] on its line (at character 4)
    {"\q"}               "\q" has an unknown escape (at character 2)
    {.a....b}            .. is repeated (at character 6)
    {.a,.b}              ',' is not allowed in braces (at character 4); write text outside of the braces, or in quotes
    {1.2.3}              "1.2.3" is not a number (at character 2)
    {"a}                 " is not closed by another " on its line (at character 2)
    "#
    );
}

#[test]
fn a_template_that_does_not_fit_the_document_is_an_error() {
    let document = json!({"a": [1, 2.5, "x"], "o": {}, "b": [[1, 2]]});
    insta::assert_snapshot!(
        ["{.a[3]}", "{.a[-4]}", "{.a[2:1]}", "{.a[::0]}", "{.o[0]}", "{.o[?(@.x)]}", "{.a[?(@==\"x\")]}",
         "{.a[?(@<2)]}", "{.b[?(@[*]==1)]}"]
        .map(|template| format!("{template:20} {}", misfit(template, &document)))
        .join("\n"),
        @r#"
    {.a[3]}              index 3 is outside of an array of length 3
    {.a[-4]}             index -4 is outside of an array of length 3
    {.a[2:1]}            a slice from 2 to 1 ends before its start
    {.a[::0]}            a slice needs a step above 0, not 0
    {.o[0]}              an index needs an array, not an object
    {.o[?(@.x)]}         a filter needs an array, not an object
    {.a[?(@=="x")]}      a number and a text can't be compared
    {.a[?(@<2)]}         an integer and a fraction can't be compared
    {.b[?(@[*]==1)]}     2 values can't be compared, only one
    "#
    );
}

#[test]
fn columns_without_a_path_are_refused() {
    let refused = |spec: &str| PathColumns::parse(spec).unwrap_err().to_string();
    assert_eq!(refused("NAME"), "\"NAME\" has no path");
    assert_eq!(refused("NAME:{.a}{.b}"), "column NAME: \"{.a}{.b}\" is not a path");
    assert_eq!(refused("NAME:.a[x]"), "column NAME: [x] is neither an index nor a name");
    let lines = PathColumns::parse_lines("NAME   DONE\n.metadata.name {.status.succeeded}\n").unwrap();
    let words = PathColumns::parse("NAME:metadata.name,DONE:.status.succeeded").unwrap();
    assert_eq!(format!("{lines:?}"), format!("{words:?}"));
    assert_eq!(PathColumns::parse_lines("A B\n.a\n").unwrap_err().to_string(), "2 names do not match 1 paths");
}
