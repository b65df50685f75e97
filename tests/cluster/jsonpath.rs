//! `-o jsonpath` and `-o custom-columns`, compared with kubectl: the same templates over the same Jobs.

use crate::support::{Cluster, Outcome};

/// A Job that never runs, with values of each kind.
const JOB: &str = r#"
apiVersion: batch/v1
kind: Job
metadata:
  name: one
  labels: {team: vision, example.com/stage: a_b}
  annotations: {text: "x <&> y", "a.b/c": "two\nlines", quoted: "say \"ü\""}
spec:
  suspend: true
  completions: 2
  parallelism: 2
  completionMode: Indexed
  activeDeadlineSeconds: 1234567890
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: first, image: docker.io/library/busybox, command: [sh, -c, "true"], env: [{name: A, value: "1"}, {name: B}], resources: {limits: {cpu: "4", memory: 1Gi}}}
      - {name: second, image: docker.io/library/busybox, args: []}
"#;

/// Templates that kubectl accepts.
const TAKEN: &[&str] = &[
    // The templates of the documentation, with fields of Jobs.
    "kind is {.kind}",
    "{['kind']}",
    "{.items[*].metadata.name}",
    "{.items[0].metadata.name}",
    "{.items[*]['metadata.name', 'metadata.labels']}",
    "{.items[?(@.metadata.name==\"one\")].spec.completions}",
    "{range .items[*]}[{.metadata.name}, {.spec.template.spec.containers[0].resources.limits}] {end}",
    "{range .items[*]}{.metadata.name}{'\\t'}{.spec.completions}{\"\\n\"}{end}",
    "{.items[0].metadata.annotations.a\\.b/c}",
    "{.items[0].metadata.labels['example\\.com/stage']}",
    "{.items[0]['metadata']['labels']['example\\.com/stage']}",
    "{.items[0].spec}",
    "{@}",
    "{$}",
    "{.items[0]}",
    // Text alone, and text around a field.
    ".items[0].metadata.name",
    "plain } text",
    "{\"\\n\"}{'\\''}{\"\\x41\\u00e9\\101\"}{\"\\\\ \"}",
    "{1} {-2} {2.50} {true} {.kind}",
    "{}",
    "{ .kind }{ .items[0].kind \"text\" }",
    // Missing, null and empty values.
    "{.nothing}",
    "{.kind!}",
    "{.nothing.at.all[0][*]}",
    "[{.items[0].status}]",
    "{.items[*].nothing}x",
    "{.items[?(@.nothing)]}",
    "{.items[0].metadata.name.deeper}",
    // Slices.
    "{.items[0].spec.template.spec.containers[-1].name}",
    "{.items[0].spec.template.spec.containers[-2:].name}",
    "{.items[0].spec.template.spec.containers[:1].name}",
    "{.items[0].spec.template.spec.containers[0:2:2].name}",
    "{.items[0].spec.template.spec.containers[:].name}",
    "{.items[0].spec.template.spec.containers[1:1].name}",
    "{.items[0].spec.template.spec.containers[].name}",
    "{.items[0].spec.template.spec.containers[0,1].name}",
    "{.items[0].spec.template.spec.containers[0].command[0:2]}",
    "{.items[0].spec.template.spec.containers[0].command}",
    // Filters.
    "{.items[?(@.spec.completions>1)].metadata.name}",
    "{.items[?(@.spec.completions>=3)].metadata.name}",
    "{.items[?(@.spec.completions<=2)].metadata.name}",
    "{.items[?(@.spec.completions!=2)].metadata.name}",
    "{.items[?(@.spec.suspend==true)].metadata.name}",
    "{.items[?(@.metadata.name<'z')].metadata.name}",
    "{.items[0].spec.template.spec.containers[*].env[?(@.value)].name}",
    "{.items[0].spec.template.spec.containers[0].env[?(@.name=='A')].value}",
    "{.items[0].spec.template.spec.containers[?(@.name=='second')].image}",
    "{.items[?(@.metadata.labels.team=='vision')]['metadata.name','kind']}",
    "{.items[?(anything)].metadata.name}",
    // Ranges.
    "{range .items[*].spec.template.spec.containers[*]}{.name}:{range .env[*]}{.name}={.value},{end};{end}.",
    "{range .nothing[*]}{.x}{end}after",
    "{range .items[*]}{.metadata.name} without an end",
    "{range .items[0].spec.template.spec.containers[0].command[*]}<{@}>{end}",
    "{range .items[*].metadata.name}{@}{\"\\n\"}{end}{.kind}",
    "{range .items[*]}{range .nothing[*]}x{end}{.kind}{end}",
    // Recursive descent, and all members; with one value each, because kubectl prints members in any order.
    "{..completions}",
    "{.items[0].spec.template.spec.containers[0].resources..cpu}",
    "{.items[0].spec.template.spec.containers[0].env[1].*}",
    "{.items[0].spec.template.spec.containers[0].env[1].name.*}",
    "{.items[*].metadata.labels['team']}",
    "{.items..['activeDeadlineSeconds']}",
];

