//! Lists and scripts as people write them, checked by the output of the worker.

use std::sync::Arc;

use crate::faults::{Fault, find, proxy};
use crate::support::Cluster;

/// Reports the server as Kubernetes 1.30, which reads no variables from a file.
struct SaysOld;

impl Fault for SaysOld {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let minor = "\"minor\": \"3";
        if let Some(at) = find(bytes, minor).filter(|_| request.starts_with(b"GET /version")) {
            bytes[at + minor.len()] = b'0';
        }
        true
    }
}

/// The batch script fails at the first variable that is not set, and its output is consistent.
#[test]
fn a_script_of_slurm_finds_its_variables() {
    let cluster = Cluster::new("slurm");
    let script = "set -eu; cd \"$SLURM_SUBMIT_DIR\"; : \"$SLURM_JOB_NODELIST $SLURM_NTASKS $SLURM_CPUS_PER_TASK\"; \
                  [ -n \"$SLURMD_NODENAME\" ]; [ $((SLURM_ARRAY_TASK_ID % SLURM_ARRAY_TASK_STEP)) = 1 ]; \
                  echo $((SLURM_JOB_ID - 10 * SLURM_ARRAY_JOB_ID)) $SLURM_ARRAY_TASK_ID $SLURM_JOB_NAME; \
                  [ $SLURM_ARRAY_TASK_ID != 4 ]";
    let run = format!("kubectl indexed run sweep --array 1-7:3 --compat slurm --image bash -- bash -c '{script}'");
    let first = cluster.shell(&run);
    assert_eq!(
        (first.code, first.lines_by_index()),
        (1, ["[0] 0 1 sweep", "[1] 1 4 sweep", "[2] 2 7 sweep"].map(str::to_owned).to_vec())
    );
    // A retried index keeps its number, also if a shell must export it.
    let (_running, port) = cluster.start_api_proxy();
    let old = format!("-s {} -n {}", proxy(port, Arc::new(SaysOld)), cluster.namespace());
    let retry = |flags: &str| {
        let script = "set -u; echo $((SLURM_JOB_ID % 10)) $SLURM_ARRAY_TASK_ID";
        let outcome = cluster.shell(&format!("kubectl indexed retry sweep {flags} -- bash -c '{script}'"));
        assert_eq!(outcome.ok().stdout, "1 4\n", "{flags}");
        cluster.field("job/sweep-r1", "{.spec.template.spec.containers[0].command}")
    };
    retry("");
    cluster.kubectl(&["delete", "job", "sweep-r1"]).ok();
    let wrapped = retry(&old);
    assert!(wrapped.contains("export SLURM_JOB_ID="), "{wrapped}");
}

/// The worker drops the same carriage returns as the client.
#[test]
fn mixed_line_ends_in_the_cluster_are_those_of_the_client() {
    let cluster = Cluster::new("line-ends");
    cluster.write("list.txt", b"a\nb\r\nc\n");
    cluster.shell("kubectl create configmap words --from-file=list=$HOME/list.txt").ok();
    let run = "kubectl indexed run --items-configmap words/list -- sh -c 'printf \"<%s>\\n\" {}'";
    let outcome = cluster.shell(run).ok();
    assert_eq!(outcome.lines_by_index(), ["[0] <a>", "[1] <b>", "[2] <c>"]);
    assert!(outcome.stderr.contains("line 2 of configmap \"words/list\" has a Windows line end"), "{outcome:?}");
}
