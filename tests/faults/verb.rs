//! The commands that are tried, what each needs in the cluster, and what it promises.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::{Api, outcome};

/// The finished Job that every verb reads that only reads. A retry of it completed what had failed.
pub(crate) const DONE: &str = "done";

/// One command. In its arguments `JOB` stands for the Job of the cell and `DIR` for a folder of its own.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    pub(crate) args: &'static [&'static str],
    pub(crate) stage: Stage,
    pub(crate) promise: Promise,
}

/// What is in the cluster before the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No Job of this name.
    New,
    /// Only what all cells share: [`DONE`] and its retry.
    Done,
    /// A Job that has just begun.
    Running,
    /// A Job whose Pods find no node.
    Pending,
    /// A suspended Job.
    Suspended,
    /// A Job that failed without having run.
    NeverRan,
    /// A Job whose only index failed.
    Failed,
}

/// What has come about when the command ends with 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// The output is that of the same command without a fault.
    SameOutput,
    /// The output has the lines of all indexes of this Job, and the Job has completed. The retry of a Job is `JOB-r1`.
    Lines(&'static str),
    /// As `Lines`, and the folder has the same.
    LinesAndFolder,
    /// The folder has what each index wrote.
    Folder,
    /// The last row of each index tells that it succeeded, and the Job has completed.
    Rows,
    /// The Job has completed.
    Completed,
    /// This Job was created with all that it needs, and is let run.
    Submitted(&'static str),
    /// `.spec` of the Job has this value.
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
    /// The arguments for one cell; `more` goes before a command of the worker.
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

    /// The Job of which it reads, or that it makes.
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
