use serde_json::{from_value, json};

use super::*;
use crate::state::Event;
use crate::state::row::SucceededRows;

/// A running Job of a thousand indexes, with a failed one behind many that wait.
fn state() -> JobState {
    let job = json!({
        "metadata": {"name": "j", "uid": "u", "labels": {"kueue.x-k8s.io/queue-name": "q"}},
        "spec": {"completions": 1000, "parallelism": 10, "completionMode": "Indexed", "backoffLimitPerIndex": 2,
            "maxFailedIndexes": 5, "podReplacementPolicy": "Failed", "template": {"spec": {"activeDeadlineSeconds": 90, "containers": []}},
            "podFailurePolicy": {"rules": [
                {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3, 7, 8, 9]}},
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
            ]}},
        "status": {"startTime": "2026-01-01T00:00:00Z", "completedIndexes": "0-99", "failedIndexes": "900"},
    });
    let mut state = JobState::new(from_value(job).unwrap());
    let mut add = |index: u32, status: &serde_json::Value| {
        let pod = json!({
            "metadata": {"name": format!("j-{index}-abcde"), "uid": format!("{index}"), "annotations":
                {"batch.kubernetes.io/job-completion-index": index.to_string()}},
            "spec": {"nodeName": "n", "restartPolicy": "Never"}, "status": status,
        });
        state.apply(Event::Pod(Box::new(from_value(pod).unwrap())));
    };
    let container = |state: &serde_json::Value| json!([{"name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state}]);
    let end = json!({"terminated": {"exitCode": 3, "reason": "Error", "startedAt": "2026-01-01T00:00:01Z",
        "finishedAt": "2026-01-01T00:00:03Z", "message": "no room"}});
    add(900, &json!({"phase": "Failed", "containerStatuses": container(&end)}));
    add(500, &json!({"phase": "Failed", "containerStatuses": container(&end)}));
    let run = json!({"running": {"startedAt": "2026-01-01T00:09:00Z"}});
    add(400, &json!({"phase": "Running", "containerStatuses": container(&run)}));
    let wait = json!({"waiting": {"reason": "ImagePullBackOff", "message": "x: not found"}});
    add(300, &json!({"phase": "Pending", "containerStatuses": container(&wait)}));
    state
}

#[test]
fn failed_and_active_indexes_come_first() {
    let now = "2026-01-01T00:10:00Z".parse().unwrap();
    let state = state();
    let chosen = worth_reading(&state);
    assert_eq!(chosen.to_string(), "100-120,300,400,500,900");
    let rows = state.rows(&chosen, &mut SucceededRows::default());
    let items = ItemTexts::from_iter([(900, "an item that is longer than a column can be".to_owned())]);
    let text = indexed(&state, &rows, &items, now, Wording::default());
    let is_waiting = |line: &&str| line.contains("Pending    0 ");
    let shown: Vec<_> = text.lines().filter(|line| !is_waiting(line)).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    Indexed:
      Status:           Running
      Queue:            q
      Completed:        0-99  (100)
      Failed:           900  (1)
      Running:          400  (1)
      Pending:          100-399,401-899,901-999  (898)
      Retries:          2 for each index
      Max Failed:       5 indexes
      Index Timeout:    90s for each attempt
      On Pod Failure:   FailIndex on exit code In 3,7-9
      On Pod Failure:   Ignore on DisruptionTarget=True
      Pod Replacement:  Failed
      Conditions:  <none>
      Indexes:
        INDEX   ITEM                                       STATUS     ATTEMPTS   EXIT   REASON             NODE   DURATION
        900     an item that is longer than a column ca…   Failed     1          3      Error              n      2s
        400     -                                          Running    1          -      -                  n      60s
        300     -                                          Starting   1          -      ImagePullBackOff   n      -
        500     -                                          Retrying   1          3      Error              n      2s
        975 more, see kubectl indexed indexes j
    ");
    assert_eq!(text.lines().filter(is_waiting).count(), 21);
}

#[test]
fn many_that_succeeded_need_no_table() {
    let job = json!({
        "metadata": {"name": "words", "uid": "u"},
        "spec": {"completions": 1000, "completionMode": "Indexed", "template": {}},
        "status": {"completedIndexes": "0-999", "conditions": [{"type": "Complete", "status": "True"}]},
    });
    let state = JobState::new(from_value(job).unwrap());
    let (chosen, items) = (worth_reading(&state), ItemTexts::new());
    assert!(chosen.is_empty());
    let now = "2026-01-01T00:10:00Z".parse().unwrap();
    let text = indexed(&state, &[], &items, now, Wording::default());
    assert!(text.ends_with("\n  Indexes:  all succeeded, see kubectl indexed indexes words\n"), "{text}");
}
