//! "Did you mean ...?"

/// The candidate that `word` was most likely meant to be, if any comes close.
///
/// Close means an edit distance (with transpositions) of at most a third of the longer word, at least one edit;
/// case and the choice between `-` and `_` do not count. Ties go to the first candidate.
pub(crate) fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let word = plain(word);
    let length = word.chars().count();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = plain(candidate);
        let limit = (length.max(other.chars().count()) / 3).max(1);
        if length.abs_diff(other.chars().count()) > limit {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&word, &other);
        // A one-letter word is one edit away from every other one.
        if distance <= limit && distance < length && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        let stages = ["etl", "train_als", "evaluate"];
        assert_eq!(closest("trian_als", stages), Some("train_als"));
        assert_eq!(closest("Train-ALS", stages), Some("train_als"));
        assert_eq!(closest("elt", stages), Some("etl"));
        assert_eq!(closest("deploy", stages), None);
        assert_eq!(closest("x", ["y"]), None);
    }
}
