//! How far two keys are from each other, for "did you mean".

/// The key that was probably meant: close in spelling, or with the same last part.
pub(super) fn nearest<'a>(
    written: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let allowed = (written.len() / 5).clamp(1, 3);
    let close = known
        .clone()
        .map(|key| (distance(written, key), key))
        .min()
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, key)| key);
    close.or_else(|| {
        let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
        known.into_iter().find(|key| last(key) == last(written))
    })
}

/// Letters to insert, delete or replace, or neighbours to swap, until one is the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, letter) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column).saturating_add(usize::from(letter != *other));
            let deleted = at(&last, column + 1).saturating_add(1);
            let inserted = at(&current, column).saturating_add(1);
            let mut best = replaced.min(deleted).min(inserted);
            let behind = column.checked_sub(1).and_then(|index| to.get(index));
            if column > 0 && previous == Some(*other) && behind == Some(&letter) {
                best = best.min(at(&before_last, column - 1).saturating_add(1));
            }
            current.push(best);
        }
        previous = Some(letter);
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn the_distance_counts_letters() {
        for (from, to, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("listen", "listne", 1), ("abc", "axc", 1)]
        {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn the_nearest_key_is_close_or_ends_the_same() {
        let known = ["server.listen", "server.workers", "registry.url", "redis.url"];
        let nearest = |written: &str| nearest(written, known.iter().copied());
        assert_eq!(nearest("server.lisen"), Some("server.listen"));
        assert_eq!(nearest("sever.listne"), Some("server.listen"));
        assert_eq!(nearest("http.workers"), Some("server.workers"));
        assert_eq!(nearest("colour"), None);
    }
}
