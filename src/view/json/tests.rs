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

/// What of a value is not as the schema has it; knows as much of JSON Schema as the schema uses.
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
                for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                    expect(schema["properties"].get(name).is_some(), format!("{name} is not known"));
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
fn a_list_is_as_the_schema_has_it() {
    let (state, mut rows, items) = (state(), rows(), items());
    rows[0].job = Some("job-r1".to_owned());
    let list = serde_json::to_value(index_list(&state, &rows, &items, now())).unwrap();
    assert_eq!(faults(&list, &schema(), "list"), [""; 0]);
    // What the schema allows is also there: every field and every status.
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
fn a_line_is_an_item_of_it() {
    let (rows, items) = (rows(), items());
    let line =
        |at: usize| serde_json::to_string(&IndexEntry::new(&rows[at], items.get(&rows[at].index), now())).unwrap();
    assert_snapshot!(line(3), @r#"{"index":3,"item":"tab\tand\nline","status":"Retrying","attempts":1,"exitCode":139,"signal":"SIGSEGV","reason":"Error","message":" 10%|#|\r\u001b[2Jboom","node":"node-1","pod":"job-3-abcde","started":"2026-01-01T00:00:05Z","finished":"2026-01-01T00:02:06Z","durationSeconds":121}"#);
    assert_snapshot!(line(6), @r#"{"index":6,"status":"Pending","attempts":0}"#);
}
