//! `Warning:` headers of the server's answers, as kubectl takes them (`util/net` of apimachinery, `rest` of client-go).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use http::header::WARNING;

use super::Hook;

/// The only code that kubectl prints.
const PERSISTENT: &str = "299";

pub(super) struct Warnings {
    hook: Hook,
    reported: Mutex<BTreeSet<String>>,
}

impl Warnings {
    pub(super) fn new(hook: Hook) -> Self {
        Self { hook, reported: Mutex::default() }
    }

    /// Reports the new warnings of an answer.
    pub(super) fn report_headers(&self, headers: &HeaderMap) {
        let Some(hook) = &self.hook else { return };
        let headers = headers.get_all(WARNING).iter().filter_map(|header| std::str::from_utf8(header.as_bytes()).ok());
        for text in headers.flat_map(parse_warnings) {
            if self.reported.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
                hook(&text);
            }
        }
    }
}

/// Returns the texts of a header: `CODE AGENT "TEXT"`, perhaps with a date, separated by commas (RFC 7234, 5.5). Stops
/// at malformed text.
fn parse_warnings(header: &str) -> Vec<String> {
    let (mut texts, mut rest) = (Vec::new(), header);
    while let Some((code, text, behind)) = parse_warning(rest) {
        if code == PERSISTENT && !text.is_empty() {
            texts.push(text);
        }
        rest = behind;
    }
    texts
}

/// Returns the code and text of the first warning, and the rest.
fn parse_warning(header: &str) -> Option<(&str, String, &str)> {
    let (code, rest) = header.trim_start().split_once(' ')?;
    let (_agent, rest) = rest.split_once(' ')?;
    let (text, rest) = parse_quoted(rest)?;
    let (_date, rest) = parse_quoted(rest.trim_start()).unwrap_or((String::new(), rest));
    Some((code, text, rest.trim_start().trim_start_matches(',')))
}

/// Returns a quoted string without quotes and backslashes, and the rest.
fn parse_quoted(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.strip_prefix('"')?.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => return Some((text, &quoted[position + 2..])),
            '\\' => text.push(characters.next()?.1),
            other => text.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::HeaderValue;

    use super::*;

    #[test]
    fn texts_are_read_as_kubectl_reads_them() {
        for (header, expected) in [
            (r#"299 - "batch/v1beta1 is deprecated""#, &["batch/v1beta1 is deprecated"][..]),
            (
                r#"299 - "say \"a, b\" \\ c", 299 agent "two" "Mon, 01 Jan 2024 00:00:00 GMT", 299 - "three""#,
                &[r#"say "a, b" \ c"#, "two", "three"],
            ),
            (r#"199 - "transient",299 - "stays""#, &["stays"]),
            (r#"299 - """#, &[]),
            (r#"299 - "no end"#, &[]),
            ("299 -", &[]),
            ("", &[]),
        ] {
            assert_eq!(parse_warnings(header), expected, "{header}");
        }
    }

    #[test]
    fn each_text_is_reported_once() {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hook = {
            let heard = Arc::clone(&heard);
            move |text: &str| heard.lock().unwrap().push(text.to_owned())
        };
        let warnings = Warnings::new(Some(Arc::new(hook)));
        let mut headers = HeaderMap::new();
        for text in [r#"299 - "one""#, r#"299 - "two, ü""#, r#"299 - "one""#] {
            headers.append(WARNING, HeaderValue::from_bytes(text.as_bytes()).unwrap());
        }
        warnings.report_headers(&headers);
        warnings.report_headers(&headers);
        assert_eq!(*heard.lock().unwrap(), ["one", "two, ü"]);
    }
}
