//! Scripts of random words, which the shells of this machine run.

use proptest::prelude::*;

use super::*;

/// A word of a script whose output is known.
#[derive(Clone, Debug)]
enum ShellWord {
    Text(String),
    Value,
    Joined(Vec<ShellWord>),
    Double(Box<ShellWord>),
    /// Texts, each with or without a value after it.
    Single(Vec<(String, bool)>),
    /// In one of the [`COMMANDS`], which add a full stop to keep final line breaks.
    Substituted(usize, Box<ShellWord>),
    /// With or without a backslash before double quotes.
    Backtick(bool, Box<ShellWord>),
    Default(Box<ShellWord>),
    /// Whether the shell removes tabs at the start of lines.
    Document(bool, Box<ShellWord>),
}

/// Commands around another one, at `@`.
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

    /// Returns whether the word's own text has quotes.
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

/// Returns text escaped for its place; the final underscore separates a `$` from a placeholder.
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

/// Any bytes but NUL, often those with a meaning in a shell.
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
    fn every_byte_arrives_at_every_placeholder(
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

    #[test]
    fn a_broken_script_keeps_its_text_and_placeholders(
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
