//! Every fault of every call of every verb, on a real Kubernetes, through a proxy that injects the fault.
//!
//! A cell is one command with one injected fault. `tests/faults/all` runs all cells; the test here runs a part that has each
//! call of each verb, and each fault.

mod api;
mod call;
mod check;
mod fault;
mod proxy;
#[path = "../cluster/support.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
mod verb;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use regex::Regex;
use tokio::runtime::Runtime;

use api::Api;
use call::Call;
use check::{Traces, find_problems};
use fault::Fault;
use proxy::{Injection, Proxy};
use support::{Cluster, Outcome, Running};
use verb::{DONE, Stage, VERBS, Verb, prepare};

/// The number of commands that run at once.
const WORKERS: usize = 8;
/// The number of seconds that a command may take.
const LIMIT: &str = "60";
/// The same while the server is unavailable, or silent about the Pods of an ended Job: the program repeats requests for Pods
/// and logs for two minutes, the time of a restart of the server.
const LIMIT_OF_OUTAGE: &str = "180";
/// The number of cells of the representative part.
const PART: usize = 150;
/// The number of attempts for a cell whose call did not come: the number of requests for a watch varies.
const TRIES: usize = 6;

/// The cluster, and everything that cells share.
struct Bench {
    done: Cluster,
    work: Cluster,
    _api_proxy: Running,
    port: u16,
    runtime: Runtime,
    jobs: AtomicUsize,
}

/// The calls and the outcome of a verb without a fault.
struct Record {
    calls: BTreeMap<Call, usize>,
    outcome: Outcome,
}

/// One command and its fault.
struct Cell {
    verb: usize,
    injection: Injection,
}

/// The result of a cell.
struct Verdict {
    problems: Vec<String>,
    outcome: Outcome,
    took: Duration,
}

impl Bench {
    fn new() -> Self {
        let (done, work) = (Cluster::new("faults-done"), Cluster::new("faults"));
        let (api_proxy, port) = work.start_api_proxy();
        let runtime = Runtime::new().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let script = format!("test $JOB_COMPLETION_INDEX = 0 || exit 1; {}", verb::WORKER);
                assert_eq!(done.run(&["run", DONE, "--items", "x,y", "-q", "--", "sh", "-c", &script]).code, 1);
                done.run(&["retry", DONE, "-q", "--", "sh", "-c", verb::WORKER]).ok();
            });
            scope.spawn(|| work.run(&["run", DONE, "--items", "x,y", "-q", "--", "sh", "-c", verb::WORKER]).ok());
        });
        Self { done, work, _api_proxy: api_proxy, port, runtime, jobs: AtomicUsize::new(0) }
    }

    /// Runs a verb once, on its own Job, and returns what `judge` makes of the traces.
    fn run<T>(&self, verb: &Verb, injection: Option<Injection>, judge: impl FnOnce(&Proxy, Traces<'_>) -> T) -> T {
        let cluster = if verb.stage == Stage::Done { &self.done } else { &self.work };
        let api = Api { port: self.port, namespace: cluster.namespace() };
        let is_outage = injection.as_ref().filter(|injection| injection.lasts).is_some_and(|injection| {
            injection.fault == Fault::Unavailable || injection.fault == Fault::Stall && injection.call.0 == "LIST pods"
        });
        let limit = if is_outage { LIMIT_OF_OUTAGE } else { LIMIT };
        let job = format!("c{}", self.jobs.fetch_add(1, Ordering::Relaxed));
        prepare(verb.stage, &job, api);
        let folder = cluster.home().join(&job);
        let proxy = Proxy::start(&self.runtime, self.port, injection);
        let more = ["-s", &proxy.url, "-n", cluster.namespace(), "--request-timeout", "3s"];
        let args = verb.arguments(&job, folder.to_str().unwrap(), &more);
        let mut command = cluster.command("timeout");
        let output =
            command.args(["-k", "2", limit, env!("CARGO_BIN_EXE_kubectl-indexed")]).args(args).output().unwrap();
        let outcome = Outcome::new(&output);
        let traces = Traces { verb, job: &job, folder: &folder, outcome: &outcome, clean: &outcome, api, cluster };
        let judged = judge(&proxy, traces);
        for name in [job.clone(), format!("{job}-r1")].iter().filter(|_| verb.stage != Stage::Done) {
            api.delete_job(name);
        }
        judged
    }

    /// Runs a verb without a fault, and records its calls.
    fn record(&self, verb: &Verb) -> Record {
        self.run(verb, None, |proxy, traces| {
            let outcome = traces.outcome.clone();
            assert_eq!(outcome.code, 0, "{}: {outcome:#?}", verb.name);
            let problem = check::find_missing(&traces);
            assert_eq!(problem, None, "{}: {outcome:#?}", verb.name);
            Record { calls: proxy.calls(), outcome }
        })
    }

    /// Tries one cell.
    fn try_cell(&self, cell: &Cell, record: &Record) -> Verdict {
        let started = Instant::now();
        let verb = &VERBS[cell.verb];
        let mut verdict = None;
        for _ in 0..TRIES {
            let (fired, problems, outcome) = self.run(verb, Some(cell.injection.clone()), |proxy, traces| {
                let traces = Traces { clean: &record.outcome, ..traces };
                let problems = if proxy.fired() > 0 { find_problems(&traces, &cell.injection) } else { Vec::new() };
                (proxy.fired() > 0, problems, traces.outcome.clone())
            });
            if fired {
                verdict = Some((problems, outcome));
                break;
            }
            verdict = Some((vec!["the fault did not fire".to_owned()], outcome));
        }
        let (problems, outcome) = verdict.unwrap();
        Verdict { problems, outcome, took: started.elapsed() }
    }
}

