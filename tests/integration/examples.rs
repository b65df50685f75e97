//! The flags of `examples/`. The tests on the cluster run the examples themselves.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Outcome, Sandbox, file, root};

/// Runs an example with more flags, in a sandbox whose kubectl only starts this plugin.
fn example(name: &str, flags: &str) -> Outcome {
    let sandbox = Sandbox::new();
    sandbox.write("bin/kubectl", "#!/bin/sh\nname=kubectl-$1\nshift\nexec \"$name\" \"$@\"\n");
    let script = root().join("examples").join(name);
    sandbox.shell(&format!("chmod +x bin/kubectl; PATH=$PWD/bin:$PATH '{}' {flags}", script.display()))
}

/// Returns the Job that an example would create.
fn job(name: &str) -> Value {
    let outcome = example(name, "--dry-run=client -o yaml");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{name}: {outcome}");
    last_object(&outcome)
}

/// Returns the last object of a printed manifest.
fn last_object(outcome: &Outcome) -> Value {
    serde_saphyr::from_str(outcome.stdout.rsplit("---\n").next().unwrap()).unwrap()
}

/// The output of their Pods is compared on the cluster.
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
    let template = root().join("examples/template.yaml");
    let run = ["run", "--items", "ada,grace", "--dry-run=client", "-o", "yaml", "--template"];
    let outcome = Sandbox::new().run(&[&run[..], &[template.to_str().unwrap(), "--", "cat"]].concat());
    let spec = &last_object(&outcome)["spec"];
    assert_eq!((&spec["activeDeadlineSeconds"], &spec["completions"]), (&600.into(), &2.into()));
    let worker = &spec["template"]["spec"]["containers"][0];
    assert_eq!((&worker["name"], &worker["env"][0]["name"]), (&"main".into(), &"GREETING".into()));
    let mounts = worker["volumeMounts"].as_array().unwrap();
    let paths: Vec<_> = mounts.iter().map(|mount| mount["mountPath"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/served", "/input/data.txt"]);
}

#[test]
fn the_quickstart_refuses_unknown_arguments() {
    let help = example("quickstart", "--help");
    assert!(help.code == 0 && help.stdout.starts_with("usage: examples/quickstart [--context NAME]\n"), "{help}");
    for wrong in ["--contxt x", "--context", "x"] {
        let refused = example("quickstart", wrong);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{wrong}: {refused}");
        assert!(refused.stderr.starts_with("error: "), "{wrong}: {refused}");
    }
}

/// Returns the files of a folder and its subfolders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A cluster test or `tests/run` names every script, and every other file belongs to a script.
#[test]
fn every_example_is_run_by_a_test() {
    let tests =
        file("tests/cluster/examples.rs") + &file("tests/run").replace("examples/quickstart |", "\"quickstart\"");
    let documentation = file("tests/cluster/documentation.rs");
    let readme = file("examples/README.md");
    let all = files(&root().join("examples"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let is_script = |path: &Path| name(path) == "quickstart" || path.extension().is_some_and(|ending| ending == "sh");
    let scripts: String =
        all.iter().filter(|path| is_script(path)).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for path in &all {
        let name = name(path);
        if is_script(path) {
            assert!(tests.contains(&format!("\"{name}\"")), "no test on the cluster runs examples/{name}");
            assert!(readme.contains(&format!("]({name})")), "examples/README.md does not tell of {name}");
            let second = std::fs::read_to_string(path).unwrap().lines().nth(1).unwrap_or_default().to_owned();
            assert!(name == "quickstart" || second.starts_with("# "), "examples/{name} begins with no title");
        } else if name != "README.md" && !path.parent().unwrap().ends_with("texts") {
            let used = scripts.contains(&name) || documentation.contains(&name);
            assert!(used, "no script of examples/ uses {name}");
        }
    }
}
