//! Compares the output with that of kubectl's own describer for the Jobs in `tests/fixtures/describe`.
//!
//! The texts are from `JobDescriber` of k8s.io/kubectl v0.36.3, with a client that returns the Job and the events of the
//! files; the times of events were moved by the distance of `NOW` from the present. The Jobs have values that a server would
//! refuse, too, but quantities only in its canonical form. No list has more than 12 elements with the same key: kubectl's
//! sort of longer lists is unstable.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use k8s_openapi::List;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;
use serde::de::DeserializeOwned;

use super::{Described, job};

/// The time of kubectl's output: its ages count from here.
const NOW: &str = "2026-05-01T12:00:00Z";

/// The time zone of kubectl's output: Kolkata differs by half an hour from zones that a mistake could pick.
const OFFSET: i32 = 5 * 3600 + 1800;

fn read<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).expect("the fixture is there")).expect("the fixture has the right form")
}

/// The expected texts, each with the Job and the events beside it.
fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/describe");
    let files = fs::read_dir(folder).expect("the fixtures are there");
    let mut texts: Vec<PathBuf> = files
        .map(|file| file.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    texts.sort();
    texts
}

fn described(text: &Path) -> Described {
    let events = text.with_extension("events.json");
    let events = events.exists().then(|| read::<List<Event>>(&events).items);
    let now: Timestamp = NOW.parse().expect("a time");
    let zone = TimeZone::fixed(Offset::from_seconds(OFFSET).expect("an offset"));
    job(&read::<Job>(&text.with_extension("json")), events.as_deref(), now, &zone)
}

#[test]
fn the_output_is_that_of_kubectl() {
    let texts = fixtures();
    assert!(texts.len() >= 12, "only {} fixtures", texts.len());
    let mut different = Vec::new();
    for path in texts {
        // Where kubectl cuts a character in half, both show the replacement character.
        let expected = fs::read(&path).expect("the fixture is there");
        let expected = String::from_utf8_lossy(&expected);
        let Described { head, template, events } = described(&path);
        let actual = [head, template, events].concat();
        if actual != expected {
            let (mut want, mut have) = (expected.split('\n'), actual.split('\n'));
            let lines =
                std::iter::repeat_with(|| (want.next(), have.next())).take_while(|lines| *lines != (None, None));
            let lines = lines.filter(|(want, have)| want != have).take(5);
            let lines: Vec<String> = lines.map(|(want, have)| format!("  - {want:?}\n  + {have:?}")).collect();
            different.push(format!("{}\n{}", path.display(), lines.join("\n")));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn each_part_begins_with_its_heading() {
    for path in fixtures() {
        let Described { head, template, events } = described(&path);
        assert!(head.starts_with("Name:"), "{head}");
        assert!(template.starts_with("Pod Template:\n"), "{template}");
        let asked = path.with_extension("events.json").exists();
        assert_eq!(events.starts_with("Events:"), asked, "{events}");
        for part in [head, template, events] {
            assert!(part.is_empty() || part.ends_with('\n'), "{part}");
        }
    }
}
