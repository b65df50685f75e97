//! Checks after a command with an injected fault.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::Value;

use crate::api::{Api, outcome};
use crate::fault::{Fault, MARK};
use crate::proxy::Injection;
use crate::support::{Cluster, Outcome};
use crate::verb::{DONE, Promise, Stage, Verb};

/// The outcome of a cell, and access to the objects and files that it left.
pub(crate) struct Traces<'a> {
    pub(crate) verb: &'a Verb,
    pub(crate) job: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) outcome: &'a Outcome,
    /// The outcome of the same command without a fault.
    pub(crate) clean: &'a Outcome,
    pub(crate) api: Api<'a>,
    pub(crate) cluster: &'a Cluster,
}

/// Index and text of each line, and its number of occurrences.
type Lines = BTreeMap<(String, String), usize>;

/// Returns a sentence for each problem after a command.
pub(crate) fn find_problems(traces: &Traces<'_>, injection: &Injection) -> Vec<String> {
    let Outcome { stdout, stderr, code } = traces.outcome;
    let mut problems = Vec::new();
    let mut check = |is_right: bool, problem: &str| {
        if !is_right {
            problems.push(problem.to_owned());
        }
    };
    check(*code != 124 && *code != 137, "it did not end in time");
    check(*code != 101 && !stderr.contains("panicked at"), "it panicked");
    check(!stdout.contains(MARK), "an injected answer is in its output");
    if matches!(code, 124 | 137 | 101) {
        return problems;
    }
    if *code == 0 {
        // Without permission to read something, the program omits it and prints a warning.
        let is_partial = injection.fault == Fault::Forbidden && stderr.contains("warning: ");
        if !is_partial {
            problems.extend(find_missing(traces).into_iter().map(|missing| format!("exit code 0, but {missing}")));
        }
    } else {
        check(stderr.contains("error: "), "it failed without an error");
        check(stderr.contains("hint: "), "it failed without a hint");
        let must_survive = !injection.lasts && injection.fault.must_be_survived(&injection.call);
        check(!must_survive, "it gave up");
        problems.extend(find_silence(traces));
    }
    problems.extend(find_doubled(traces));
    problems.extend(find_orphans(traces));
    problems.extend(find_lasting_harm(traces, injection));
    problems
}

/// Returns the first promise of the verb that does not hold.
pub(crate) fn find_missing(traces: &Traces<'_>) -> Option<String> {
    let Traces { verb, job, outcome: Outcome { stdout, .. }, clean, api, .. } = traces;
    let subject = verb.subject(job);
    match verb.promise {
        Promise::SameOutput => {
            let (ours, theirs) = (mask(stdout), mask(&clean.stdout));
            (ours != theirs).then(|| {
                format!("the output differs from the run without a fault: {}", first_difference(&ours, &theirs))
            })
        }
        Promise::Lines(_) => incomplete(*api, &subject).or_else(|| wrong_lines(traces)),
        Promise::LinesAndFolder => {
            incomplete(*api, &subject).or_else(|| wrong_lines(traces)).or_else(|| wrong_folder(traces))
        }
        Promise::Folder => wrong_folder(traces),
        Promise::Rows => incomplete(*api, &subject).or_else(|| wrong_rows(stdout)),
        Promise::Completed => incomplete(*api, &subject),
        Promise::Submitted(_) => not_submitted(*api, &subject),
        Promise::Spec(field, value) => {
            let is = api.job(&subject).map(|job| job["spec"][field].to_string());
            (is.as_deref() != Some(value)).then(|| format!("{field} is {is:?}"))
        }
        Promise::Deleted => {
            let job = api.job(&subject)?;
            job["metadata"]["deletionTimestamp"].is_null().then(|| "the job is not deleted".to_owned())
        }
    }
}

fn incomplete(api: Api<'_>, job: &str) -> Option<String> {
    let Some(job) = api.job(job) else { return Some("there is no such job".to_owned()) };
    (outcome(&job) != Some(true)).then(|| "the job has not completed".to_owned())
}

