//! Every example of every help text, as it stands there, on a real cluster.

use std::sync::Mutex;

use crate::support::{Cluster, Outcome};

/// Images that stand for the reader's own.
const OWN_IMAGES: [&str; 2] = ["example.com/tools", "example.com/train:1.1"];

/// Examples that end with another exit code than 0.
const CODES: [(&str, i32); 1] = [
    // Ended by timeout, as it is meant to be.
    ("timeout -s INT 5 kubectl indexed list -w", 124),
];

/// What the examples of a verb find.
struct SetUp {
    verbs: &'static [&'static str],
    script: &'static str,
    /// Whether each example needs a namespace of its own, because it changes what is there.
    alone: bool,
}

/// A list of ten, the fourth of which is qux; each index writes JSON.
const ENDED: &str = "kubectl indexed run indexed-job -q --label team=vision --items foo,bar,baz,qux,a,b,c,d,e,f \
                     -- sh -c 'echo \\\"loss=0.5\\\"'";

const SET_UPS: [SetUp; 7] = [
    SetUp { verbs: &["describe", "indexes", "logs", "results", "list"], script: ENDED, alone: false },
    SetUp {
        verbs: &["wait", "watch"],
        script: "for name in train evaluate indexed-job; do
                   kubectl indexed run $name -dq --completions 10 -- sleep 1
                 done",
        alone: false,
    },
    SetUp { verbs: &["completion", "config", "version"], script: "", alone: false },
    SetUp {
        verbs: &["run"],
        script: "printf 'name,size\\na.png,10\\nb.png,20\\n' > sizes.csv
                 printf 'foo\\nbar\\n' > words.txt
                 kubectl indexed run rev-a -q --items foo -- rev
                 kubectl create job template --image docker.io/library/busybox --dry-run=client -o yaml \
                   -- sh -c 'cat /input/data.txt' > job.yaml",
        alone: false,
    },
    SetUp {
        verbs: &["retry"],
        script: "kubectl indexed run train -q --completions 3 -- \
                   sh -c 'case $HOSTNAME in *-r1-*) ;; *) exit 75 ;; esac' || true",
        alone: true,
    },
    SetUp {
        verbs: &["suspend", "resume", "scale"],
        script: "kubectl indexed run indexed-job -dq --label team=vision --completions 2 -- sleep 60
                 kubectl indexed run workers -dq --completions 2 -- sleep 60",
        alone: true,
    },
    SetUp { verbs: &["delete"], script: ENDED, alone: false },
];

/// The verbs that the help of the program lists.
fn verbs(cluster: &Cluster) -> Vec<String> {
    let help = cluster.run(&["--help"]).ok().stdout;
    let verbs = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    verbs.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The command lines of the examples of a verb.
fn examples(verb: &str, cluster: &Cluster) -> Vec<String> {
    let help = cluster.run(&[verb, "--help"]).ok().stdout;
    let examples = help.split("\nExamples:\n").nth(1).unwrap_or_else(|| panic!("{verb} has no example"));
    let lines = examples.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// Runs an example in the home of the namespace.
fn tried(verb: &str, example: &str, cluster: &Cluster) -> Outcome {
    let own = |text: String, image: &&str| text.replace(*image, "docker.io/library/busybox");
    let example = OWN_IMAGES.iter().fold(example.to_owned(), own);
    if verb == "watch" {
        std::fs::write(cluster.home().join("example"), example).unwrap();
        return cluster.shell("cd; script -qefc 'bash example' /dev/null");
    }
    cluster.shell(&format!("cd; {example}"))
}

#[test]
fn every_example_works() {
    let asked = Cluster::new("help");
    let mut rounds: Vec<(&SetUp, Vec<(String, String)>)> = Vec::new();
    for verb in verbs(&asked) {
        let set_up = SET_UPS.iter().find(|set_up| set_up.verbs.contains(&verb.as_str()));
        let set_up = set_up.unwrap_or_else(|| panic!("nothing is set up for the examples of {verb}"));
        let pairs: Vec<_> = examples(&verb, &asked).into_iter().map(|example| (verb.clone(), example)).collect();
        if set_up.alone {
            rounds.extend(pairs.into_iter().map(|pair| (set_up, vec![pair])));
        } else if let Some((_, same)) = rounds.iter_mut().find(|(other, _)| std::ptr::eq(*other, set_up)) {
            same.extend(pairs);
        } else {
            rounds.push((set_up, pairs));
        }
    }
    assert!(rounds.iter().flat_map(|(_, pairs)| pairs).count() > 50);
    let (rounds, wrong) = (Mutex::new(rounds.into_iter()), Mutex::new(Vec::new()));
    let next = || rounds.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((set_up, pairs)) = next() {
                    let cluster = Cluster::new("help");
                    cluster.shell(&format!("cd; {}", set_up.script)).ok();
                    for (verb, example) in pairs {
                        let expected = CODES.iter().find(|(known, _)| *known == example).map_or(0, |(_, code)| *code);
                        let outcome = tried(&verb, &example, &cluster);
                        if outcome.code != expected {
                            wrong.lock().unwrap().push(format!("{example}: {outcome:#?}"));
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
