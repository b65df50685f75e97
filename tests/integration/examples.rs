//! What `examples/` holds is run by the tests on the cluster; here, that the flags mean what they say.

use serde_json::Value;

use crate::support::{Outcome, Sandbox, file, root};

/// Runs an example with more flags, in a sandbox whose kubectl knows nothing but this plugin.
fn example(name: &str, flags: &str) -> Outcome {
    let sandbox = Sandbox::new();
    sandbox.write("bin/kubectl", "#!/bin/sh\nname=kubectl-$1\nshift\nexec \"$name\" \"$@\"\n");
    let script = root().join("examples").join(name);
    sandbox.shell(&format!("chmod +x bin/kubectl; PATH=$PWD/bin:$PATH '{}' {flags}", script.display()))
}

/// The Job that an example would create.
fn job(name: &str) -> Value {
    let outcome = example(name, "--dry-run=client -o yaml");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{name}: {outcome}");
    serde_saphyr::from_str(outcome.stdout.rsplit("---\n").next().unwrap()).unwrap()
}

/// Flags make the documentation's Jobs: what each Pod then writes is compared on the cluster.
#[test]
fn flags_make_the_documentation_s_jobs() {
    for name in ["indexed-job", "indexed-job-vol"] {
        let written: Value = serde_saphyr::from_str(&file(&format!("examples/{name}.yaml"))).unwrap();
        let made = job(&format!("{name}.sh"));
        assert_eq!(made["metadata"]["name"], written["metadata"]["name"], "{name}");
        for field in ["completions", "parallelism", "completionMode"] {
            assert_eq!(made["spec"][field], written["spec"][field], "{name}: {field}");
        }
        let [made, written] = [&made, &written].map(|job| &job["spec"]["template"]["spec"]);
        assert_eq!(made["volumes"], written["volumes"], "{name}");
        assert_eq!(made["restartPolicy"], written["restartPolicy"], "{name}");
        for containers in ["initContainers", "containers"] {
            let [made, written] = [made, written].map(|pod| pod[containers].as_array().cloned().unwrap_or_default());
            assert_eq!(made.len(), written.len(), "{name}: {containers}");
            for (made, written) in made.iter().zip(&written) {
                for field in ["name", "image", "volumeMounts"] {
                    assert_eq!(made[field], written[field], "{name}: {field} of {containers}");
                }
            }
        }
        assert_eq!(made["containers"][0]["command"], written["containers"][0]["command"], "{name}");
    }
}

#[test]
fn a_config_map_needs_no_init_container() {
    let pod = &job("configmap-items.sh")["spec"]["template"]["spec"];
    assert!(pod["initContainers"].is_null() && pod["volumes"][0]["configMap"].is_object(), "{pod}");
}

#[test]
fn a_template_keeps_what_flags_do_not_say() {
    let spec = &job("template.sh")["spec"];
    assert_eq!((&spec["activeDeadlineSeconds"], &spec["completions"]), (&600.into(), &2.into()));
    let worker = &spec["template"]["spec"]["containers"][0];
    assert_eq!((&worker["name"], &worker["env"][0]["value"]), (&"main".into(), &"hello".into()));
    let mounts = worker["volumeMounts"].as_array().unwrap();
    let paths: Vec<_> = mounts.iter().map(|mount| mount["mountPath"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/scratch", "/input/data.txt"]);
}

#[test]
fn the_quickstart_refuses_what_it_does_not_know() {
    let help = example("quickstart", "--help");
    assert!(help.code == 0 && help.stdout.starts_with("usage: examples/quickstart [--context NAME]\n"), "{help}");
    for wrong in ["--contxt x", "--context", "x"] {
        let refused = example("quickstart", wrong);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{wrong}: {refused}");
        assert!(refused.stderr.starts_with("error: "), "{wrong}: {refused}");
    }
}

/// An example that no test on the cluster names, or `tests/run`, is one that nobody runs.
#[test]
fn each_is_run_by_a_test() {
    let runs = ["tests/cluster/documentation.rs", "tests/cluster/examples.rs", "tests/run"].map(file).concat();
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // The base of an example, which runs it.
        let by = if name == "template.yaml" { "template.sh" } else { &name };
        assert!(runs.contains(by), "no test on the cluster runs examples/{name}");
    }
}
