//! What may have been meant by a word that nothing is called.

/// How alike two words must be, from 0 to 1, by Jaro and Winkler: `retry` is like `retries`, `secret` not like `server`.
const ALIKE: f64 = 0.85;

/// The candidate that is most like `word`, if one is like it.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rate = |other: &str| if is_slip(word, other) { 1.0 } else { strsim::jaro_winkler(word, other) };
    let rated = candidates.into_iter().map(|candidate| (rate(candidate), candidate));
    let best = rated.filter(|(rate, _)| *rate > ALIKE).max_by(|one, other| one.0.total_cmp(&other.0));
    best.map(|(_, candidate)| candidate)
}

/// The candidate that `word` is but for one slip of the pen, its case and what joins its parts.
pub(crate) fn slip<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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
    fn a_slip_is_near_and_another_word_is_not() {
        assert_eq!(nearest("lable", ["image", "label", "ttl"]), Some("label"));
        assert_eq!(nearest("train-xbfq2", ["eval-b", "train-xbfg2", "train-b"]), Some("train-xbfg2"));
        assert_eq!(nearest("rnu", ["resume", "run"]), Some("run"));
        assert_eq!(nearest("zebra", ["image", "label", "ttl"]), None);
        assert_eq!(nearest("secret", ["server", "context"]), None);
        assert_eq!(nearest("a", []), None);
    }
}
