//! What may have been meant by a word that nothing is called.

/// How alike two words must be, from 0 to 1: what clap asks of flags and verbs.
const ALIKE: f64 = 0.7;

/// The candidate that is most like `word`, if one is like it.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rated = candidates.into_iter().map(|candidate| (strsim::jaro(word, candidate), candidate));
    let best = rated.filter(|(rate, _)| *rate > ALIKE).max_by(|one, other| one.0.total_cmp(&other.0));
    best.map(|(_, candidate)| candidate)
}

/// The candidate that `word` is but for one slip of the pen, its case and what joins its parts.
pub(crate) fn slip<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let word = plain(word);
    let is_near = |candidate: &&str| word.len() > 2 && strsim::osa_distance(&word, &plain(candidate)) <= 1;
    candidates.into_iter().find(is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        assert_eq!(nearest("lable", ["image", "label", "ttl"]), Some("label"));
        assert_eq!(nearest("train-xbfq2", ["eval-b", "train-xbfg2", "train-b"]), Some("train-xbfg2"));
        assert_eq!(nearest("zebra", ["image", "label", "ttl"]), None);
        assert_eq!(nearest("a", []), None);
    }
}