/// Calls `work` with each element on several threads, and returns the results in order.
fn in_parallel<T: Sync, R: Send>(elements: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, R>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::SeqCst)
                    && let Some(element) = elements.get(number)
                {
                    let result = work(element);
                    results.lock().unwrap().insert(number, result);
                }
            });
        }
    });
    results.into_inner().unwrap().into_values().collect()
}

/// Returns all cells: each fault at the first and second occurrence of each call, and each lasting fault.
fn all_cells(records: &[Record]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (verb, record) in records.iter().enumerate() {
        for (call, &count) in &record.calls {
            for fault in Fault::ALL.into_iter().filter(|fault| fault.applies_to(call)) {
                let mut add = |from, lasts| {
                    cells.push(Cell { verb, injection: Injection { call: call.clone(), from, lasts, fault } });
                };
                add(1, false);
                if count > 1 {
                    add(2, false);
                }
                if fault.can_last(call) {
                    add(1, true);
                }
            }
        }
    }
    cells
}

/// Returns a part of the cells that has each call of each verb, and each fault.
fn representative_part(cells: Vec<Cell>) -> Vec<Cell> {
    let mut groups: BTreeMap<(usize, Call), Vec<Cell>> = BTreeMap::new();
    let all = cells.len();
    for cell in cells {
        groups.entry((cell.verb, cell.injection.call.clone())).or_default().push(cell);
    }
    let mut part: Vec<Cell> = Vec::new();
    let mut covered = BTreeMap::<Fault, usize>::new();
    let wanted = PART.max(groups.len()).min(all);
    while part.len() < wanted {
        let missing = wanted - part.len();
        for group in groups.values_mut().filter(|group| !group.is_empty()).take(missing) {
            // The fault that was chosen least often so far.
            let rarest = |number: &usize| covered.get(&group[*number].injection.fault).copied().unwrap_or_default();
            let chosen = (0..group.len()).min_by_key(rarest).unwrap();
            let cell = group.swap_remove(chosen);
            *covered.entry(cell.injection.fault).or_default() += 1;
            part.push(cell);
        }
    }
    part
}

