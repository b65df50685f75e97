//! Suggestions for a mistyped word.

/// The least Jaro-Winkler similarity of a suggestion, from 0 to 1: `retry` suggests `retries`, `secret` not `server`.
const ALIKE: f64 = 0.85;

/// Returns the candidate that is most similar to `word`, if any is similar enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rate = |other: &str| if is_slip(word, other) { 1.0 } else { strsim::jaro_winkler(word, other) };
    let rated = candidates.into_iter().map(|candidate| (rate(candidate), candidate));
    let best = rated.filter(|(rate, _)| *rate > ALIKE).max_by(|one, other| one.0.total_cmp(&other.0));
    best.map(|(_, candidate)| candidate)
}

/// Returns the candidate that differs from `word` by at most one typing error, case, and `-` for `_`.
pub(crate) fn find_slip<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    candidates.into_iter().find(|candidate| is_slip(&plain(word), &plain(candidate)))
}

fn is_slip(word: &str, other: &str) -> bool {
    word.len() > 2 && strsim::osa_distance(word, other) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_near_and_another_word_is_not() {
        assert_eq!(nearest("lable", ["image", "label", "ttl"]), Some("label"));
        assert_eq!(nearest("train-xbfq2", ["eval-b", "train-xbfg2", "train-b"]), Some("train-xbfg2"));
        assert_eq!(nearest("rnu", ["resume", "run"]), Some("run"));
        assert_eq!(nearest("zebra", ["image", "label", "ttl"]), None);
        assert_eq!(nearest("secret", ["server", "context"]), None);
        assert_eq!(nearest("a", []), None);
    }
}
