use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::spec::template::{self, Subject};

fn words(text: &str) -> Vec<String> {
    text.split('|').map(str::to_owned).collect()
}

/// The segments of a script whose items have the columns `n` and `m`.
fn segments(script: &str) -> Vec<Segment> {
    let template = template::parse(&[script.to_owned()], &words("n|m"), true).unwrap();
    template.arguments.into_iter().next().unwrap()
}

fn variable(placeholder: &Placeholder) -> String {
    match placeholder.subject {
        Subject::Item => "I".to_owned(),
        Subject::Column(place) => format!("C{place}"),
        Subject::Index => "N".to_owned(),
    }
}

fn referring(script: &str) -> String {
    insert_references(&segments(script), &words("n|m"), &variable).unwrap()
}

#[test]
fn scripts_are_found_behind_any_options() {
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
    insta::assert_snapshot!(referring("echo {} a{n}b{m.}{#}"), @r#"echo "${I}" a"${C0}"b"${C1}""${N}""#);
    insta::assert_snapshot!(referring(r#"echo "a {} b" "$(cat {} "{}")" {}"#), @r#"echo "a ${I} b" "$(cat "${I}" "${I}")" "${I}""#);
    insta::assert_snapshot!(referring(r"awk '{print {}}' $'it\'s {}' '{{}}'"), @r#"awk '{print '"${I}"'}' $'it\'s '"${I}"$'' '{}'"#);
    insta::assert_snapshot!(referring(r#"echo \" {} \' {} \\"{}" "\" {}" "#), @r#"echo \" "${I}" \' "${I}" \\"${I}" "\" ${I}" "#);
    insta::assert_snapshot!(referring("for f in {}; do (cat <{} >>{}); done | f() { g {}; }"), @r#"for f in "${I}"; do (cat <"${I}" >>"${I}"); done | f() { g "${I}"; }"#);
}

#[test]
fn expansions_nest() {
    insta::assert_snapshot!(referring(r#"${x:-{}} "${x:-{}}" "${x:-"{}"}" ${x:-'{}'} "${x:-'{}'}""#), @r#"${x:-"${I}"} "${x:-${I}}" "${x:-"${I}"}" ${x:-''"${I}"''} "${x:-'${I}'}""#);
    insta::assert_snapshot!(referring(r#"${x#{}} "${x%%{}}" "${x#'{}'}" "${#x}{}" ${#}{} "${a[{}]}""#), @r#"${x#"${I}"} "${x%%"${I}"}" "${x#''"${I}"''}" "${#x}${I}" ${#}"${I}" "${a["${I}"]}""#);
    insta::assert_snapshot!(referring("$(({} + $(echo {}))) $(( (1) + {})) ${x:{}:2} ((i < {}))"), @r#"$((${I} + $(echo "${I}"))) $(( (1) + ${I})) ${x:${I}:2} ((i < ${I}))"#);
    insta::assert_snapshot!(referring("$( (a {}) ) $((a {}); b) ((a {}); b)"), @r#"$( (a "${I}") ) $((a "${I}"); b) ((a "${I}"); b)"#);
    insta::assert_snapshot!(referring(r#"`a {} \`b "{}"\`` "`c {} \"{}\"`" {}"#), @r#"`a "${I}" \`b "${I}"\`` "`c "${I}" \"${I}\"`" "${I}""#);
}

#[test]
fn comments_and_keywords_do_not_mislead() {
    insta::assert_snapshot!(referring("a {} # it's {}\nb {}#'{}' $# ${#a} \\\n# isn't\n{}"), @r##"
    a "${I}" # it's ${I}
    b "${I}"#''"${I}"'' $# ${#a} \
    # isn't
    "${I}"
    "##);
    insta::assert_snapshot!(referring(r#""$(case {} in a|{}) b {};; (c) d;; esac; e {})" "{}""#), @r#""$(case "${I}" in a|"${I}") b "${I}";; (c) d;; esac; e "${I}")" "${I}""#);
    insta::assert_snapshot!(referring(r#""$(if a; then case x in x) case y in y) b;; esac; esac fi)" "{}""#), @r#""$(if a; then case x in x) case y in y) b;; esac; esac fi)" "${I}""#);
    insta::assert_snapshot!(referring(r#""$(echo case esac in x; for case in a; do b; done)" "{}""#), @r#""$(echo case esac in x; for case in a; do b; done)" "${I}""#);
    insta::assert_snapshot!(referring(r#""$(a=(case x) && [[ y == +(case|z) ]])" "{}""#), @r#""$(a=(case x) && [[ y == +(case|z) ]])" "${I}""#);
}

#[test]
fn here_documents_are_followed_to_their_end() {
    insta::assert_snapshot!(referring("cat <<A - <<'B' {}\nit's {} \"{}\" $(echo {})\nA\nit's \"\nB\n{}"), @r#"
    cat <<A - <<'B' "${I}"
    it's ${I} "${I}" $(echo "${I}")
    A
    it's "
    B
    "${I}"
    "#);
    insta::assert_snapshot!(referring("(cat <<-A; b) {}\n\t'\\\\{}\n\tA\n{} <<<{} $((1<<2)) {}"), @r#"
    (cat <<-A; b) "${I}"
    	'\\${I}
    	A
    "${I}" <<<"${I}" $((1<<2)) "${I}"
    "#);
    // A line that is continued doesn't end it, and nothing but the end of the script does then.
    insta::assert_snapshot!(referring("cat <<A\n\\\nA\n'{}"), @r"
    cat <<A
    \
    A
    '${I}
    ");
}

#[test]
fn a_backslash_before_a_reference_stays_a_backslash() {
    insta::assert_snapshot!(referring(r#""a\{}" "`echo "\{}"`" \\{}"#), @r#""a\\${I}" "`echo "\\\\${I}"`" \\"${I}""#);
}

#[test]
fn where_nothing_is_replaced_is_an_error() {
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

/// The variables of a script that a shell evaluates once more, with placeholders as `I`, `C0` and `C1`.
fn evaluated_in(script: &str) -> String {
    let mut found: Vec<_> = find_evaluated(&referring(script)).unwrap();
    found.retain(|(name, _)| ["I", "C0", "C1"].contains(&name.as_str()));
    let mut found: Vec<_> = found.iter().map(|(name, place)| format!("{name} {place:?}")).collect();
    found.sort();
    found.dedup();
    found.join(", ")
}

#[test]
fn formulas_take_numbers_only() {
    insta::assert_snapshot!(evaluated_in("echo {} $(({n} + $(cat {#}) + {n})) ${x:{m}}"), @"C0 Arithmetic, C1 Arithmetic");
    insta::assert_snapshot!(evaluated_in("for ((i = {m}; i < 3; i++)); do :; done; {n}"), @"C1 Arithmetic");
    insta::assert_snapshot!(evaluated_in("a[b[1] + {}]={n}; echo $[ a[1] + {m} ]"), @"C1 Arithmetic, I Arithmetic");
    insta::assert_snapshot!(evaluated_in("[[ -n {n} && ( {} -eq 1 ) ]] && read {m}"), @"C1 Name, I Arithmetic");
    insta::assert_snapshot!(evaluated_in("trap 'rm {}' EXIT; eval \"x={n}\""), @"C0 Code, I Code");
    for number in ["0", "-1", "+7", "0x1F", "1.5", ".5", "1e3", "-2.5E-3"] {
        assert!(is_number(number.as_bytes()), "{number}");
    }
    for other in ["", "-", "a", "0x", "x[$(id)]", "1+1", "1 ", "inf", "nan", "--1", "0x-1", "1_0", "\u{663}", "PATH"] {
        assert!(!is_number(other.as_bytes()), "{other}");
    }
    assert!(!is_number(b"1\xff"));
}

/// The shells of this machine, as commands that a script is appended to.
fn shells() -> Vec<Vec<&'static str>> {
    let known = [vec!["sh", "-c"], vec!["bash", "-c"], vec!["busybox", "sh", "-c"]];
    let there = |shell: &Vec<&str>| {
        let run = Command::new(shell[0]).args(&shell[1..]).arg(":").output();
        run.is_ok_and(|output| output.status.success())
    };
    known.into_iter().filter(there).collect()
}

/// What the shell prints for `script`, with the variables I0, I1 and so on.
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

/// A word of a script that prints what is known beforehand.
#[derive(Clone, Debug)]
enum ShellWord {
    Text(String),
    Value,
    Joined(Vec<ShellWord>),
    Double(Box<ShellWord>),
    /// Text and perhaps a value after it.
    Single(Vec<(String, bool)>),
    /// In one of the [`COMMANDS`], which add a full stop, so that no line break is lost.
    Substituted(usize, Box<ShellWord>),
    /// With or without a backslash before double quotes.
    Backtick(bool, Box<ShellWord>),
    Default(Box<ShellWord>),
    /// Whether tabs at the start of lines go.
    Document(bool, Box<ShellWord>),
}

/// Commands around one that stands for `@`.
const COMMANDS: [&str; 16] = [
    "@; printf .",
    " (@); printf .",
    " ( (@) ); printf .",
    "case x in y) ;; x) @ ;; esac; printf .",
    "case x in\n(x|y) @;; # it's )\nesac\nprintf .",
    "# it's {} ) \" here\n@\nprintf .",
    "f() { @; }; f; printf .",
    "f() case x in x) @; esac; f; printf .",
    "for case in 1; do @; done; printf .",
    "if :; then case a in a) case b in b) @; esac; esac; fi; printf .",
    ": case esac; while :; do @; break; done; printf .",
    ": <<'X'\nit's \" ) case x in\nX\n@\nprintf .",
    " (: <<X)\nit's {} \" )\nX\n@\nprintf .",
    ": \"${u:-)}\" ')' \\) \\\n# it's\n@; printf .",
    "@ | cat; : $(( (1) + 1 )) $((1 << 2)); printf .",
    "{ @; } 2>&1 && printf . || :",
];

#[derive(Clone, Copy, PartialEq)]
enum QuoteContext {
    Unquoted,
    Double,
    Document,
}

impl ShellWord {
    fn strategy() -> impl Strategy<Value = Self> {
        // In a here-document bash drops a backslash before a line break even where a substitution quotes it.
        let text = || "[a-c'\"\\\\$`#*~ \n;&|()<>!-]{0,4}".prop_map(|text| text.replace("\\\n", ""));
        let single = proptest::collection::vec((text(), any::<bool>()), 0..4);
        let leaf = prop_oneof![
            3 => Just(Self::Value),
            1 => text().prop_map(Self::Text),
            1 => single.prop_map(Self::Single),
        ];
        leaf.prop_recursive(5, 12, 3, |inner| {
            let one = || inner.clone().prop_map(Box::new);
            prop_oneof![
                2 => proptest::collection::vec(inner.clone(), 1..4).prop_map(Self::Joined),
                1 => one().prop_map(Self::Double),
                2 => (0..COMMANDS.len(), one()).prop_map(|(kind, word)| Self::Substituted(kind, word)),
                2 => (any::<bool>(), one()).prop_map(|(escape, word)| Self::Backtick(escape, word)),
                1 => one().prop_map(Self::Default),
                1 => (any::<bool>(), one()).prop_map(|(tabs, word)| Self::Document(tabs, word)),
            ]
        })
    }

    fn script(&self, context: QuoteContext, depth: usize) -> String {
        let quoted = |script: String| match context {
            QuoteContext::Unquoted => format!("\"{script}\""),
            QuoteContext::Double | QuoteContext::Document => script,
        };
        let plain = |word: &Self| word.script(QuoteContext::Unquoted, depth + 1);
        match self {
            Self::Text(text) => escaped(text, context),
            Self::Value => "{}".to_owned(),
            Self::Joined(words) => words.iter().map(|word| word.script(context, depth + 1)).collect(),
            Self::Double(word) if context == QuoteContext::Unquoted => {
                format!("\"{}\"", word.script(QuoteContext::Double, depth + 1))
            }
            Self::Double(word) => word.script(context, depth + 1),
            Self::Single(parts) => {
                let value = |there: &bool| if *there { "{}" } else { "" };
                let quote = if context == QuoteContext::Unquoted { "'" } else { "" };
                let part = |(text, there): &(String, bool)| match context {
                    QuoteContext::Unquoted => text.replace('\'', "") + "_" + value(there),
                    _ => escaped(&text.replace('\'', ""), context) + value(there),
                };
                format!("{quote}{}{quote}", parts.iter().map(part).collect::<String>())
            }
            Self::Substituted(kind, word) => {
                quoted(format!("$({})", COMMANDS[*kind].replace('@', &format!("printf %s {}", plain(word)))))
            }
            Self::Backtick(escape, word) => {
                let mut inner = format!("printf %s {}; printf .", plain(word));
                for c in ["\\", "`", "$"]
                    .into_iter()
                    .chain(escape.then_some("\"").filter(|_| context != QuoteContext::Document))
                {
                    inner = inner.replace(c, &format!("\\{c}"));
                }
                quoted(format!("`{inner}`"))
            }
            // Within quotes, shells differ on what a quote in braces opens.
            Self::Default(word) if context != QuoteContext::Unquoted && word.has_quotes() => {
                word.script(context, depth + 1)
            }
            Self::Default(word) => format!("${{u:-{}}}", word.script(context, depth + 1)),
            Self::Document(tabs, word) => {
                let body = word.script(QuoteContext::Document, depth + 1);
                let (dash, tab) = if *tabs { ("-", "\t") } else { ("", "") };
                quoted(format!("$(cat <<{dash}E{depth}\n{tab}:{body}\n.\n{tab}E{depth}\n)"))
            }
        }
    }

    /// Whether there are quotes in its own text.
    fn has_quotes(&self) -> bool {
        match self {
            Self::Text(text) => text.contains(['"', '\'']),
            Self::Single(parts) => parts.iter().any(|(text, _)| text.contains('"')),
            Self::Joined(words) => words.iter().any(Self::has_quotes),
            Self::Double(word) | Self::Default(word) => word.has_quotes(),
            Self::Value | Self::Substituted(..) | Self::Backtick(..) | Self::Document(..) => false,
        }
    }

    fn prints(&self, item: &[u8]) -> Vec<u8> {
        match self {
            Self::Text(text) => format!("{text}_").into(),
            Self::Value => item.to_owned(),
            Self::Joined(words) => words.iter().flat_map(|word| word.prints(item)).collect(),
            Self::Double(word) | Self::Default(word) => word.prints(item),
            Self::Single(parts) => {
                let part = |(text, there): &(String, bool)| {
                    [text.replace('\'', "").as_bytes(), b"_", if *there { item } else { b"" }].concat()
                };
                parts.iter().flat_map(part).collect()
            }
            Self::Substituted(_, word) | Self::Backtick(_, word) => [&word.prints(item)[..], b"."].concat(),
            Self::Document(_, word) => [b":", &word.prints(item)[..], b"\n."].concat(),
        }
    }
}

/// Text as it must be written to stand for itself; the line at its end keeps a `$` apart from a placeholder.
fn escaped(text: &str, context: QuoteContext) -> String {
    let special = |c: char| match context {
        QuoteContext::Unquoted => !c.is_alphanumeric(),
        QuoteContext::Double => "\"\\$`".contains(c),
        QuoteContext::Document => "\\$`".contains(c),
    };
    let escape = |c: char| match c {
        // A backslash before a line break takes it away.
        '\n' if context == QuoteContext::Unquoted => "'\n'".to_owned(),
        c if special(c) => format!("\\{c}"),
        c => c.to_string(),
    };
    text.chars().map(escape).chain(["_".to_owned()]).collect()
}

/// Any bytes but NUL, and often those that mean something to a shell.
fn item() -> impl Strategy<Value = Vec<u8>> {
    let telling: [&[u8]; 30] = [
        b"'",
        b"\"",
        b"$",
        b"`",
        b"\\",
        b"\n",
        b"*",
        b" ",
        b"-",
        b"-n",
        b"$(echo x)",
        b"`echo x`",
        b"${PATH}",
        b"a",
        b"?",
        "é".as_bytes(),
        "🦀".as_bytes(),
        b"\xff",
        b"\x81",
        b"\x88",
        b"\x01",
        b"\x7f",
        b";",
        b"#",
        b"{}",
        b"!",
        b"~",
        b"E0\n",
        b"\t",
        b"&",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(telling.to_vec()).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(1u8.., 1..4),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    // Each case is many scripts in one, so that few processes are needed.
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_arrives_wherever_it_is_asked_for(
        lines in proptest::collection::vec((ShellWord::strategy(), item()), 1..40),
    ) {
        let mut script = String::new();
        let mut expected = Vec::new();
        let mut items = Vec::new();
        for (word, item) in &lines {
            let word_of_script = word.script(QuoteContext::Unquoted, 0);
            // bash 5.2 takes what looks like a process substitution as one even in a here-document, and in quotes within
            // backquotes in double quotes.
            if word_of_script.contains("<(") || word_of_script.contains(">(") {
                continue;
            }
            let number = items.len();
            let line = format!("printf %s {word_of_script}\nprintf '\\000'\n");
            script += &insert_references(&segments(&line), &[], &|_| format!("I{number}")).unwrap();
            expected.push(word.prints(item));
            items.push(item.clone());
        }
        expected.push(Vec::new());
        for shell in shells() {
            let printed = printed(&shell, &script, &items);
            let printed: Vec<_> = printed.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(&printed, &expected, "{:?} runs\n{}", shell, script);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// However broken a script is, its text stays and no placeholder gets lost.
    #[test]
    fn nothing_is_lost(
        pieces in proptest::collection::vec(prop_oneof![
            3 => Just("{}"),
            7 => proptest::sample::select(vec![
                "'", "\"", "\\", "`", "$", "$(", "((", "(", ")", "))", "${x", "${x:-", "${x#", "${x[", "]", "}", "<<E", "<<'E'",
                "<<-", "\n", "\nE\n", "\t", " ", "case x in ", "esac", ";", ";;", "#", "a", "=", "é", "&", "|", "$'",
            ]),
        ], 0..40),
    ) {
        let script = pieces.concat();
        let segments = segments(&script);
        let values = segments.iter().filter(|segment| matches!(segment, Segment::Value(_))).count();
        let Ok(text) = insert_references(&segments, &[], &|_| "ITEM".to_owned()) else {
            return Ok(());
        };
        prop_assert_eq!(text.matches("${ITEM}").count(), values, "{}", text);
        // Quotes and backslashes are all that is added.
        let bare = |text: &str| text.replace(['\'', '"', '\\', '$'], "");
        prop_assert_eq!(bare(&text.replace("${ITEM}", "{}")), bare(&script));
    }
}

/// What the words above can't be made of.
#[test]
fn every_byte_arrives_in_other_places() {
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
        let script = referring("printf %s $(({} * (2 + $(echo {})))) $(( $(( {} )) ))").replace('I', "I0");
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

/// Values whose commands run wherever a shell evaluates them; the second is for arrays.
const INJECTIONS: [&str; 2] = ["x[$(echo INJECTED >&2)0]", "($(echo INJECTED >&2))"];

/// Whether a shell runs what is in a value of the script.
fn runs_its_item(shell: &[&str], script: &str) -> bool {
    INJECTIONS.iter().any(|item| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg(script).env("I", item).current_dir(&folder).stdin(std::process::Stdio::null());
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stderr).lines().any(|line| line == "INJECTED")
    })
}

/// Every way that was found to have a shell evaluate a value once more; bash does so in those before `@`.
const EVALUATING: &str = r#"
a=(1 2); echo "${a[{}]}" ${#a[{}]}
a=(1 2); a[{}]=3
a[{}]+=3
a=([{}]=3)
a+=(["{}"]=3)
declare a[{}]=3
declare "a[{}]=3"
f() { local "a[{}]=3"; }; f
[[ {} -eq 1 ]]
[[ 1 -lt "{}" ]]
[[ -n a && ( 1 = 2 || {} -ge 1 ) ]]
[[ $(echo {}) -eq 1 ]]
if [[ x = x ]] && [[ 1 -ne {} ]]; then :; fi
let "y={}"
let y=1 z={}
declare -i n={}
typeset -i n={}
typeset -i n; n={}
declare -ri n={}
f() { local -i n={}; }; f
declare -i n; n+={}
f() { n={}; }; declare -i n; f
declare -i n; export n={}
declare -i n; for n in {}; do :; done
declare -i n; read n <<< {}
declare -i n; printf -v n %s {}
declare -i n; : ${n:={}}
declare -i n; : ${n={}}
declare -ai a=({})
declare -i a; a=({})
printf -v {} 1
printf -v{} 1
test -v {}
[ -v {} ]
[[ -v {} ]]
read {} </dev/null
echo x | read -r v {}
x=(1); unset {}
declare {}=1
declare -n r={}; echo "$r"
declare -n r; r={}; echo "$r"
declare -a x={}
declare -A x={}
x=(); declare x={}
x=(); readonly -a x={}
f() { local -a x; local x={}; }; f
echo $[ {} ] "$[{}+1]"
mapfile -C {} -c 1 a <<< a
echo "${!I}" {}
x=abc; echo "${x:{}}" "${x:0:{}}" ${x: {} : 1}
echo "${@:{}}"
RANDOM={}
OPTIND={}
HISTCMD={}
PS4="{} "; set -x; :
: >&{}
trap {} EXIT
trap -- 'rm {}' 0
eval {}
eval echo {}
eval "x={}"
eval 'echo {}'
command eval {}
builtin eval {}
command -p eval {}
time -p eval {}
! eval {}
"eval" {}
\eval {}
X=1 eval {}
eval X=1 {}
if :; then eval {}; fi
function f { eval {}; }; f
f() { eval {}; }; f
: > f eval; > f eval {}
compgen -W {}
echo "${I@P}" {}
sh -c "echo {}"
bash -o errexit -ec 'echo {}'
echo a | xargs -I% sh -c "echo % {}"
find . -maxdepth 0 -exec sh -c "echo {}" \;
echo $(( $(echo {}) ))
(( {} > 0 ))
: {}; echo $(( I )) ${a[I]}
: {}; [[ I -eq 1 ]]
: {}; let y=I+1
@
[ {} -eq 1 ]
test 1 -gt {}
integer n={}
export {}
readonly {}=1
read -t {} v
getopts a {} -a
SECONDS={}
shift {}
ulimit -n {}
alias z={}
emulate sh -c {}
"#;

/// What leaves a value what it is, in every shell.
const LEAVING: &str = r#"
echo {} "{}" '{}' $'{}'
x={}; echo "$x"
x={} y=1 env
export x={}
f() { local x={}; }; f
declare x={}
readonly x={}
declare -r x={}
[ -n {} ] && [ {} = x ]
[[ -n {} && {} == x || {} =~ ^a ]]
[[ {} -nt x ]] || [ -f {} ]
case {} in {}) ;; *) ;; esac
for x in {}; do echo "$x"; done
while read -r line; do echo "$line"; done < {}
read x <<< {}
read x < {}
mapfile -t lines < {}
cat <<< {}
cat > {}
echo > "{}.out" 2>&1
echo a >> {}
files=({} b); echo "${files[@]}"
declare -a files=({} b)
files+=({}); echo "${files[0]}"
x=a; echo ${x#{}} ${x%{}} ${x:-{}} ${y:={}}
echo $(( $(wc -l < {}) + 1 ))
n=$(( 1 + 2 )); echo {} $n
set -- {}; echo "$1"
printf '%s %d
' {} 3
printf -v x %s {}
trap 'rm -f "$f"' EXIT; f={}
eval 'echo "$x"'; echo {}
sh -c 'echo "$1"' sh {}
bash -c 'echo "$@"' bash {}
echo {} | xargs -I% echo %
source ./{}
. ./{}
test -d {} || mkdir {}
cd {}
command -v {}
exit {}
if [ "$#" -eq 0 ]; then echo {}; fi
if [[ $x -eq 0 ]]; then echo {}; fi
for i in 1 2 3; do [ "$i" -lt 2 ] && echo {}; done
unset x; echo {}
let x=1; echo {}
declare -i n=1; echo {} $n
a=(1 2); echo "${a[1]}" {}
IFS={}
{ echo {}; } > out
f() { echo "$1"; }; f {}
sleep {}
kill {}
"#;

#[test]
fn no_shell_runs_what_is_in_an_item() {
    let bash = &["bash", "-c"][..];
    let (by_bash, by_others) = EVALUATING
        .split_once(
            "
@
",
        )
        .unwrap();
    let mut wrong = Vec::new();
    for script in by_bash.trim().lines() {
        if !runs_its_item(bash, &referring(script)) {
            wrong.push(format!("bash leaves the item what it is: {script}"));
        }
    }
    for script in by_bash.trim().lines().chain(by_others.trim().lines()) {
        if evaluated_in(script).is_empty() {
            wrong.push(format!("accepted: {script}"));
        }
    }
    let others = ["dash", "ksh", "mksh", "zsh"].into_iter();
    let others = others.filter(|shell| Command::new(shell).args(["-c", ":"]).output().is_ok());
    let shells: Vec<_> = shells().into_iter().chain(others.map(|shell| vec![shell, "-c"])).collect();
    for script in LEAVING.trim().lines() {
        if !evaluated_in(script).is_empty() {
            wrong.push(format!("refused: {script}"));
        }
        let ran = shells.iter().filter(|shell| runs_its_item(shell, &referring(script)));
        wrong.extend(ran.map(|shell| format!("{shell:?} runs the item: {script}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