/// Templates that kubectl refuses, or that do not fit these Jobs.
const REFUSED: &[&str] = &[
    "{.kind",
    "{.items[0}",
    "{.items[x]}",
    "{.items[0:1:2:3]}",
    "{.items['a]}",
    "{items[0].kind}",
    "{end}",
    "{range .items[*]}{end}{end}",
    "{.items[?(@.kind}",
    "{.items[?(@.kind==\"Job)]}",
    "{.items[?(@.kind=\"Job\")]}",
    "{.items[0].spec.template.spec.containers[?(@.env[?(@.name==\"A\")].value==\"1\")].name}",
    "{.items[?(@.spec.suspend==True)]}",
    "{.items....kind}",
    "{'\\q'}",
    "{.items..*}",
    "{.items[*]['metadata.name','spec.containers[0]']}",
    "{\"\\\\\"}",
    "{1.2.3}",
    "{.kind, .x}",
    // Valid, but not for these Jobs.
    "{.items[7].kind}",
    "{.items[-7].kind}",
    "{.kind[0]}",
    "{.kind[?(@.x)]}",
    "{.items[0].spec.template.spec.containers[1:0]}",
    "{.items[0].spec.template.spec.containers[::0]}",
    "{.items[?(@.spec.completions==\"2\")]}",
    "{.items[?(@.spec.completions==2.5)]}",
    "{.items[?(@.spec.template.spec.containers[*].name==\"first\")]}",
    "{.items[?(@.metadata==1)]}",
    "{.items[?(@.spec.suspend<true)]}",
];

fn run_both(cluster: &Cluster, form: &str, more: &[&str]) -> (Outcome, Outcome) {
    let theirs = cluster.kubectl(&[&["get", "jobs", "-o", form], more].concat());
    (theirs, cluster.run(&[&["list", "-o", form], more].concat()))
}

