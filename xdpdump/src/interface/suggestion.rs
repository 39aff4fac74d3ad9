//! Finds the name that was probably meant.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

/// Largest edit distance of a suggestion.
const NEAR: usize = 2;

/// The one of `names` with the smallest edit distance from `wanted`, if that is small enough.
pub(super) fn nearest<'a>(wanted: &OsStr, names: impl Iterator<Item = &'a OsStr>) -> Option<&'a OsStr> {
    let wanted = wanted.as_bytes();
    // Short names need a smaller limit: a name of two letters is at most two edits away from any other one of that length.
    let near = NEAR.min(wanted.len().saturating_sub(1));
    names
        .map(|name| (edit_distance(wanted, name.as_bytes()), name))
        .filter(|(distance, _)| *distance <= near)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein distance: number of bytes to insert, remove or replace.
fn edit_distance(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (b, cell) in to.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            left = (diagonal + usize::from(a != b)).min(left + 1).min(above + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(from.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, distance) in
            [("", "", 0), ("eth0", "eth0", 0), ("ethh0", "eth0", 1), ("", "eth", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(edit_distance(from.as_bytes(), to.as_bytes()), distance, "{from} {to}");
            assert_eq!(edit_distance(to.as_bytes(), from.as_bytes()), distance, "{to} {from}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        let names = ["lo", "eth0", "eth10", "wlp2s0"].map(OsStr::new);
        let nearest = |wanted: &str| nearest(OsStr::new(wanted), names.into_iter());
        assert_eq!(nearest("ethh0"), Some(OsStr::new("eth0")));
        assert_eq!(nearest("wlps0"), Some(OsStr::new("wlp2s0")));
        assert_eq!(nearest("br-lan"), None);
        assert_eq!(nearest("xy"), None);
    }
}
