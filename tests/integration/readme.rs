//! Checks of README.md and the manual that need no cluster. `tests/cluster/readme.rs` runs their commands.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Sandbox, file, files, nobody_listens, root};

/// Returns the names of all chapters but `flags`, which the program generates and a unit test compares.
fn chapters() -> Vec<String> {
    let names = files("src/manual", "md").into_iter().map(|path| path.replace("src/manual/", "").replace(".md", ""));
    names.filter(|name| name != "flags").collect()
}

/// Returns the paths and texts of README.md and of the chapters.
fn documents() -> Vec<(String, String)> {
    let chapters = chapters().into_iter().map(|name| format!("src/manual/{name}.md"));
    std::iter::once("README.md".to_owned()).chain(chapters).map(|path| (path.clone(), file(&path))).collect()
}

/// Returns the languages and texts of the fenced blocks of all documents.
fn blocks() -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for (path, document) in documents() {
        let mut fences = document.split("\n```");
        fences.next();
        while let (Some(block), after) = (fences.next(), fences.next()) {
            let (language, text) = block.split_once('\n').unwrap();
            blocks.push((language.to_owned(), format!("{text}\n")));
            assert!(after.is_some(), "{path} never closes a fence");
        }
    }
    blocks
}

#[test]
fn the_readme_is_short() {
    assert!(file("README.md").lines().count() <= 180);
}

/// The language of a block decides which test runs it. A new language needs a test first.
#[test]
fn every_block_is_tested() {
    let sandbox = Sandbox::new();
    let on_the_cluster = file("tests/cluster/readme.rs");
    for (language, text) in blocks() {
        match language.as_str() {
            // Transcripts, run on the cluster; here the program parses the `run` commands.
            "console" => {
                assert!(on_the_cluster.contains("blocks(\"console\")"));
                for command in text.lines().filter_map(|line| line.strip_prefix("$ kubectl indexed run ")) {
                    let tried = command.replacen(" -- ", " --dry-run=client -o name -- ", 1);
                    let outcome = sandbox.shell(&format!("kubectl-indexed run {tried}"));
                    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{command}: {outcome}");
                }
            }
            // Scripts of the checkout, which `tests/run` runs.
            "sh" => {
                for line in text.lines() {
                    let program = line.split_whitespace().next().unwrap();
                    let mode = std::fs::metadata(root().join(program)).map(|found| found.permissions().mode());
                    assert!(mode.is_ok_and(|mode| mode & 0o111 != 0), "{program} can't be executed");
                }
            }
            // Commands for an existing Job, run on the cluster.
            "bash" => {
                assert!(on_the_cluster.contains("blocks(\"bash\")"));
                assert!(text.lines().all(|line| line.starts_with("kubectl indexed ")), "{text}");
            }
            // The first session of a new user, run on the cluster in an empty home.
            "shell" => assert!(on_the_cluster.contains("blocks(\"shell\")")),
            // The Role, whose permissions are tested on the cluster.
            "yaml" => assert!(on_the_cluster.contains("blocks(\"yaml\")") && text.contains("kind: Role\n")),
            // Excused: no test runs on Windows.
            "powershell" => assert!(text.starts_with("kubectl indexed completion kubectl |")),
            language => panic!("no test knows blocks of {language:?}"),
        }
    }
}

/// Every command of the texts is valid. The tables of three chapters also run on the cluster.
///
/// Excused are the commands of other tools: kubectl, kind, minikube and k3d (which need Docker), cargo and krew.
#[test]
fn every_command_is_valid() {
    let sandbox = Sandbox::new();
    let (server, _) = nobody_listens();
    let kubeconfig = format!(
        "current-context: c\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\ncontexts: [{{name: c, context: {{cluster: c}}}}]\n"
    );
    sandbox.write(".kube/config", kubeconfig);
    for name in ["words.txt", "more.txt", "sizes.csv"] {
        sandbox.write(name, "name,size\nfoo,1\n");
    }
    sandbox.write("sizes.jsonl", "{\"name\": \"foo\", \"size\": 1}\n");
    let places = [("JOB", "words"), ("VERB", "run"), ("TOPIC", "items"), ("IMAGE", "bash"), ("\\|", "|")];
    let mut count = 0;
    for (path, text) in documents() {
        let spans =
            text.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2));
        for span in spans.filter(|span| span.contains("kubectl indexed ")) {
            let command = places.iter().fold(span.to_owned(), |command, (place, name)| command.replace(place, name));
            let outcome = sandbox.shell(&format!("kubectl() {{ shift; kubectl-indexed \"$@\"; }}; {command}"));
            // The live screen needs a terminal.
            let is_valid = outcome.code < 2 || command.contains(" watch ");
            assert!(is_valid, "{path}: {command}: {outcome}");
            count += 1;
        }
    }
    assert!(count > 50, "only {count} commands found");
}

