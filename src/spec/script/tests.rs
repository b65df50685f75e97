use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use super::*;
use crate::spec::template::{self, PlaceholderSubject};

mod evaluation;
mod shell_words;

fn words(text: &str) -> Vec<String> {
    text.split('|').map(str::to_owned).collect()
}

/// Returns the segments of a script whose items have the columns `n` and `m`.
fn segments(script: &str) -> Vec<Segment> {
    let template = template::parse(&[script.to_owned()], &words("n|m"), true).unwrap();
    template.arguments.into_iter().next().unwrap()
}

fn variable(placeholder: &Placeholder) -> String {
    match placeholder.subject {
        PlaceholderSubject::Item => "I".to_owned(),
        PlaceholderSubject::Column(place) => format!("C{place}"),
        PlaceholderSubject::Index => "N".to_owned(),
    }
}

fn with_references(script: &str) -> String {
    insert_references(&segments(script), &words("n|m"), &variable).unwrap()
}

#[test]
fn scripts_are_found_after_any_options() {
    let found = |text: &str| {
        let command = words(text);
        let scripts = scripts(&command);
        scripts.into_iter().map(|at| command[at].clone()).collect::<Vec<_>>().join(",")
    };
    for command in [
        "sh|-c|S",
        "/bin/bash|-c|S|sh|x",
        "sh|-ec|S",
        "sh|-c|-e|S",
        "bash|-euo|pipefail|-c|S",
        "bash|-ceuo|pipefail|S",
        "bash|-o|pipefail|-O|extglob|-c|S",
        "bash|+o|posix|-c|S",
        "bash|--norc|--rcfile|f|-lc|S",
        "zsh|-fc|S",
        "sh|-c|--|S",
        "sh|-c|-|S",
        "timeout|10|dash|-c|S",
        "busybox|sh|-c|S",
        "/bin/busybox|ash|-c|S",
        "env|A=b|ksh|-c|S",
        "nice|sh|-c|S|sh|-x",
    ] {
        assert_eq!(found(command), "S", "{command}");
    }
    for command in
        ["sh|S", "sh|S|-c|x", "sh", "sh|-c", "sh|-e|S", "sh|+c|S", "bash|--|-c|x", "cat|-c|S", "flash|-c|x", ""]
    {
        assert_eq!(found(command), "", "{command}");
    }
    assert_eq!(found(r#"sh|-c|exec "$@"|sh|bash|-c|S"#), r#"exec "$@",S"#);
}

#[test]
fn a_reference_is_quoted_for_its_place() {
    insta::assert_snapshot!(with_references("echo {} a{n}b{m.}{#}"), @r#"echo "${I}" a"${C0}"b"${C1}""${N}""#);
    insta::assert_snapshot!(with_references(r#"echo "a {} b" "$(cat {} "{}")" {}"#), @r#"echo "a ${I} b" "$(cat "${I}" "${I}")" "${I}""#);
    insta::assert_snapshot!(with_references(r"awk '{print {}}' $'it\'s {}' '{{}}'"), @r#"awk '{print '"${I}"'}' $'it\'s '"${I}"$'' '{}'"#);
    insta::assert_snapshot!(with_references(r#"echo \" {} \' {} \\"{}" "\" {}" "#), @r#"echo \" "${I}" \' "${I}" \\"${I}" "\" ${I}" "#);
    insta::assert_snapshot!(with_references("for f in {}; do (cat <{} >>{}); done | f() { g {}; }"), @r#"for f in "${I}"; do (cat <"${I}" >>"${I}"); done | f() { g "${I}"; }"#);
}

#[test]
fn expansions_nest() {
    insta::assert_snapshot!(with_references(r#"${x:-{}} "${x:-{}}" "${x:-"{}"}" ${x:-'{}'} "${x:-'{}'}""#), @r#"${x:-"${I}"} "${x:-${I}}" "${x:-"${I}"}" ${x:-''"${I}"''} "${x:-'${I}'}""#);
    insta::assert_snapshot!(with_references(r#"${x#{}} "${x%%{}}" "${x#'{}'}" "${#x}{}" ${#}{} "${a[{}]}""#), @r#"${x#"${I}"} "${x%%"${I}"}" "${x#''"${I}"''}" "${#x}${I}" ${#}"${I}" "${a["${I}"]}""#);
    insta::assert_snapshot!(with_references("$(({} + $(echo {}))) $(( (1) + {})) ${x:{}:2} ((i < {}))"), @r#"$((${I} + $(echo "${I}"))) $(( (1) + ${I})) ${x:${I}:2} ((i < ${I}))"#);
    insta::assert_snapshot!(with_references("$( (a {}) ) $((a {}); b) ((a {}); b)"), @r#"$( (a "${I}") ) $((a "${I}"); b) ((a "${I}"); b)"#);
    insta::assert_snapshot!(with_references(r#"`a {} \`b "{}"\`` "`c {} \"{}\"`" {}"#), @r#"`a "${I}" \`b "${I}"\`` "`c "${I}" \"${I}\"`" "${I}""#);
}

#[test]
fn comments_and_keywords_do_not_mislead() {
    insta::assert_snapshot!(with_references("a {} # it's {}\nb {}#'{}' $# ${#a} \\\n# isn't\n{}"), @r##"
    a "${I}" # it's ${I}
    b "${I}"#''"${I}"'' $# ${#a} \
    # isn't
    "${I}"
    "##);
    insta::assert_snapshot!(with_references(r#""$(case {} in a|{}) b {};; (c) d;; esac; e {})" "{}""#), @r#""$(case "${I}" in a|"${I}") b "${I}";; (c) d;; esac; e "${I}")" "${I}""#);
    insta::assert_snapshot!(with_references(r#""$(if a; then case x in x) case y in y) b;; esac; esac fi)" "{}""#), @r#""$(if a; then case x in x) case y in y) b;; esac; esac fi)" "${I}""#);
    insta::assert_snapshot!(with_references(r#""$(echo case esac in x; for case in a; do b; done)" "{}""#), @r#""$(echo case esac in x; for case in a; do b; done)" "${I}""#);
    insta::assert_snapshot!(with_references(r#""$(a=(case x) && [[ y == +(case|z) ]])" "{}""#), @r#""$(a=(case x) && [[ y == +(case|z) ]])" "${I}""#);
}

#[test]
fn here_documents_are_followed_to_their_end() {
    insta::assert_snapshot!(with_references("cat <<A - <<'B' {}\nit's {} \"{}\" $(echo {})\nA\nit's \"\nB\n{}"), @r#"
    cat <<A - <<'B' "${I}"
    it's ${I} "${I}" $(echo "${I}")
    A
    it's "
    B
    "${I}"
    "#);
    insta::assert_snapshot!(with_references("(cat <<-A; b) {}\n\t'\\\\{}\n\tA\n{} <<<{} $((1<<2)) {}"), @r#"
    (cat <<-A; b) "${I}"
    	'\\${I}
    	A
    "${I}" <<<"${I}" $((1<<2)) "${I}"
    "#);
    // A line that is continued doesn't end it, and nothing but the end of the script does then.
    insta::assert_snapshot!(with_references("cat <<A\n\\\nA\n'{}"), @r"
    cat <<A
    \
    A
    '${I}
    ");
}

#[test]
fn a_backslash_before_a_reference_stays_a_backslash() {
    insta::assert_snapshot!(with_references(r#""a\{}" "`echo "\{}"`" \\{}"#), @r#""a\\${I}" "`echo "\\\\${I}"`" \\"${I}""#);
}

#[test]
fn a_place_without_expansion_is_an_error() {
    let problem = |script: &str| {
        let error = insert_references(&segments(script), &words("n|m"), &variable).unwrap_err();
        format!("{error}\nhint: {}", error.hints().join("\nhint: "))
    };
    insta::assert_snapshot!(problem("cat <<'EOF'\n{m.}\nEOF"), @"
    {m.} can't be replaced at its place in the script: a shell expands nothing in a here-document with the quoted delimiter EOF
    hint: write <<EOF without quotes, or use --item-as env and read the variable
    hint: write {{m.}} for the text {m.} itself
    ");
    insta::assert_snapshot!(problem("cat <<{#}\n"), @"
    {#} can't be replaced at its place in the script: a shell does not expand the delimiter of a here-document
    hint: write {{#}} for the text {#} itself
    ");
    insta::assert_snapshot!(problem(r"find . -exec a \{} \;"), @"
    {} can't be replaced at its place in the script: the backslash before it would escape the quotes around its value
    hint: write {{}} for the text {} itself
    ");
    insta::assert_snapshot!(problem(r"a $'\{n}'"), @"
    {n} can't be replaced at its place in the script: the backslash before it would escape the quotes around its value
    hint: write {{n}} for the text {n} itself
    ");
    insta::assert_snapshot!(problem("cat <<E\n${x%{}}\nE"), @"
    {} can't be replaced at its place in the script: shells differ in how they read a pattern in a here-document
    hint: assign the value to a variable before the here-document, and use that
    hint: write {{}} for the text {} itself
    ");
    insta::assert_snapshot!(problem(&"$(".repeat(101)), @"
    quotes and substitutions in the script nest more than 100 levels deep
    hint: put the script into the image, or use --item-as env and no placeholders
    ");
    assert!(insert_references(&segments(&"\"$(".repeat(49)), &[], &variable).is_ok());
}

/// Returns the shells of this machine, as commands without a script.
fn shells() -> Vec<Vec<&'static str>> {
    let known = [vec!["sh", "-c"], vec!["bash", "-c"], vec!["busybox", "sh", "-c"]];
    let runs = |shell: &Vec<&str>| {
        let run = Command::new(shell[0]).args(&shell[1..]).arg(":").output();
        run.is_ok_and(|output| output.status.success())
    };
    known.into_iter().filter(runs).collect()
}

/// Returns what the shell prints for `script`, with the variables I0, I1 and so on.
fn printed(shell: &[&str], script: &str, items: &[Vec<u8>]) -> Vec<u8> {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg(script);
    for (number, item) in items.iter().enumerate() {
        command.env(format!("I{number}"), OsStr::from_bytes(item));
    }
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.is_empty(), "{shell:?} says {complaint} of\n{script}");
    output.stdout
}

#[test]
fn every_byte_arrives_in_places_without_random_words() {
    let item = b" '\"$(echo x)`\\*?[a]#%/&-\xff\x81\n\n".to_vec();
    let scripts = [
        ("v={}; printf %s \"$v\"", &item[..]),
        (
            "v=a{}; printf '%s|' \"${v#a}\" \"${v%{}}\" \"${v#'a'}\" \"${v#\"a\"{}}\"",
            &[&item[..], b"|a|", &item[..], b"||"].concat(),
        ),
        ("v=a{}; cat <<E\n${v#a}{}.\nE", &[&item[..], &item, b".\n"].concat()),
        ("set -- {} \"{}\" '{}'; printf '%s|' \"$#\" \"$3\"", &[b"3|", &item[..], b"|"].concat()),
        ("case {} in {}) printf yes;; *) printf no; esac", b"yes"),
        ("printf %s '<({}' \">({})\" | cat", &[b"<(", &item[..], b">(", &item, b")"].concat()),
        ("f() { printf %s \"$1\"; }; f {}", &item),
        ("printf %s \"a\\{}\"", &[b"a\\", &item[..]].concat()),
        ("for i in {}; do printf '%s.' \"$i\"; done", &[&item[..], b"."].concat()),
        ("eval 'printf %s \"$1\"' # {}", b""),
    ];
    for shell in shells() {
        for (script, expected) in scripts {
            let script = insert_references(&segments(script), &[], &|_| "I0".to_owned()).unwrap();
            let printed = printed(&shell, &script, std::slice::from_ref(&item));
            assert_eq!(String::from_utf8_lossy(&printed), String::from_utf8_lossy(expected), "{shell:?} runs {script}");
        }
        let script = with_references("printf %s $(({} * (2 + $(echo {})))) $(( $(( {} )) ))").replace('I', "I0");
        assert_eq!(printed(&shell, &script, &[b"7".to_vec()]), b"637");
    }
    let script =
        insert_references(&segments("v=(a {} c); printf %s $'\\x2d{}\\n' \"${v[1]/{}/b}\" <<<{}"), &[], &|_| {
            "I0".to_owned()
        });
    let expected = [b"-", &item[..], b"\nb"].concat();
    for bash in shells().iter().filter(|shell| shell[0] == "bash") {
        assert_eq!(printed(bash, script.as_ref().unwrap(), std::slice::from_ref(&item)), expected);
    }
}
