use insta::assert_snapshot;
use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::view::Printable as _;
use crate::view::summary::ItemTexts;

pub(in crate::view) fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().unwrap()
}

fn bare(index: u32, status: IndexStatus) -> IndexRow {
    IndexRow {
        index,
        status,
        attempts: None,
        exit_code: None,
        reason: None,
        message: None,
        node: None,
        started: None,
        finished: None,
        pod: None,
        job: None,
    }
}

/// One row of each status.
pub(in crate::view) fn rows() -> Vec<IndexRow> {
    let time = |text: &str| Some(text.parse().unwrap());
    let text = |text: &str| Some(text.to_owned());
    let ended = |index, status, code, reason: Option<&str>, message: &str| IndexRow {
        attempts: Some(1),
        exit_code: Some(code),
        reason: reason.map(str::to_owned),
        message: text(message).filter(|message| !message.is_empty()),
        node: text("node-1"),
        started: time("2026-01-01T00:00:05Z"),
        finished: time("2026-01-01T00:02:06Z"),
        pod: Some(format!("job-{index}-abcde")),
        ..bare(index, status)
    };
    vec![
        ended(0, IndexStatus::Succeeded, 0, None, ""),
        ended(1, IndexStatus::Failed, 3, Some("Error"), "cat: /in: no such file\nat line 1, \"sorry\"\n"),
        ended(2, IndexStatus::Failed, 137, Some("OOMKilled"), ""),
        ended(3, IndexStatus::Retrying, 139, Some("Error"), " 10%|#|\r\u{1b}[2Jboom"),
        IndexRow { finished: None, exit_code: None, attempts: Some(2), ..ended(4, IndexStatus::Running, 0, None, "") },
        IndexRow {
            attempts: Some(1),
            reason: text("Unschedulable"),
            message: text("0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate"),
            pod: text("job-5-abcde"),
            ..bare(5, IndexStatus::Starting)
        },
        IndexRow { attempts: Some(0), ..bare(6, IndexStatus::Pending) },
        bare(7, IndexStatus::Succeeded),
        IndexRow { finished: None, exit_code: None, ..ended(8, IndexStatus::Unknown, 0, Some("NodeLost"), "") },
    ]
}

pub(in crate::view) fn items() -> ItemTexts {
    let long = "s3://bucket/with/a/long/path/and/a/longer/name.tar.gz";
    let items = [(0, "foo"), (1, "a,b"), (2, "日本語"), (3, "tab\tand\nline"), (4, ""), (5, long)];
    items.into_iter().map(|(index, item)| (index, item.to_owned())).collect()
}

