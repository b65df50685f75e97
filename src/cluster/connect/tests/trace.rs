//! The output of `-v`.

use std::sync::{Arc, Mutex};

use super::fake::{Fake, FakeAnswer, Machine};
use crate::cluster::Cluster;
use crate::cluster::connect::{ConnectOptions, Trace};

/// Returns the lines of one request at a level, without prefixes and times.
async fn traced(level: u8) -> String {
    let answer = || {
        let headers =
            vec![("Set-Cookie", "session=s3cret".to_owned()), ("Content-Type", "application/json".to_owned())];
        FakeAnswer::Reply(200, headers, br#"{"metadata": {}, "items": []}"#.to_vec())
    };
    let server = Fake::start(move |_, _| answer()).await;
    let machine = Machine::new();
    machine.config(&format!("{{server: 'http://ann:s3cret@{}'}}", server.address), "{}");
    let lines: Arc<Mutex<String>> = Arc::default();
    let hook = {
        let lines = Arc::clone(&lines);
        move |text: &str| {
            let (_, text) = text.split_once(" kubectl-indexed] ").unwrap();
            let text = match text.split_once(" milliseconds=") {
                Some((start, _)) => format!("{start} milliseconds=…"),
                None => text.to_owned(),
            };
            lines.lock().unwrap().push_str(&(text + "\n"));
        }
    };
    let trace = Trace { level, hook: Some(Arc::new(hook)) };
    let cluster: Cluster = machine.connect(&ConnectOptions { trace, ..ConnectOptions::default() }).unwrap();
    cluster.client.list_core_api_versions().await.unwrap();
    let text = lines.lock().unwrap().replace(&server.address.to_string(), "HOST");
    assert!(!text.contains("s3cret"), "{text}");
    text
}

#[tokio::test]
async fn each_level_prints_what_kubectl_prints() {
    assert_eq!(traced(5).await, "");
    let address = r#"verb="GET" url="http://HOST/api""#;
    let answer = "\tContent-Length: 29\n\tContent-Type: application/json\n\tSet-Cookie: <masked>\n >";
    let body = "\"Response Body\" body=\"{\\\"metadata\\\": {}, \\\"items\\\": []}\"\n";
    let login = "\tAuthorization: Basic <masked>\n >";
    assert_eq!(traced(6).await, format!("\"Response\" {address} status=\"200 OK\" milliseconds=…\n"));
    let request = format!("\"Request\" {address} headers=<\n{login}\n");
    assert_eq!(traced(7).await, format!("{request}\"Response\" status=\"200 OK\" milliseconds=…\n"));
    let empty = "\"Request Body\" body=\"\"\n";
    let response = format!("status=\"200 OK\" headers=<\n{answer} milliseconds=…\n{body}");
    assert_eq!(traced(8).await, format!("{empty}{request}\"Response\" {response}"));
    let curl = "curl -v -XGET  -H \"Authorization: Basic <masked>\" 'http://HOST/api'";
    let request = format!("\"Request\" curlCommand=<\n\t{curl}\n >\n");
    assert_eq!(traced(9).await, format!("{empty}{request}\"Response\" {address} {response}"));
}
