use proptest::prelude::*;
use serde_json::{from_value, json};

use super::*;

/// Returns a field with a number.
fn number(field: u64, value: i64) -> Vec<u8> {
    [varint_of(field << 3), varint_of(value.cast_unsigned())].concat()
}

/// Returns a field with a text or a message.
fn block(field: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [varint_of(field << 3 | 2), varint_of(content.len() as u64), content.to_vec()].concat()
}

fn varint_of(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

fn time(seconds: i64) -> Vec<u8> {
    [number(1, seconds), number(2, 0)].concat()
}

fn map_entry(key: &str, value: &str) -> Vec<u8> {
    [block(1, key), block(2, value)].concat()
}

/// Returns a failed Pod, with fields that are not decoded.
fn failed_pod(name: &str) -> Vec<u8> {
    let metadata = [
        block(1, name),
        block(2, "j-3-"),
        block(3, "ns"),
        block(5, "uid"),
        block(6, "17"),
        number(7, 1),
        block(8, time(1_767_225_600)),
        block(11, map_entry("batch.kubernetes.io/controller-uid", "u")),
        block(11, map_entry("team", "vision")),
        block(12, map_entry("batch.kubernetes.io/job-completion-index", "3")),
        block(12, map_entry("batch.kubernetes.io/job-index-failure-count", "2")),
        block(17, block(1, "somebody")),
    ];
    let limits = [("cpu", "1"), ("memory", "16Mi")].map(|(name, amount)| {
        let quantity = block(1, amount);
        block(1, [block(1, name), block(2, quantity)].concat())
    });
    let spec = [
        block(2, [block(1, "worker"), block(8, limits.concat())].concat()),
        block(3, "Never"),
        block(10, "node-1"),
        block(20, block(1, "input")),
        block(20, [block(1, "proxy"), block(24, "Always")].concat()),
        block(38, block(1, "example.com/hold")),
    ];
    let state = [
        number(1, -1),
        number(2, 9),
        block(3, "Error"),
        block(4, "last words"),
        block(5, time(1_767_225_605)),
        block(6, time(1_767_225_609)),
    ];
    let container = [
        block(1, "worker"),
        block(2, block(3, state.concat())),
        block(3, b""),
        number(4, 0),
        number(5, 1),
        block(6, "busybox"),
    ];
    let condition = [block(1, "Ready"), block(2, "False"), block(3, b""), block(4, time(1_767_225_609)), block(5, "x")];
    let status = [
        block(1, "Failed"),
        block(2, condition.concat()),
        block(3, b""),
        block(4, b""),
        block(7, time(1_767_225_601)),
        block(8, container.concat()),
    ];
    [block(1, metadata.concat()), block(2, spec.concat()), block(3, status.concat())].concat()
}

/// Returns the same Pod in JSON.
fn failed_record(name: &str) -> PodRecord {
    from_value(json!({
        "metadata": {
            "name": name, "namespace": "ns", "uid": "uid", "resourceVersion": "17",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"batch.kubernetes.io/controller-uid": "u"},
            "annotations": {
                "batch.kubernetes.io/job-completion-index": "3", "batch.kubernetes.io/job-index-failure-count": "2",
            },
        },
        "spec": {
            "nodeName": "node-1", "restartPolicy": "Never", "schedulingGates": [{"name": "example.com/hold"}],
            "containers": [{"name": "worker", "resources": {"limits": {"cpu": "1", "memory": "16Mi"}}}],
            "initContainers": [{"name": "input"}, {"name": "proxy", "restartPolicy": "Always"}],
        },
        "status": {
            "phase": "Failed", "startTime": "2026-01-01T00:00:01Z",
            "conditions": [
                {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:09Z", "reason": "x"},
            ],
            "containerStatuses": [{
                "name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 1, "lastState": {},
                "state": {"terminated": {"exitCode": -1, "signal": 9, "reason": "Error", "message": "last words",
                    "startedAt": "2026-01-01T00:00:05Z", "finishedAt": "2026-01-01T00:00:09Z"}},
            }],
        },
    }))
    .unwrap()
}

fn answer(next: &str, pods: &[Vec<u8>]) -> Vec<u8> {
    let head = block(1, [block(1, b""), block(2, "99"), block(3, next), number(4, 7)].concat());
    let list = [head, pods.iter().map(|pod| block(2, pod)).collect::<Vec<_>>().concat()].concat();
    let kind = block(1, [block(1, "v1"), block(2, "PodList")].concat());
    [MAGIC.to_vec(), kind, block(2, list), block(3, b""), block(4, b"")].concat()
}

/// Decodes a list that arrives in pieces of this size.
fn read(bytes: &[u8], size: usize) -> Result<(Vec<String>, bool), Malformed> {
    let (mut list, mut told) = (PodList::default(), Vec::new());
    for piece in bytes.chunks(size) {
        list.push(piece);
        while let Some(part) = list.next_part()? {
            told.push(match part {
                PodListPart::Head { next } => format!("next {next:?}"),
                PodListPart::Pod(pod) => format!("{pod:?}"),
            });
        }
    }
    Ok((told, list.is_complete()))
}

#[test]
fn a_pod_decodes_as_from_json() {
    let bytes = answer("token", &[failed_pod("j-3-abcde"), failed_pod("j-3-fghij")]);
    let records = ["j-3-abcde", "j-3-fghij"].map(|name| format!("{:?}", failed_record(name)));
    let expected = [vec!["next Some(\"token\")".to_owned()], records.to_vec()].concat();
    for size in [1, 2, 3, 7, 100, bytes.len()] {
        assert_eq!(read(&bytes, size), Ok((expected.clone(), true)), "in pieces of {size}");
    }
}

#[test]
fn a_list_can_be_empty_and_can_break_off() {
    assert_eq!(read(&answer("", &[]), 5), Ok((vec!["next None".to_owned()], true)));
    let whole = answer("", &[failed_pod("a")]);
    for end in 0..whole.len() - 4 {
        let (told, complete) = read(&whole[..end], 50).unwrap();
        assert!(told.len() < 2 && !complete, "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..400, flip in any::<u8>()) {
        let _ = read(&bytes, 9);
        let _ = read(&[MAGIC, &bytes].concat(), 9);
        let mut whole = answer("token", &[failed_pod("a")]);
        let at = at % whole.len();
        whole[at] ^= flip;
        let _ = read(&whole, 64);
    }
}
