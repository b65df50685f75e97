//! `delete`: nothing is left behind.

use crate::support::Cluster;

#[test]
fn a_job_goes_with_all_that_is_its() {
    let cluster = Cluster::new("delete");
    cluster.run(&["run", "x", "--items", "a,b", "--detach", "-q", "--", "sh", "-c", "sleep 60"]).ok();
    cluster.run(&["run", "y", "--items", "a", "-q", "--", "rev"]).ok();
    let outcome = cluster.run(&["delete", "job/x", "y"]).ok();
    assert_eq!(outcome.stdout, "job.batch \"x\" deleted\njob.batch \"y\" deleted\n");
    // It was waited for: nothing is on its way out.
    let left = cluster.kubectl(&["get", "jobs,pods,configmaps", "-o", "name"]).ok().stdout;
    assert_eq!(left, "configmap/kube-root-ca.crt\n");

    let missing = cluster.run(&["delete", "x"]);
    assert_eq!(missing.code, 1);
    assert_eq!(
        missing.stderr,
        format!(
            "error: there is no job \"x\" in namespace {:?}\nhint: kubectl indexed list shows the Indexed Jobs; -n \
             NAMESPACE looks elsewhere\n",
            cluster.namespace()
        )
    );
    cluster.run(&["delete", "x", "--ignore-not-found"]).ok();
}