fn describe(cell: &Cell) -> String {
    let Injection { call, from, lasts, fault } = &cell.injection;
    let which = if *lasts { "every".to_owned() } else { format!("no. {from} of") };
    format!("{} | {which} {} | {}", VERBS[cell.verb].name, call.0, fault.name())
}

/// Returns a table of verbs and faults with the number of cells that survived, reported an error, or went wrong.
fn draw_table(cells: &[Cell], verdicts: &[Verdict]) -> String {
    let mut counts: BTreeMap<(usize, Fault), [usize; 3]> = BTreeMap::new();
    for (cell, verdict) in cells.iter().zip(verdicts) {
        let column = if verdict.problems.is_empty() { usize::from(verdict.outcome.code != 0) } else { 2 };
        counts.entry((cell.verb, cell.injection.fault)).or_default()[column] += 1;
    }
    let faults: BTreeSet<_> = counts.keys().map(|(_, fault)| *fault).collect();
    let mut text = "Cells that were survived / reported / wrong\n".to_owned();
    let _ = write!(text, "{:16}", "");
    for fault in &faults {
        let _ = write!(text, "{:>13}", fault.name());
    }
    let tried: BTreeSet<_> = counts.keys().map(|(verb, _)| *verb).collect();
    for number in tried {
        let _ = write!(text, "\n{:16}", VERBS[number].name);
        for fault in &faults {
            let shown = counts
                .get(&(number, *fault))
                .map(|[survived, reported, wrong]| format!("{survived}/{reported}/{wrong}"));
            let _ = write!(text, "{:>13}", shown.unwrap_or_default());
        }
    }
    text
}

#[test]
fn every_fault_is_survived_or_reported() {
    let started = Instant::now();
    let bench = Bench::new();
    let records = in_parallel(VERBS, |verb| bench.record(verb));
    let mut cells = all_cells(&records);
    match std::env::var("KUBECTL_INDEXED_TEST_FAULTS").ok().as_deref() {
        None => cells = representative_part(cells),
        Some("all") => {}
        Some(pattern) => {
            let pattern = Regex::new(pattern).unwrap();
            cells.retain(|cell| pattern.is_match(&describe(cell)));
        }
    }
    // Mixes slow and fast cells.
    fastrand::Rng::with_seed(7).shuffle(&mut cells);
    let done = AtomicUsize::new(0);
    let verdicts = in_parallel(&cells, |cell| {
        let verdict = bench.try_cell(cell, &records[cell.verb]);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        let state = if verdict.problems.is_empty() { "right" } else { "WRONG" };
        let _ = writeln!(
            std::io::stderr(),
            "{done}/{} {state} {:.1}s {}: {}",
            cells.len(),
            verdict.took.as_secs_f64(),
            describe(cell),
            verdict.problems.join("; ")
        );
        verdict
    });
    let mut report = draw_table(&cells, &verdicts);
    let mut wrong: Vec<_> = cells.iter().zip(&verdicts).filter(|(_, verdict)| !verdict.problems.is_empty()).collect();
    wrong.sort_by_key(|(cell, _)| (cell.verb, cell.injection.call.clone(), cell.injection.fault));
    for (cell, Verdict { problems, outcome, .. }) in &wrong {
        let _ =
            write!(report, "\n\nWRONG {}\n  {}\n  exit code {}", describe(cell), problems.join("\n  "), outcome.code);
        for line in outcome.stderr.lines().take(6) {
            let _ = write!(report, "\n  | {line}");
        }
    }
    let _ = writeln!(report, "\n{} cells, {} wrong, in {} s", cells.len(), wrong.len(), started.elapsed().as_secs());
    let _ = writeln!(std::io::stdout(), "{report}");
    assert!(wrong.is_empty(), "{} of {} cells are wrong", wrong.len(), cells.len());
}