#[test]
fn templates_print_what_kubectl_prints() {
    let cluster = Cluster::new("jsonpath");
    // Without Jobs, the document is an empty list.
    for template in ["{.kind}", "{.items}", "{range .items[*]}{.kind}{end}.", "{.items[*].metadata.name}"] {
        let (theirs, ours) = run_both(&cluster, &format!("jsonpath={template}"), &[]);
        assert_eq!((ours.stdout, ours.code), (theirs.stdout, theirs.code), "{template}");
    }
    cluster.create(JOB).ok();
    cluster.eventually("the job's controller to say that it is suspended", || {
        cluster.field("job/one", "{.status.conditions}").contains("Suspended")
    });
    let mut wrong = Vec::new();
    for template in TAKEN {
        for form in ["jsonpath", "jsonpath-as-json"] {
            let (theirs, ours) = run_both(&cluster, &format!("{form}={template}"), &[]);
            let same = (&ours.stdout, &ours.stderr, ours.code) == (&theirs.stdout, &theirs.stderr, theirs.code);
            if !same || theirs.code != 0 {
                wrong.push(format!("{form}={template}\n  kubectl: {theirs:?}\n  ours:    {ours:?}"));
            }
        }
    }
    for template in REFUSED {
        let (theirs, ours) = run_both(&cluster, &format!("jsonpath={template}"), &[]);
        let is_named = ours.stderr.starts_with("error: -o jsonpath: ");
        let refuses = |outcome: &Outcome| outcome.stdout.is_empty() && outcome.code != 0;
        if !refuses(&theirs) || !refuses(&ours) || !is_named {
            wrong.push(format!("{template}\n  kubectl: {theirs:?}\n  ours:    {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn members_and_recursive_descent_print_the_values_of_kubectl_in_order() {
    let cluster = Cluster::new("jsonpath-members");
    cluster.create(JOB).ok();
    cluster
        .eventually("the job's controller", || cluster.field("job/one", "{.status.conditions}").contains("Suspended"));
    let words = |outcome: &Outcome| {
        let mut words: Vec<_> = outcome.stdout.split(' ').map(str::to_owned).collect();
        words.sort();
        words
    };
    for template in [
        "{..name}",
        "{.items[0].metadata.labels.*}",
        "{.items[0].spec.template.spec.containers[0]..limits.*}",
        "{.items[*].spec.template..image}",
        "{.items[0].metadata.annotations..}",
    ] {
        let (theirs, ours) = run_both(&cluster, &format!("jsonpath={template}"), &[]);
        assert_eq!(words(&ours.ok()), words(&theirs.ok()), "{template}");
    }
}

#[test]
fn columns_are_those_of_kubectl() {
    let cluster = Cluster::new("custom-columns");
    let one = ["-l", "team=vision"];
    let forms = [
        "custom-columns=NAME:.metadata.name,DONE:.status.succeeded,LABELS:.metadata.labels",
        "custom-columns=N:metadata.name,C:{.spec.template.spec.containers[*].name},A:.spec.template.spec.containers[0]",
        "custom-columns=NAME:{.metadata.name}",
        "custom-columns=EMPTY:",
        "custom-columns=A:.spec.completions,B:.spec.suspend,C:.spec.template.spec.containers[0].command",
    ];
    for form in forms {
        let (theirs, ours) = run_both(&cluster, form, &one);
        assert_eq!((ours.stdout, ours.code), (theirs.stdout, theirs.code), "{form}");
    }
    cluster.create(JOB).ok();
    cluster
        .eventually("the job's controller", || cluster.field("job/one", "{.status.conditions}").contains("Suspended"));
    cluster.create(&JOB.replace("name: one", "name: another-one").replace("team: vision", "team: x")).ok();
    let lines = cluster.write("columns", b"NAME    COUNT\n.metadata.name   {.spec.completions}\n");
    let file = format!("custom-columns-file={}", lines.display());
    for form in forms.into_iter().chain([file.as_str()]) {
        for more in [&one[..], &["--no-headers"]] {
            if form.starts_with("custom-columns-file") && more.contains(&"--no-headers") {
                // kubectl prints these anyway.
                continue;
            }
            let (theirs, ours) = run_both(&cluster, form, more);
            let sorted = |outcome: &Outcome| {
                let mut lines: Vec<_> = outcome.stdout.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            assert_eq!((sorted(&ours), ours.code), (sorted(&theirs), theirs.code), "{form}: {ours:?}");
        }
    }
    for form in ["custom-columns=NAME", "custom-columns=NAME:{.a}{.b}", "custom-columns=A:.a[x]"] {
        let (theirs, ours) = run_both(&cluster, form, &one);
        assert_eq!((theirs.code, ours.code), (1, 2), "{form}: {ours:?}");
    }
}

#[test]
fn go_templates_print_what_kubectl_prints() {
    let cluster = Cluster::new("go-template");
    cluster.create(JOB).ok();
    cluster
        .eventually("the job's controller", || cluster.field("job/one", "{.status.conditions}").contains("Suspended"));
    let file = cluster.write("template", b"{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}");
    let file = format!("go-template-file={}", file.display());
    let templates = [
        "{{.kind}} {{.nothing}} {{len .items}}",
        "{{range .items}}{{.metadata.name}}: {{.spec.completions}}{{\"\\n\"}}{{end}}",
        "{{(index .items 0).spec.parallelism}} {{index .items 0 \"metadata\" \"name\"}}",
        "{{range .items}}{{if .spec.suspend}}held{{else}}free{{end}}{{end}}",
        "{{range .items}}{{if eq .metadata.name \"one\"}}{{printf \"%-5s|%q|%v\" .kind .kind .spec.suspend}}{{end}}{{end}}",
        "{{(index .items 0).metadata.labels}} {{(index .items 0).spec.template.spec.containers}}",
        "{{range $key, $value := (index .items 0).metadata.annotations}}{{$key}}={{$value | printf \"%q\"}};{{end}}",
        "{{with .nothing}}x{{else}}none{{end}}{{- /* a comment */ -}}  .",
        "{{define \"n\"}}<{{.}}>{{end}}{{range .items}}{{template \"n\" .metadata.name}}{{end}}",
        "{{exists . \"items\"}} {{exists . \"x\"}} {{\"aGk=\" | base64decode}}",
        "{{.items | len | printf \"%03d\"}} {{html \"<\"}} {{js \"'\"}} {{slice .kind 1 3}}",
    ];
    for form in templates.map(|template| format!("go-template={template}")).iter().chain([&file]) {
        let (theirs, ours) = run_both(&cluster, form, &[]);
        assert_eq!((&ours.stdout, &ours.stderr, ours.code), (&theirs.stdout, &theirs.stderr, theirs.code), "{form}");
    }
    for wrong in ["{{.kind", "{{nothing .}}", "{{index .items 7}}", "{{len 3}}", "{{eq .kind 1}}"] {
        let (theirs, ours) = run_both(&cluster, &format!("go-template={wrong}"), &[]);
        assert!(theirs.code != 0 && ours.code != 0, "{wrong}: {theirs:?} {ours:?}");
        assert!(ours.stderr.starts_with("error: -o go-template: "), "{ours:?}");
    }
}
