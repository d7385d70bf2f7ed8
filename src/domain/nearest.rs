//! What was probably meant by a word that is not known. It decides nothing: it suggests.

use super::identity::Kind;

/// The short name of the kind with the fewest edits, if they are few enough to be a slip.
pub fn kind_like<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let spellings = |short: &'a str| {
        let kind = Kind::from_word(short);
        [
            Some(short.to_owned()),
            kind.map(|k| k.name().to_ascii_lowercase()),
            kind.map(|k| k.plural().to_owned()),
        ]
    };
    known
        .iter()
        .flat_map(|short| spellings(short).into_iter().flatten().map(move |spelling| (*short, spelling)))
        .map(|(short, spelling)| (edits(&word, &spelling), spelling.len(), short))
        .filter(|(distance, length, _)| *distance <= length.div_ceil(3).min(3))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., short)| short)
}

/// Levenshtein's distance.
pub fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