/// Returns why a Job is not submitted completely: it is missing, held back, or lacks a ConfigMap.
fn not_submitted(api: Api<'_>, name: &str) -> Option<String> {
    let Some(job) = api.job(name) else { return Some("there is no such job".to_owned()) };
    if job["spec"]["suspend"] == true || !job["metadata"]["annotations"]["kubectl-indexed/submitting"].is_null() {
        return Some("the job is held back".to_owned());
    }
    let missing = |list: &str| api.list("configmaps").iter().all(|one| one["metadata"]["name"] != list);
    let lists = job["metadata"]["annotations"]["kubectl-indexed/item-configmaps"].as_str();
    let lists = lists.into_iter().flat_map(|lists| lists.split(',')).filter_map(|list| list.split(':').next());
    lists.into_iter().find(|list| missing(list)).map(|list| format!("configmap {list} is not there"))
}

/// Returns the log of each index of a Job, as its nodes have it.
fn node_logs(api: Api<'_>, job: &str) -> BTreeMap<String, String> {
    let pods = api.list(&format!("pods?labelSelector=batch.kubernetes.io%2Fjob-name%3D{job}"));
    let index = |pod: &Value| {
        let index = pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"].as_str();
        index.unwrap_or_default().to_owned()
    };
    pods.iter().map(|pod| (index(pod), api.log(pod["metadata"]["name"].as_str().unwrap()))).collect()
}

/// Counts the lines of a followed Job. A line without a prefix belongs to the only index.
fn printed_lines(stdout: &str) -> Lines {
    let mut lines = Lines::new();
    for line in stdout.lines() {
        let prefixed = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
        let (index, text) = prefixed.map_or(("0", line), |(prefix, text)| (prefix.split(' ').next().unwrap(), text));
        *lines.entry((index.to_owned(), text.to_owned())).or_default() += 1;
    }
    lines
}

fn node_lines(api: Api<'_>, job: &str) -> Lines {
    let mut lines = Lines::new();
    for (index, log) in node_logs(api, job) {
        for line in log.lines() {
            *lines.entry((index.clone(), line.to_owned())).or_default() += 1;
        }
    }
    lines
}

fn wrong_lines(traces: &Traces<'_>) -> Option<String> {
    let expected = node_lines(traces.api, &traces.verb.subject(traces.job));
    let printed = printed_lines(&traces.outcome.stdout);
    (printed != expected).then(|| format!("the lines are {printed:?} and not {expected:?}"))
}

fn wrong_rows(stdout: &str) -> Option<String> {
    let last = |index: &str| {
        let of_index = |line: &&str| line.split_whitespace().next() == Some(index);
        stdout.lines().rfind(of_index).unwrap_or_default().to_owned()
    };
    ["0", "1"]
        .map(last)
        .into_iter()
        .find(|row| !row.contains("Succeeded"))
        .map(|row| format!("the last row is {row:?}"))
}

fn wrong_folder(traces: &Traces<'_>) -> Option<String> {
    let mut expected = node_logs(traces.api, &traces.verb.subject(traces.job));
    if traces.verb.stage == Stage::Done {
        // Index 1 succeeded in the retry.
        let retried = node_logs(traces.api, &format!("{DONE}-r1")).remove("0").unwrap();
        expected.insert("1".to_owned(), retried);
    }
    let written = |index: &str| std::fs::read_to_string(traces.folder.join(format!("{index}.out"))).ok();
    let wrong = expected.iter().map(|(index, log)| (index, log, written(index)));
    let wrong = wrong.into_iter().find(|(_, log, written)| written.as_ref() != Some(log));
    wrong.map(|(index, log, written)| format!("{index}.out is {written:?} and not {log:?}"))
}

/// Returns an effect in the cluster that the error of a failed command does not mention.
fn find_silence(traces: &Traces<'_>) -> Option<String> {
    let Traces { verb, job, outcome: Outcome { stderr, code, .. }, api, .. } = traces;
    let subject = verb.subject(job);
    let says = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
    match verb.promise {
        Promise::Spec(..) | Promise::Deleted => {
            let is_done = find_missing(traces).is_none();
            (is_done && !says(&["may ", "being deleted", "goes on"]))
                .then(|| "the change was made, and the error does not say so".to_owned())
        }
        _ if matches!(verb.stage, Stage::New | Stage::Failed | Stage::NeverRan) => {
            let job = api.job(&subject)?;
            if *code == 2 {
                Some("exit code 2, and a job was created".to_owned())
            } else if !job["metadata"]["deletionTimestamp"].is_null() || self::outcome(&job).is_some() {
                None
            } else if job["spec"]["suspend"] == true {
                (!says(&["suspended", "held back"]))
                    .then(|| "a suspended job is left behind, and the error does not say so".to_owned())
            } else {
                (!says(&["goes on", "may "])).then(|| "the job runs, and the error does not say so".to_owned())
            }
        }
        _ => None,
    }
}