/// The quoted causes are those of the program: its sources or tests contain them.
#[test]
fn troubleshooting_quotes_the_program() {
    let sources: String = files("src", "rs")
        .iter()
        .chain(&files("tests/cluster", "rs"))
        .map(|path| file(path).replace("\\\"", "\""))
        .collect();
    let text = file("src/manual/troubleshooting.md");
    let causes: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next()).collect();
    assert!(causes.len() >= 20, "{causes:?}");
    for span in causes.iter().flat_map(|cell| cell.split('`').step_by(2)) {
        let is_place = |word: &&str| ["NAME", "N"].contains(&word.trim_matches(|c: char| !c.is_alphanumeric()));
        let words: Vec<_> = span.split(' ').collect();
        for phrase in words.split(|word| is_place(word)).map(|words| words.join(" ")) {
            assert!(sources.contains(&phrase), "the program never prints {phrase:?}");
        }
    }
}

fn help(verb: &str) -> String {
    let args: Vec<_> = [verb, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
    Sandbox::new().run(&args).stdout
}

pub(crate) fn verbs() -> Vec<String> {
    let help = help("");
    let verbs = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    verbs.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The table has all verbs of the program, in its order.
#[test]
fn the_verbs_are_those_of_the_program() {
    let readme = file("README.md");
    let table = readme.split("\n## Verbs\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let words = |line: &str| line.strip_prefix("| `")?.split([' ', '`']).next().map(str::to_owned);
    assert_eq!(table.lines().filter_map(words).collect::<Vec<_>>(), verbs());
}

/// Every long flag in the texts belongs to a verb, a script of the checkout, or one of the named tools.
#[test]
fn the_flags_exist() {
    let mut known = BTreeSet::new();
    let scripts = ["tests/run", "examples/quickstart", "tests/cluster/up"].map(file).concat();
    let texts = verbs().iter().map(|verb| help(verb)).chain([scripts]).collect::<String>();
    let flags = |text: &str| -> Vec<String> {
        let flag = |word: &str| word.strip_prefix("--").is_some_and(|name| name.starts_with(char::is_alphabetic));
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|w| flag(w)).map(str::to_owned).collect()
    };
    known.extend(flags(&texts));
    // cargo and krew.
    known.extend(["--path", "--manifest-url"].map(str::to_owned));
    // GNU parallel, Slurm and HyperQueue, in tables of equivalents.
    let of_others =
        ["--halt", "--time", "--header", "--colsep", "--retry-failed", "--wait", "--from-json", "--tasks", "--filter"];
    known.extend(of_others.map(str::to_owned));
    // kubectl.
    known.insert("--show-labels".to_owned());
    for (path, text) in documents() {
        for flag in flags(&text) {
            assert!(known.contains(&flag), "{path}: no tool has the flag {flag}");
        }
    }
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let codes = |text: &str| -> BTreeSet<u32> {
        text.split_whitespace().filter_map(|word| word.parse().ok()).collect::<BTreeSet<u32>>()
    };
    let help = help("");
    let documented = codes(help.split("Exit codes:\n").nth(1).unwrap());
    let readme = file("README.md");
    let paragraph = readme.split("\nExit codes: ").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_eq!(codes(paragraph), documented);
}

/// Relative links lead to files of the checkout. A badge leads to a workflow, in whichever repository shows it.
#[test]
fn the_links_lead_to_files() {
    for (path, text) in documents() {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let target = match link.strip_prefix("../../actions/workflows/") {
                Some(workflow) => root().join(".github/workflows").join(workflow.trim_end_matches("/badge.svg")),
                None => folder.join(link),
            };
            assert!(link.starts_with("https://") || target.exists(), "{path}: {link} is missing");
        }
    }
    let readme = file("README.md");
    assert!(
        chapters().iter().all(|name| readme.contains(&format!("(src/manual/{name}.md)"))),
        "README.md links every chapter"
    );
}

/// A function in brackets after a file is in that file.
#[test]
fn the_pages_for_developers_name_existing_files_and_functions() {
    for page in [".github/CONTRIBUTING.md", ".github/HOW_IT_WORKS.md"] {
        let text = file(page).replace(['\n', ' '], " ");
        let parts: Vec<_> = text.split('`').collect();
        let mut count = 0;
        for at in
            (1..parts.len()).step_by(2).filter(|at| parts[*at].starts_with("src/") && !parts[*at].contains("VERB"))
        {
            let path = parts[at];
            assert!(root().join(path).exists(), "{page} names {path}, which is missing");
            if parts[at + 1] == " (" {
                let function = parts[at + 2].rsplit("::").next().unwrap();
                assert!(file(path).contains(&format!("fn {function}")), "{page}: {path} has no function {function}");
            }
            count += 1;
        }
        assert!(count > 3, "{page}");
    }
}

/// An unknown topic is wrong usage. Without a terminal, a chapter is printed unchanged.
#[test]
fn help_prints_chapters_and_verbs() {
    let sandbox = Sandbox::new();
    for (path, text) in documents().into_iter().skip(1) {
        let name = path.rsplit('/').next().unwrap().trim_end_matches(".md").to_owned();
        let outcome = sandbox.run(&["help", &name]);
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, text.as_str(), ""), "{name}");
    }
    assert_eq!(sandbox.run(&["help", "retry"]).stdout, sandbox.run(&["retry", "--help"]).stdout);
    let wrong = sandbox.run(&["help", "nonsense"]);
    let error =
        "error: unknown chapter or verb \"nonsense\"\nhint: kubectl indexed help lists the chapters and verbs\n";
    assert_eq!((wrong.code, wrong.stderr.as_str()), (2, error));
}
