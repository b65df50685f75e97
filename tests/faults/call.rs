//! The kinds of calls that the program makes to the API server.

/// One kind of call. The server answers two calls with the same name in the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Call(pub(crate) String);

impl Call {
    /// Names a call after its method and the path and query of its URL.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let has = |part: &str| query.split('&').any(|pair| pair == part);
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let resource = match segments.as_slice() {
            ["api" | "apis"] => return Self(format!("{method} API groups")),
            ["api", _, "namespaces", _, rest @ ..]
            | ["apis", _, _, "namespaces", _, rest @ ..]
            | ["api", _, rest @ ..]
            | ["apis", _, _, rest @ ..]
            | rest => rest,
        };
        let name = match (method, resource) {
            ("GET", ["jobs" | "pods" | "configmaps" | "events"]) => {
                let verb = if has("watch=true") { "WATCH" } else { "LIST" };
                format!("{verb} {}{}", resource[0], selection(query))
            }
            (_, [_, _, "log"]) => {
                let which = [("follow=true", " -f"), ("previous=true", " --previous"), ("tailLines=1", " --tail=1")];
                let which: String = which.iter().filter(|(part, _)| has(part)).map(|(_, flag)| *flag).collect();
                format!("GET log{which}")
            }
            (_, [plural, ..]) => format!("{method} {}", plural.trim_end_matches('s')),
            (_, []) => format!("{method} /"),
        };
        let dry_run = if has("dryRun=All") { " (dry run)" } else { "" };
        Self(name + dry_run)
    }

    pub(crate) fn is_watch(&self) -> bool {
        self.0.starts_with("WATCH ")
    }

    /// Returns whether the response lasts until the watched object or log ends.
    pub(crate) fn is_stream(&self) -> bool {
        self.is_watch() || self.0.starts_with("GET log -f")
    }

    /// Returns whether its method can change something; includes dry runs.
    pub(crate) fn is_write_or_trial(&self) -> bool {
        !["GET ", "LIST ", "WATCH "].iter().any(|method| self.0.starts_with(method))
    }

    /// Returns whether the server stores nothing.
    pub(crate) fn is_read(&self) -> bool {
        !self.is_write_or_trial() || self.0.ends_with(" (dry run)")
    }
}

/// Names the objects of a collection that a query selects.
fn selection(query: &str) -> &'static str {
    if query.contains("fieldSelector=metadata.name") {
        " by name"
    } else if query.contains("fieldSelector=status.phase") {
        " by phase"
    } else if query.contains("fieldSelector=involvedObject.kind%3DPod") {
        " of Pods"
    } else {
        ""
    }
}

#[test]
fn a_call_is_named_after_its_request() {
    let cases = [
        ("GET", "/version", "GET version"),
        ("GET", "/apis", "GET API groups"),
        ("GET", "/apis/batch/v1/namespaces/n/jobs?&labelSelector=a", "LIST jobs"),
        ("GET", "/apis/batch/v1/jobs?&watch=true", "WATCH jobs"),
        ("GET", "/apis/batch/v1/namespaces/n/jobs?fieldSelector=metadata.name%3Dx&watch=true", "WATCH jobs by name"),
        ("GET", "/apis/batch/v1/namespaces/n/jobs/x", "GET job"),
        ("POST", "/apis/batch/v1/namespaces/n/jobs?fieldManager=k&dryRun=All", "POST job (dry run)"),
        ("DELETE", "/apis/batch/v1/namespaces/n/jobs/x", "DELETE job"),
        ("GET", "/api/v1/namespaces/n/pods?&fieldSelector=status.phase%21%3DSucceeded", "LIST pods by phase"),
        ("GET", "/api/v1/namespaces/n/pods/x/log?&container=w&follow=true", "GET log -f"),
        ("GET", "/api/v1/namespaces/n/configmaps/x", "GET configmap"),
    ];
    for (method, target, expected) in cases {
        assert_eq!(Call::new(method, target).0, expected, "{method} {target}");
    }
}
