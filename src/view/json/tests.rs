use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::view::indexes::tests::{items, now, rows};

fn state() -> JobState {
    let job = json!({
        "metadata": {"name": "j", "namespace": "ns", "uid": "u"},
        "spec": {"completions": 9, "completionMode": "Indexed", "backoffLimitPerIndex": 1, "template": {}},
        "status": {"completedIndexes": "0,7", "failedIndexes": "1,2"},
    });
    JobState::new(serde_json::from_value(job).unwrap())
}

/// Returns where a value differs from the schema. Supports the keywords of JSON Schema that the schema uses.
fn faults(value: &Value, schema: &Value, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |holds: bool, what: String| {
        if !holds {
            faults.push(format!("{at}: {what}: {value}"));
        }
    };
    for (keyword, wanted) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "type" => {
                let is = match wanted.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    other => panic!("the schema has the type {other}"),
                };
                expect(is, format!("not of type {wanted}"));
            }
            "const" => expect(value == wanted, format!("not {wanted}")),
            "enum" => expect(wanted.as_array().unwrap().contains(value), format!("none of {wanted}")),
            "minimum" => expect(value.as_i64() >= wanted.as_i64(), format!("below {wanted}")),
            "required" => {
                for name in wanted.as_array().unwrap() {
                    expect(value.get(name.as_str().unwrap()).is_some(), format!("{name} is missing"));
                }
            }
            "format" => expect(value.as_str().unwrap().parse::<Timestamp>().is_ok(), "no time".to_owned()),
            "additionalProperties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let is_known = schema["properties"].get(name).is_some();
                    let fits = wanted.is_object() && self::faults(value, wanted, at).is_empty();
                    expect(is_known || fits, format!("{name} is not known"));
                }
            }
            "properties" | "items" | "$schema" | "title" => {}
            other => panic!("the schema has the keyword {other}"),
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        faults.extend(
            value.get(name).map_or_else(Vec::new, |value| self::faults(value, schema, &format!("{at}.{name}"))),
        );
    }
    for (position, item) in value.as_array().into_iter().flatten().enumerate() {
        faults.extend(self::faults(item, &schema["items"], &format!("{at}[{position}]")));
    }
    faults
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/index-list.schema.json")).unwrap()
}

#[test]
fn a_list_matches_the_schema() {
    let (state, mut rows) = (state(), rows());
    rows[0].job = Some("job-r1".to_owned());
    let mut items = ItemTexts::with_columns(vec!["lr".to_owned()]);
    items.add(0, "lr=0.1".to_owned(), vec!["0.1".to_owned()]);
    let list = serde_json::to_value(index_list(&state, &rows, &items, now())).unwrap();
    assert_eq!(faults(&list, &schema(), "list"), [""; 0]);
    // The list has every field and every status of the schema.
    let known = schema()["properties"]["items"]["items"]["properties"].clone();
    for (field, schema) in known.as_object().unwrap() {
        let values: Vec<_> = list["items"].as_array().unwrap().iter().filter_map(|index| index.get(field)).collect();
        assert!(!values.is_empty(), "no index has {field}");
        for value in schema["enum"].as_array().into_iter().flatten() {
            assert!(values.contains(&value), "no index is {value}");
        }
    }
    let mut wrong = list;
    wrong["items"][0]["index"] = json!("0");
    wrong["items"][1]["more"] = json!(1);
    assert_eq!(faults(&wrong, &schema(), "list").len(), 3, "the check finds what is wrong");
}

#[test]
fn a_line_is_an_item_of_the_list() {
    let (rows, items) = (rows(), items());
    let line = |at: usize| serde_json::to_string(&IndexEntry::new(&rows[at], &items, now())).unwrap();
    assert_snapshot!(line(3), @r#"{"index":3,"item":"tab\tand\nline","status":"Retrying","attempts":1,"exitCode":139,"signal":"SIGSEGV","reason":"Error","message":" 10%|#|\r\u001b[2Jboom","node":"node-1","pod":"job-3-abcde","started":"2026-01-01T00:00:05Z","finished":"2026-01-01T00:02:06Z","durationSeconds":121}"#);
    let mut items = ItemTexts::with_columns(["b", "a"].map(str::to_owned).into());
    items.add(6, "b=1 a=x y".to_owned(), ["1", "x y"].map(str::to_owned).into());
    let named = serde_json::to_string(&IndexEntry::new(&rows[6], &items, now())).unwrap();
    assert_snapshot!(named, @r#"{"index":6,"item":"b=1 a=x y","params":{"b":"1","a":"x y"},"status":"Pending","attempts":0}"#);
    assert_snapshot!(line(6), @r#"{"index":6,"status":"Pending","attempts":0}"#);
}