fn table(columns: IndexColumns) -> String {
    let (rows, items) = (rows(), items());
    let table = IndexTable::new(rows.iter().map(|row| (row, items.get(&row.index))), columns, now());
    let mut lines = vec![table.header()];
    lines.extend(rows.iter().map(|row| table.row(row, items.get(&row.index), now())));
    let bytes = lines.iter().flat_map(|line| line.encoded(columns.style).into_owned()).collect();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_pipe_gets_whole_rows() {
    assert_snapshot!(table(IndexColumns { headers: true, wide: true, ..IndexColumns::default() }), @r#"
    INDEX   ITEM                                                    STATUS      ATTEMPTS   EXIT   REASON          NODE     STARTED                DURATION   POD           MESSAGE
    0       foo                                                     Succeeded   1          0      -               node-1   2026-01-01T00:00:05Z   121s       job-0-abcde   -
    1       a,b                                                     Failed      1          3      Error           node-1   2026-01-01T00:00:05Z   121s       job-1-abcde   cat: /in: no such file\nat line 1, "sorry"
    2       日本語                                                  Failed      1          137    OOMKilled       node-1   2026-01-01T00:00:05Z   121s       job-2-abcde   -
    3       tab\tand\nline                                          Retrying    1          139    SIGSEGV         node-1   2026-01-01T00:00:05Z   121s       job-3-abcde   \u{1b}[2Jboom
    4       -                                                       Running     2          -      -               node-1   2026-01-01T00:00:05Z   595s       job-4-abcde   -
    5       s3://bucket/with/a/long/path/and/a/longer/name.tar.gz   Starting    1          -      Unschedulable   -        -                      -          job-5-abcde   0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate
    6       -                                                       Pending     0          -      -               -        -                      -          -             -
    7       -                                                       Succeeded   -          -      -               -        -                      -          -             -
    8       -                                                       Unknown     1          -      NodeLost        node-1   2026-01-01T00:00:05Z   595s       job-8-abcde   -
    "#);
}

#[test]
fn a_terminal_gets_rows_that_fit() {
    let style = Style { terminal: true, ..Style::default() };
    assert_snapshot!(table(IndexColumns { headers: true, style, width: Some(100), ..IndexColumns::default() }), @r"
    INDEX   ITEM             STATUS      ATTEMPTS   EXIT   REASON          NODE     STARTED     DURATION
    0       foo              Succeeded   1          0      -               node-1   9m55s ago   2m1s
    1       a,b              Failed      1          3      Error           node-1   9m55s ago   2m1s
    2       日本語           Failed      1          137    OOMKilled       node-1   9m55s ago   2m1s
    3       tab\tand\nline   Retrying    1          139    SIGSEGV         node-1   9m55s ago   2m1s
    4       -                Running     2          -      -               node-1   9m55s ago   9m55s
    5       s3://bucket/w…   Starting    1          -      Unschedulable   -        -           -
    6       -                Pending     0          -      -               -        -           -
    7       -                Succeeded   -          -      -               -        -           -
    8       -                Unknown     1          -      NodeLost        node-1   9m55s ago   9m55s
    ");
    let wide = table(IndexColumns { headers: true, style, width: Some(175), wide: true, ..IndexColumns::default() });
    assert_snapshot!(wide, @r#"
    INDEX   ITEM                       STATUS      ATTEMPTS   EXIT   REASON          NODE     STARTED     DURATION   POD           MESSAGE
    0       foo                        Succeeded   1          0      -               node-1   9m55s ago   2m1s       job-0-abcde   -
    1       a,b                        Failed      1          3      Error           node-1   9m55s ago   2m1s       job-1-abcde   cat: /in: no such file\nat line 1, "sorry"
    2       日本語                     Failed      1          137    OOMKilled       node-1   9m55s ago   2m1s       job-2-abcde   -
    3       tab\tand\nline             Retrying    1          139    SIGSEGV         node-1   9m55s ago   2m1s       job-3-abcde   \u{1b}[2Jboom
    4       -                          Running     2          -      -               node-1   9m55s ago   9m55s      job-4-abcde   -
    5       s3://bucket/with/a/long…   Starting    1          -      Unschedulable   -        -           -          job-5-abcde   0/3 nodes are available: 3 Insufficient cpu. no…
    6       -                          Pending     0          -      -               -        -           -          -             -
    7       -                          Succeeded   -          -      -               -        -           -          -             -
    8       -                          Unknown     1          -      NodeLost        node-1   9m55s ago   9m55s      job-8-abcde   -
    "#);
    assert!(wide.lines().all(|line| line.width() <= 175), "{wide}");
}

#[test]
fn a_narrow_terminal_leaves_columns_out() {
    let columns = |width, wide| {
        let style = Style { terminal: true, ..Style::default() };
        IndexColumns { headers: true, style, width: Some(width), wide, roomy: false }
    };
    assert_snapshot!(table(columns(80, false)), @r"
    INDEX   ITEM              STATUS      ATTEMPTS   EXIT   REASON          DURATION
    0       foo               Succeeded   1          0      -               2m1s
    1       a,b               Failed      1          3      Error           2m1s
    2       日本語            Failed      1          137    OOMKilled       2m1s
    3       tab\tand\nline    Retrying    1          139    SIGSEGV         2m1s
    4       -                 Running     2          -      -               9m55s
    5       s3://bucket/wi…   Starting    1          -      Unschedulable   -
    6       -                 Pending     0          -      -               -
    7       -                 Succeeded   -          -      -               -
    8       -                 Unknown     1          -      NodeLost        9m55s
    ");
    assert_snapshot!(table(columns(80, true)), @r"
    INDEX   ITEM           STATUS      REASON         MESSAGE
    0       foo            Succeeded   -              -
    1       a,b            Failed      Error          cat: /in: no such file\nat li…
    2       日本語         Failed      OOMKilled      -
    3       tab\tand\nl…   Retrying    SIGSEGV        \u{1b}[2Jboom
    4       -              Running     -              -
    5       s3://bucket…   Starting    Unschedulab…   0/3 nodes are available: 3 In…
    6       -              Pending     -              -
    7       -              Succeeded   -              -
    8       -              Unknown     NodeLost       -
    ");
    for width in 1..200 {
        for wide in [false, true] {
            let text = table(columns(width, wide));
            assert!(text.lines().all(|line| line.width() <= width), "{width}: {text}");
        }
    }
    let (rows, items) = (rows(), items());
    let rows = || rows.iter().map(|row| (row, items.get(&row.index)));
    let note = |columns| IndexTable::new(rows(), columns, now()).left_out();
    assert_eq!(note(columns(80, false)).unwrap(), "left out: STARTED, NODE (a pipe shows all)");
    assert_eq!(note(columns(120, false)), None);
    assert_eq!(note(IndexColumns { wide: true, ..IndexColumns::default() }), None);
}

#[test]
fn colour_does_not_move_the_columns() {
    let columns =
        IndexColumns { style: Style { terminal: true, color: true, plain: false }, ..IndexColumns::default() };
    let colored = table(columns);
    assert!(colored.contains("\u{1b}[31mFailed\u{1b}[0m "), "{colored}");
    let plain = table(IndexColumns { style: Style { terminal: true, ..Style::default() }, ..columns });
    let mut stripped = colored;
    for code in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[36m", "\u{1b}[0m", "\u{1b}[39m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn comma_separated_values() {
    let (rows, items) = (rows(), items());
    let table = DataTable { delimiter: b',', with_output: false };
    let lines = rows.iter().flat_map(|row| table.row(row, &items, b"", now()));
    let text = String::from_utf8(table.header(&items).into_iter().chain(lines).collect()).unwrap();
    assert_snapshot!(text.replace('\u{1b}', "ESC").replace('\r', "␍"), @r#"
    index,item,status,attempts,exit_code,signal,reason,node,started,finished,duration_seconds,pod,message,job
    0,foo,Succeeded,1,0,,,node-1,2026-01-01T00:00:05Z,2026-01-01T00:02:06Z,121,job-0-abcde,,
    1,"a,b",Failed,1,3,,Error,node-1,2026-01-01T00:00:05Z,2026-01-01T00:02:06Z,121,job-1-abcde,"cat: /in: no such file
    at line 1, ""sorry""
    ",
    2,日本語,Failed,1,137,SIGKILL,OOMKilled,node-1,2026-01-01T00:00:05Z,2026-01-01T00:02:06Z,121,job-2-abcde,,
    3,"tab	and
    line",Retrying,1,139,SIGSEGV,Error,node-1,2026-01-01T00:00:05Z,2026-01-01T00:02:06Z,121,job-3-abcde," 10%|#|␍ESC[2Jboom",
    4,,Running,2,,,,node-1,2026-01-01T00:00:05Z,,595,job-4-abcde,,
    5,s3://bucket/with/a/long/path/and/a/longer/name.tar.gz,Starting,1,,,Unschedulable,,,,,job-5-abcde,0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate,
    6,,Pending,0,,,,,,,,,,
    7,,Succeeded,,,,,,,,,,,
    8,,Unknown,1,,,NodeLost,node-1,2026-01-01T00:00:05Z,,595,job-8-abcde,,
    "#);
}

/// What a data frame gets of items that have named values.
#[test]
fn named_values_are_columns() {
    let mut items = ItemTexts::with_columns(["lr", "status", "item", "item_status"].map(str::to_owned).into());
    items.add(0, "whole".to_owned(), ["0.01", "a\tb", "x,y", ""].map(str::to_owned).into());
    // An item that somebody changed by hand does not have these columns.
    items.add(1, "whole".to_owned(), Vec::new());
    for (delimiter, with_output, output) in [(b',', true, "acc=0.9\n"), (b'\t', false, "")] {
        let table = DataTable { delimiter, with_output };
        let mut bytes = table.header(&items);
        bytes.extend(table.row(&rows()[0], &items, output.as_bytes(), now()));
        bytes.extend(table.row(&rows()[2], &items, output.as_bytes(), now()));
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(&*bytes);
        let names: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(names[..6], ["index", "lr", "item_item_status", "item", "item_status", "status"]);
        assert_eq!(names.last().unwrap(), if with_output { "output" } else { "job" });
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows[0].iter().take(6).collect::<Vec<_>>(), ["0", "0.01", "a\tb", "x,y", "", "Succeeded"]);
        assert_eq!(rows[1].iter().take(6).collect::<Vec<_>>(), ["2", "", "", "", "", "Failed"]);
        assert_eq!(rows[0].iter().next_back().unwrap(), output);
    }
}
