//! Two texts with their secret values covered, so that equal words stand where equal values stood. It decides what of a
//! secret is shown, and never holds more of it than was asked for.

use super::Mask;
use crate::domain::secret::{HIDDEN, Rule, Secrets};
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Range,
};

/// How SOPS writes a value; its other half is a digest and a tag.
const SOPS: &str = "ENC[AES256_GCM,";

/// Both texts, and on which of their lines something is hidden.
pub(super) struct Covered {
    pub(super) from: String,
    pub(super) to: String,
    /// SOPS encrypted something in one of them.
    pub(super) sops: bool,
    /// By the number of a line, from 1.
    from_masks: HashMap<usize, Vec<Mask>>,
    to_masks: HashMap<usize, Vec<Mask>>,
}

/// Something that is not shown as it is.
struct Piece {
    at: Range<usize>,
    /// None: it is encrypted, and only shortened.
    value: Option<usize>,
}

/// What stands for a secret value of a field.
pub(super) fn masked(value: Option<&Value>, length: usize) -> String {
    match value.and_then(Value::as_str) {
        Some(text) if text.starts_with(SOPS) => "ENC[...] encrypted by SOPS".to_owned(),
        Some(_) | None => format!("{HIDDEN} {length} character{}", if length == 1 { "" } else { "s" }),
    }
}

impl Covered {
    pub(super) fn of(from: &str, to: &str, rule: Rule, revealed: &BTreeSet<Mask>) -> Self {
        let (before, after) = (Secrets::by(rule, from), Secrets::by(rule, to));
        let sops = before.sops || after.sops;
        let (before, after) = (pieces(from, &before), pieces(to, &after));
        let texts = |text, pieces: &[Piece]| pieces.iter().map(|piece| own(text, piece)).collect();
        let (known_before, known_after): (HashSet<&str>, HashSet<&str>) =
            (texts(from, &before), texts(to, &after));
        // where there is one side only, nothing has to be told apart
        let [one, other] = if from.is_empty() || to.is_empty() { ["", ""] } else { ["before", "after"] };
        let (from, from_masks) = cover(from, &before, &known_after, one, Mask::From, revealed);
        let (to, to_masks) = cover(to, &after, &known_before, other, Mask::To, revealed);
        Self { from, to, sops, from_masks, to_masks }
    }

    /// What is hidden on this line. On both sides at once: equal words stand for equal values only together.
    pub(super) fn masks(&self, from: Option<usize>, to: Option<usize>) -> Vec<Mask> {
        let before = from.and_then(|line| self.from_masks.get(&line));
        let after = to.and_then(|line| self.to_masks.get(&line));
        before.into_iter().chain(after).flatten().copied().collect()
    }
}

fn own<'a>(text: &'a str, piece: &Piece) -> &'a str {
    &text[piece.at.clone()]
}

/// Secret values and encrypted ones, in the order of the text.
fn pieces(text: &str, secrets: &Secrets) -> Vec<Piece> {
    let mut pieces: Vec<Piece> =
        secrets.pieces.iter().map(|piece| Piece { at: piece.at.clone(), value: Some(piece.value) }).collect();
    if secrets.sops {
        let encrypted = text.match_indices(SOPS).map(|(start, _)| {
            let rest = &text[start..];
            let line = rest.find('\n').unwrap_or(rest.len());
            let end = rest[..line].find(']').map_or(line, |end| end + 1);
            Piece { at: start..start + end, value: None }
        });
        pieces.extend(encrypted);
        pieces.sort_by_key(|piece| piece.at.start);
    }
    pieces
}

fn cover(
    text: &str,
    pieces: &[Piece],
    other: &HashSet<&str>,
    side: &str,
    mask: impl Fn(usize) -> Mask,
    revealed: &BTreeSet<Mask>,
) -> (String, HashMap<usize, Vec<Mask>>) {
    let mut covered = String::with_capacity(text.len());
    let mut masks: HashMap<usize, Vec<Mask>> = HashMap::new();
    let (mut done, mut line) = (0, 1);
    for piece in pieces {
        if piece.at.start < done {
            continue;
        }
        let before = &text[done..piece.at.start];
        line += before.matches('\n').count();
        covered.push_str(before);
        let own = own(text, piece);
        let word = if piece.value.is_some() { HIDDEN } else { "ENC[...]" };
        let hidden = piece.value.map(&mask);
        if let Some(hidden) = hidden {
            masks.entry(line).or_default().push(hidden);
        }
        match hidden {
            Some(hidden) if revealed.contains(&hidden) => covered.push_str(own),
            Some(_) | None if side.is_empty() || other.contains(own) => covered.push_str(word),
            Some(_) | None => {
                covered.push_str(word);
                covered.push_str(" (");
                covered.push_str(side);
                covered.push(')');
            }
        }
        line += own.matches('\n').count();
        done = piece.at.end;
    }
    covered.push_str(&text[done..]);
    (covered, masks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_equal_words_and_others_say_on_which_side_they_stand() {
        let from = "kind: Secret\nstringData:\n  a: same\n  b: old\n";
        let to = "kind: Secret\nstringData:\n  a: same\n  b: new\n  c: more\n";
        let covered = Covered::of(from, to, Rule::Said, &BTreeSet::new());
        assert_eq!(covered.from, "kind: Secret\nstringData:\n  a: (hidden)\n  b: (hidden) (before)\n");
        assert!(covered.to.ends_with("  b: (hidden) (after)\n  c: (hidden) (after)\n"), "{}", covered.to);
        assert_eq!(covered.masks(None, Some(4)), [Mask::To(1)]);
        assert_eq!(covered.masks(Some(4), None), [Mask::From(1)]);
        assert_eq!(covered.masks(Some(3), Some(3)), [Mask::From(0), Mask::To(0)]);
        assert_eq!(covered.masks(Some(1), Some(1)), [] as [Mask; 0]);
    }

    #[test]
    fn only_the_value_that_was_asked_for_is_shown() {
        let text = "kind: Secret\nstringData:\n  a: one\n  b: two\n";
        let covered = Covered::of(text, "", Rule::Said, &BTreeSet::from([Mask::From(1)]));
        assert_eq!(covered.from, "kind: Secret\nstringData:\n  a: (hidden)\n  b: two\n");
    }

    #[test]
    fn what_sops_encrypted_is_short_and_says_that_it_changed() {
        let text =
            |data: &str| format!("a: ENC[AES256_GCM,data:{data},iv:x,tag:y,type:str]\nsops:\n  mac: z\n");
        let covered = Covered::of(&text("q"), &text("r"), Rule::Said, &BTreeSet::new());
        assert!(covered.sops);
        assert!(covered.from.starts_with("a: ENC[...] (before)\n"), "{}", covered.from);
        assert!(covered.to.starts_with("a: ENC[...] (after)\n"));
    }
}
