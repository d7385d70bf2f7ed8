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

/// The path that was probably meant: one of the same file name, else the one with the fewest edits.
pub fn path_like<'a>(path: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let (wanted, most) = (file(path), path.len().div_ceil(4).min(4));
    let close = |other: &&str| {
        let name = file(other);
        name.len().abs_diff(wanted.len()) <= most && edits(&wanted, &name) <= wanted.len().div_ceil(4)
    };
    let same_name = known.clone().filter(|other| file(other) == wanted);
    same_name.min_by_key(|other| edits(path, other)).or_else(|| {
        let near = known.filter(close).map(|other| (edits(path, other), other));
        near.filter(|(distance, _)| *distance <= most)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, other)| other)
    })
}

/// The deepest folder above a path that holds any of these paths, without its slash.
pub fn folder_above<'a>(path: &'a str, known: &(impl Iterator<Item = &'a str> + Clone)) -> Option<&'a str> {
    let holds = |folder: &str| {
        known.clone().any(|other| other.strip_prefix(folder).is_some_and(|r| r.starts_with('/')))
    };
    let mut folder = path.trim_end_matches('/');
    while let Some((above, _)) = folder.rsplit_once('/') {
        if !above.is_empty() && holds(above) {
            return Some(above);
        }
        folder = above;
    }
    None
}

/// Levenshtein's distance, of the first 64 characters of `a`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_by_its_file_name_and_by_a_slip() {
        let known = ["deploy/app.yaml", "deploy/base/kustomization.yaml", "README.md"];
        let like = |path| path_like(path, known.iter().copied());
        assert_eq!(like("app.yaml"), Some("deploy/app.yaml"));
        assert_eq!(like("readme.md"), Some("README.md"));
        assert_eq!(like("deploi/app.yml"), Some("deploy/app.yaml"));
        assert_eq!(like("deploy/web.yaml"), None);
    }

    #[test]
    fn the_folder_that_is_there_is_the_deepest_above() {
        let known = ["deploy/base/a.yaml", "README.md"];
        let above = |path| folder_above(path, &known.iter().copied());
        assert_eq!(above("deploy/base/x/y.yaml"), Some("deploy/base"));
        assert_eq!(above("deploy/bas/y.yaml"), Some("deploy"));
        assert_eq!((above("dep/a"), above("a"), above("/a")), (None, None, None));
    }
}
