//! Requests to the API server without any fault, to prepare and to check.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

/// One namespace, through `kubectl proxy`.
#[derive(Clone, Copy)]
pub(crate) struct Api<'a> {
    pub(crate) port: u16,
    pub(crate) namespace: &'a str,
}

impl Api<'_> {
    /// Sends a request, and returns the status and the body of the response. Repeats it if the server or node is busy.
    fn send(self, method: &str, path: &str, body: &str) -> (u16, String) {
        for _ in 0..20 {
            let answer = self.send_once(method, path, body);
            if answer.0 < 500 {
                return answer;
            }
            sleep(Duration::from_millis(500));
        }
        self.send_once(method, path, body)
    }

    fn send_once(self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut server = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // HTTP/1.0 has no chunks: the body ends with the connection.
        write!(
            server,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn read(self, path: &str) -> Option<Value> {
        let (status, body) = self.send("GET", path, "");
        assert!(status == 200 || status == 404, "GET {path}: {status} {body}");
        (status == 200).then(|| serde_json::from_str(&body).unwrap())
    }

    fn path(self, resource: &str) -> String {
        let group = if resource.starts_with("jobs") { "apis/batch/v1" } else { "api/v1" };
        format!("/{group}/namespaces/{}/{resource}", self.namespace)
    }

    pub(crate) fn job(self, name: &str) -> Option<Value> {
        self.read(&self.path(&format!("jobs/{name}")))
    }

    /// Returns all objects of a kind.
    pub(crate) fn list(self, resource: &str) -> Vec<Value> {
        let list = self.read(&self.path(resource)).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// Returns the log of a Pod, as its node has it.
    pub(crate) fn log(self, pod: &str) -> String {
        let (status, body) = self.send("GET", &self.path(&format!("pods/{pod}/log")), "");
        assert_eq!(status, 200, "the log of {pod}: {body}");
        body
    }

    pub(crate) fn create_job(self, job: &Value) {
        let (status, body) = self.send("POST", &self.path("jobs"), &job.to_string());
        // The response of an earlier attempt may have been lost.
        assert!(status == 201 || status == 409, "{body}");
    }

    /// Deletes a Job, if it exists, with all objects that it owns.
    pub(crate) fn delete_job(self, name: &str) {
        let options = json!({"propagationPolicy": "Background"});
        self.send("DELETE", &self.path(&format!("jobs/{name}")), &options.to_string());
    }
}

/// Returns true if a Job has completed, false if it has failed, and `None` while it runs.
pub(crate) fn outcome(job: &Value) -> Option<bool> {
    let is_true = |kind: &str| {
        let conditions = job["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == kind && one["status"] == "True"))
    };
    if is_true("Complete") { Some(true) } else { is_true("Failed").then_some(false) }
}
