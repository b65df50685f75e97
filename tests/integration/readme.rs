//! README.md and the manual, as far as no cluster is needed. `tests/cluster/readme.rs` runs their commands.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Sandbox, file, root};

/// The chapters of the manual that people wrote; a unit test compares the other one, of flags, with the command line.
const CHAPTERS: [&str; 10] = [
    "items",
    "commands",
    "reading-logs",
    "results-and-retry",
    "policies",
    "files",
    "coming-from",
    "configuration",
    "troubleshooting",
    "reference",
];

/// README.md and the chapters: path and text.
fn documents() -> Vec<(String, String)> {
    let chapters = CHAPTERS.iter().map(|name| format!("src/manual/{name}.md"));
    std::iter::once("README.md".to_owned()).chain(chapters).map(|path| (path.clone(), file(&path))).collect()
}

/// The fenced blocks of all documents: language and text.
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

/// Every block is held to the truth by some test: a new sort of block needs one first.
#[test]
fn every_block_is_tried() {
    let sandbox = Sandbox::new();
    let on_the_cluster = file("tests/cluster/readme.rs");
    for (language, text) in blocks() {
        match language.as_str() {
            // Transcripts: run on the cluster; here their command lines are read by the program.
            "console" => {
                assert!(on_the_cluster.contains("blocks(\"console\")"));
                for command in text.lines().filter_map(|line| line.strip_prefix("$ kubectl indexed ")) {
                    let tried = command.replacen(" -- ", " --dry-run=client -o name -- ", 1);
                    let outcome = sandbox.shell(&format!("kubectl-indexed {tried}"));
                    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{command}: {outcome}");
                }
            }
            // Commands of the checkout: the words before a comment.
            "sh" => {
                for line in text.lines() {
                    let program = line.split_whitespace().next().unwrap();
                    let mode = std::fs::metadata(root().join(program)).map(|found| found.permissions().mode());
                    assert!(mode.is_ok_and(|mode| mode & 0o111 != 0), "{program} can't be executed");
                }
            }
            // Commands about a Job that is there: run on the cluster.
            "bash" => {
                assert!(on_the_cluster.contains("blocks(\"bash\")"));
                assert!(text.lines().all(|line| line.starts_with("kubectl indexed ")), "{text}");
            }
            // The first session of a new user: run on the cluster, in an empty home.
            "shell" => assert!(on_the_cluster.contains("blocks(\"shell\")")),
            // The Role: what it allows is tried on the cluster.
            "yaml" => assert!(on_the_cluster.contains("blocks(\"yaml\")") && text.contains("kind: Role\n")),
            // The same for Windows, which no test has.
            "powershell" => assert!(text.starts_with("kubectl indexed completion kubectl |")),
            language => panic!("no test knows blocks of {language:?}"),
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

/// The table has the verbs of the program, all of them, in its order.
#[test]
fn the_verbs_are_the_program_s() {
    let readme = file("README.md");
    let table = readme.split("\n## Verbs\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let words = |line: &str| line.strip_prefix("| `")?.split([' ', '`']).next().map(str::to_owned);
    assert_eq!(table.lines().filter_map(words).collect::<Vec<_>>(), verbs());
}

/// Every long flag that is named somewhere is one that some verb, or a script of the checkout, has.
#[test]
fn the_flags_are_real() {
    let mut known = BTreeSet::new();
    let scripts = ["tests/run", "examples/quickstart", "tests/cluster/up"].map(file).concat();
    let texts = verbs().iter().map(|verb| help(verb)).chain([scripts]).collect::<String>();
    let flags = |text: &str| -> Vec<String> {
        let flag = |word: &str| word.strip_prefix("--").is_some_and(|name| name.starts_with(char::is_alphabetic));
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|w| flag(w)).map(str::to_owned).collect()
    };
    known.extend(flags(&texts));
    // Of cargo and krew, which install the program, and of a tool that a table names.
    known.extend(["--path", "--manifest-url"].map(str::to_owned));
    // Of GNU parallel, Slurm and HyperQueue, in the tables that name what is the same here.
    let of_others =
        ["--halt", "--time", "--header", "--colsep", "--retry-failed", "--wait", "--from-json", "--tasks", "--filter"];
    known.extend(of_others.map(str::to_owned));
    // Of kubectl, in hints that name it.
    known.insert("--show-labels".to_owned());
    for (path, text) in documents() {
        for flag in flags(&text) {
            assert!(known.contains(&flag), "{path} names {flag}, which nothing has");
        }
    }
}

/// The exit codes are those that `--help` documents.
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

/// Links into the checkout lead somewhere.
#[test]
fn the_links_lead_somewhere() {
    for (path, text) in documents() {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            assert!(link.starts_with("https://") || folder.join(link).exists(), "{path}: {link} is missing");
        }
    }
    let readme = file("README.md");
    assert!(
        CHAPTERS.iter().all(|name| readme.contains(&format!("(src/manual/{name}.md)"))),
        "README.md links every chapter"
    );
}

/// The pages for developers name files that are there.
#[test]
fn the_pages_for_developers_name_real_files() {
    for page in [".github/CONTRIBUTING.md", ".github/HOW_IT_WORKS.md"] {
        let text = file(page);
        let paths =
            text.split('`').skip(1).step_by(2).filter(|word| word.starts_with("src/") && !word.contains("VERB"));
        let paths: Vec<_> = paths.collect();
        assert!(paths.len() > 3, "{page}");
        for path in paths {
            assert!(root().join(path).exists(), "{page} names {path}, which is missing");
        }
    }
}

/// A topic that is no chapter and no verb is wrong usage; the chapters come as they are where no terminal is.
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
    let said = "error: there is no chapter or verb \"nonsense\"\nhint: kubectl indexed help lists both\n";
    assert_eq!((wrong.code, wrong.stderr.as_str()), (2, said));
}
