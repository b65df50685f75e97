//! The tested commands, the objects that each needs in the cluster, and its promise.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::{Api, outcome};

/// The finished Job that all reading verbs share. Its failed index succeeded in a retry.
pub(crate) const DONE: &str = "done";

/// One command. In its arguments, `JOB` is the Job of the cell and `DIR` is its folder.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    pub(crate) args: &'static [&'static str],
    pub(crate) stage: Stage,
    pub(crate) promise: Promise,
}

/// The state of the cluster before the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No Job of this name.
    New,
    /// Only the shared Job [`DONE`] and its retry.
    Done,
    /// A Job that has just started.
    Running,
    /// A Job whose Pods fit no node.
    Pending,
    /// A suspended Job.
    Suspended,
    /// A Job that failed before it ran.
    NeverRan,
    /// A Job whose only index failed.
    Failed,
}

/// What holds after exit code 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// The output equals that of the same command without a fault.
    SameOutput,
    /// The output has the lines of all indexes of this Job, and the Job has completed. The retry of a Job is `JOB-r1`.
    Lines(&'static str),
    /// As `Lines`, and the folder has the same lines.
    LinesAndFolder,
    /// The folder has the output of each index.
    Folder,
    /// The last row of each index says `Succeeded`, and the Job has completed.
    Rows,
    /// The Job has completed.
    Completed,
    /// This Job was created with all its ConfigMaps, and released.
    Submitted(&'static str),
    /// This field of `.spec` has this value.
    Spec(&'static str, &'static str),
    Deleted,
}

pub(crate) const WORKER: &str = "echo a; echo b";

pub(crate) const VERBS: &[Verb] = &[
    Verb {
        name: "run",
        args: &["run", "JOB", "--completions", "2", "--", "sh", "-c", WORKER],
        stage: Stage::New,
        promise: Promise::Lines("JOB"),
    },
    Verb {
        name: "run --items",
        args: &["run", "JOB", "--items", "x,y", "--", "sh", "-c", "echo a; echo {}"],
        stage: Stage::New,
        promise: Promise::Lines("JOB"),
    },
    Verb {
        name: "run --results",
        args: &["run", "JOB", "--items", "x,y", "--results", "DIR", "--", "sh", "-c", WORKER],
        stage: Stage::New,
        promise: Promise::LinesAndFolder,
    },
    Verb {
        name: "run -d",
        args: &["run", "JOB", "--items", "x,y", "-d", "--node-selector", "no=where", "--", "rev"],
        stage: Stage::New,
        promise: Promise::Submitted("JOB"),
    },
    Verb {
        name: "run --resume",
        args: &["run", "JOB", "--resume", DONE, "--items", "x,y,z", "--", "sh", "-c", WORKER],
        stage: Stage::New,
        promise: Promise::Lines("JOB"),
    },
    Verb { name: "logs", args: &["logs", DONE], stage: Stage::Done, promise: Promise::SameOutput },
    Verb { name: "logs -f", args: &["logs", "-f", "JOB"], stage: Stage::Running, promise: Promise::Lines("JOB") },
    Verb { name: "results", args: &["results", DONE], stage: Stage::Done, promise: Promise::SameOutput },
    Verb {
        name: "results -o csv",
        args: &["results", DONE, "-o", "csv"],
        stage: Stage::Done,
        promise: Promise::SameOutput,
    },
    Verb {
        name: "results --to",
        args: &["results", DONE, "--to", "DIR"],
        stage: Stage::Done,
        promise: Promise::Folder,
    },
    Verb {
        name: "results -f",
        args: &["results", "-f", "JOB", "--to", "DIR"],
        stage: Stage::Running,
        promise: Promise::Folder,
    },
    Verb { name: "indexes", args: &["indexes", DONE], stage: Stage::Done, promise: Promise::SameOutput },
    Verb { name: "indexes -w", args: &["indexes", "-w", "JOB"], stage: Stage::Running, promise: Promise::Rows },
    Verb { name: "wait", args: &["wait", "JOB"], stage: Stage::Running, promise: Promise::Completed },
    Verb { name: "wait (family)", args: &["wait", DONE], stage: Stage::Done, promise: Promise::SameOutput },
    Verb { name: "describe", args: &["describe", DONE], stage: Stage::Done, promise: Promise::SameOutput },
    Verb { name: "list", args: &["list"], stage: Stage::Done, promise: Promise::SameOutput },
    Verb { name: "watch", args: &["watch", "JOB", "--plain"], stage: Stage::Running, promise: Promise::Rows },
    Verb {
        name: "retry",
        args: &["retry", "JOB", "--", "sh", "-c", WORKER],
        stage: Stage::Failed,
        promise: Promise::Lines("JOB-r1"),
    },
    Verb {
        name: "retry -d",
        args: &["retry", "JOB", "-d"],
        stage: Stage::NeverRan,
        promise: Promise::Submitted("JOB-r1"),
    },
    Verb {
        name: "suspend",
        args: &["suspend", "JOB"],
        stage: Stage::Pending,
        promise: Promise::Spec("suspend", "true"),
    },
    Verb {
        name: "resume",
        args: &["resume", "JOB"],
        stage: Stage::Suspended,
        promise: Promise::Spec("suspend", "false"),
    },
    Verb {
        name: "scale",
        args: &["scale", "JOB", "--parallelism", "7"],
        stage: Stage::Suspended,
        promise: Promise::Spec("parallelism", "7"),
    },
    Verb { name: "delete", args: &["delete", "JOB"], stage: Stage::Pending, promise: Promise::Deleted },
    Verb { name: "version", args: &["version"], stage: Stage::Done, promise: Promise::SameOutput },
];

impl Verb {
    /// Returns the arguments for one cell, with `more` after the verb.
    pub(crate) fn arguments(&self, job: &str, folder: &str, more: &[&str]) -> Vec<String> {
        let filled = |arg: &&str| match *arg {
            "JOB" => job.to_owned(),
            "DIR" => folder.to_owned(),
            arg => arg.to_owned(),
        };
        let mut args: Vec<_> = self.args.iter().map(filled).collect();
        args.splice(1..1, more.iter().map(|&arg| arg.to_owned()));
        args
    }

    /// Returns the name of the Job that the command reads or creates.
    pub(crate) fn subject(&self, job: &str) -> String {
        match (self.promise, self.stage) {
            (Promise::Lines(name) | Promise::Submitted(name), _) => name.replace("JOB", job),
            (_, Stage::Done) => DONE.to_owned(),
            _ => job.to_owned(),
        }
    }
}

/// Prepares the cluster for one cell.
pub(crate) fn prepare(stage: Stage, job: &str, api: Api<'_>) {
    let spec = match stage {
        Stage::New | Stage::Done => return,
        Stage::Running => json!({"command": "echo a; sleep 2; echo b", "completions": 2}),
        Stage::Pending => json!({"completions": 2, "nodeSelector": {"no": "where"}}),
        Stage::Suspended => json!({"completions": 2, "nodeSelector": {"no": "where"}, "suspend": true}),
        Stage::NeverRan => json!({"completions": 2, "nodeSelector": {"no": "where"}, "activeDeadlineSeconds": 1}),
        Stage::Failed => json!({"command": "exit 1", "completions": 1}),
    };
    api.create_job(&manifest(job, &spec));
    if matches!(stage, Stage::NeverRan | Stage::Failed) {
        let limit = Instant::now() + Duration::from_secs(180);
        while api.job(job).as_ref().and_then(outcome) != Some(false) {
            assert!(Instant::now() < limit, "waited three minutes for the failure of {job}");
            sleep(Duration::from_millis(200));
        }
    }
}

fn manifest(name: &str, spec: &Value) -> Value {
    let command = spec["command"].as_str().unwrap_or("true");
    let mut job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "completions": spec["completions"],
            "parallelism": spec["completions"],
            "completionMode": "Indexed",
            "backoffLimit": 0,
            "template": {"spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "worker", "image": "docker.io/library/busybox", "command": ["sh", "-c", command]}],
            }},
        },
    });
    for field in ["suspend", "activeDeadlineSeconds"] {
        if let Some(value) = spec.get(field) {
            job["spec"][field] = value.clone();
        }
    }
    if let Some(selector) = spec.get("nodeSelector") {
        job["spec"]["template"]["spec"]["nodeSelector"] = selector.clone();
    }
    job
}