/// Returns lines that were printed twice and Jobs that were created twice.
fn find_doubled(traces: &Traces<'_>) -> Vec<String> {
    let Traces { verb, job, outcome: Outcome { stdout, .. }, api, .. } = traces;
    let mut problems = Vec::new();
    if verb.stage == Stage::Done {
        // A failed command may print less, but never more.
        if verb.promise == Promise::SameOutput && ["logs", "results"].contains(&verb.name) {
            let whole = printed_lines(&traces.clean.stdout);
            let is_more = |(line, count): (&_, &usize)| whole.get(line).is_none_or(|most| count > most);
            if printed_lines(stdout).iter().any(is_more) {
                problems.push("it printed wrong lines, or a line twice".to_owned());
            }
        }
        return problems;
    }
    if matches!(verb.promise, Promise::Lines(_) | Promise::LinesAndFolder)
        && printed_lines(stdout).values().any(|count| *count > 1)
    {
        problems.push("it printed a line twice".to_owned());
    }
    let begins = format!("{job}-r");
    let jobs = api.list("jobs");
    let retries = jobs.iter().filter(|job| job["metadata"]["name"].as_str().unwrap().starts_with(&begins)).count();
    if retries > 1 {
        problems.push(format!("there are {retries} retries"));
    }
    problems
}

/// Returns ConfigMaps of items that belong to no Job.
fn find_orphans(traces: &Traces<'_>) -> Vec<String> {
    let Traces { verb, job, api, .. } = traces;
    if verb.stage == Stage::Done {
        return Vec::new();
    }
    let begins = format!("{job}-");
    let lists = api.list("configmaps");
    let own = lists.iter().filter(|list| list["metadata"]["name"].as_str().unwrap().starts_with(&begins));
    let orphans = own.filter(|list| list["metadata"]["ownerReferences"][0]["uid"].is_null());
    orphans.map(|list| format!("configmap {} belongs to no job", list["metadata"]["name"])).collect()
}

/// Runs the same command again without a fault, and returns what it does not repair: a folder of results after any fault, and
/// a change after an error.
fn find_lasting_harm(traces: &Traces<'_>, injection: &Injection) -> Option<String> {
    let Traces { verb, job, folder, outcome, api, cluster, .. } = traces;
    let gathers = verb.promise == Promise::Folder;
    // `run` wants a folder without results.
    let changes = outcome.code != 0 && injection.call.is_write_or_trial() && verb.promise != Promise::LinesAndFolder;
    if !gathers && !changes {
        return None;
    }
    let is_being_deleted = || api.job(job).is_some_and(|job| !job["metadata"]["deletionTimestamp"].is_null());
    let limit = Instant::now() + Duration::from_secs(30);
    while is_being_deleted() && Instant::now() < limit {
        sleep(Duration::from_millis(200));
    }
    let args = verb.arguments(job, folder.to_str().unwrap(), &["-n", cluster.namespace()]);
    let again = cluster.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let ended = [" has completed", "there is no job "].iter().any(|text| again.stderr.contains(text));
    if again.code != 0 && !(changes && ended) {
        return Some(format!("the same command again fails: {}", again.stderr.trim_end()));
    }
    let wrong = if gathers { wrong_folder(traces) } else { None };
    wrong.map(|wrong| format!("the same command again does not repair it: {wrong}"))
}

/// Removes ages and the widths of columns: they change from one second to the next.
fn mask(text: &str) -> Vec<String> {
    let age = Regex::new(r"\b(\d+[dhms])+\b").unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(|line| words(&age.replace_all(line, "T"))).collect()
}

fn first_difference(ours: &[String], theirs: &[String]) -> String {
    let lines = ours.len().max(theirs.len());
    let differs = (0..lines).find(|&line| ours.get(line) != theirs.get(line)).unwrap_or_default();
    format!("{:?} in place of {:?}", ours.get(differs), theirs.get(differs))
}
