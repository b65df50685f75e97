use insta::assert_snapshot;

use super::*;
use crate::view::indexes::DataTable;
use crate::view::indexes::tests::{items, now, rows};

#[test]
fn the_output_is_the_last_column() {
    let (rows, items) = (rows(), items());
    let table = DataTable { delimiter: b',', with_output: true };
    let mut bytes = table.header(&items);
    let outputs: [&[u8]; 3] = [b"a\n", b"say \"hi\", \xff", b""];
    for (row, output) in rows.iter().zip(outputs) {
        bytes.extend(table.row(row, &items, output, now()));
    }
    bytes.extend(table.row(&rows[6], &items, b"", now()));
    assert_snapshot!(String::from_utf8_lossy(&bytes), @r#"
    index,item,status,attempts,exit_code,signal,reason,node,started,finished,duration_seconds,pod,message,job,output
    0,foo,Succeeded,1,0,,,node-1,2026-01-01T00:00:05Z,2026-01-01T00:02:06Z,121,job-0-abcde,,,"a
    "
    1,"a,b",Failed,1,3,,Error,node-1,2026-01-01T00:00:05Z,2026-01-01T00:02:06Z,121,job-1-abcde,"cat: /in: no such file
    at line 1, ""sorry""
    ",,"say ""hi"", �"
    2,日本語,Failed,1,137,SIGKILL,OOMKilled,node-1,2026-01-01T00:00:05Z,2026-01-01T00:02:06Z,121,job-2-abcde,,,
    6,,Pending,0,,,,,,,,,,,
    "#);
    let read: Vec<_> = ::csv::Reader::from_reader(&*bytes).into_byte_records().map(Result::unwrap).collect();
    let last: Vec<_> = read.iter().map(|record| record.iter().next_back().unwrap()).collect();
    assert_eq!(last, [outputs[0], outputs[1], outputs[2], b""]);
}

#[test]
fn each_form_of_an_output_has_a_field() {
    let (rows, items) = (rows(), items());
    let raw = RawValue::from_string("[1.10]".to_owned()).unwrap();
    let outputs = [ResultOutput::Text("a\n"), ResultOutput::Base64("/w==".to_owned()), ResultOutput::Json(&raw)];
    let lines = rows.iter().zip(&outputs).map(|(row, output)| {
        let file = (row.index == 0).then_some(("0.out", 2));
        let entry = ResultEntry::new(row, &items, file, Some(output), now());
        serde_json::to_string(&entry).unwrap()
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    assert_snapshot!(text, @r#"
    {"index":0,"item":"foo","status":"Succeeded","attempts":1,"exitCode":0,"node":"node-1","pod":"job-0-abcde","started":"2026-01-01T00:00:05Z","finished":"2026-01-01T00:02:06Z","durationSeconds":121,"file":"0.out","bytes":2,"output":"a\n"}
    {"index":1,"item":"a,b","status":"Failed","attempts":1,"exitCode":3,"reason":"Error","message":"cat: /in: no such file\nat line 1, \"sorry\"\n","node":"node-1","pod":"job-1-abcde","started":"2026-01-01T00:00:05Z","finished":"2026-01-01T00:02:06Z","durationSeconds":121,"outputBase64":"/w=="}
    {"index":2,"item":"日本語","status":"Failed","attempts":1,"exitCode":137,"signal":"SIGKILL","reason":"OOMKilled","node":"node-1","pod":"job-2-abcde","started":"2026-01-01T00:00:05Z","finished":"2026-01-01T00:02:06Z","durationSeconds":121,"outputJson":[1.10]}
    "#);
}
