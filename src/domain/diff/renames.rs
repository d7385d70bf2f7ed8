//! Objects that are gone, and new ones -> which of them are the same under another name. It pairs only what is clearly
//! alike, of several equally alike the first; what is not sure stays removed and added.

use super::{
    super::object::Key,
    likeness::{self, ALIKE, Leaves},
    objects::Entry,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Of one kind and namespace on one side: more are not compared each with each.
const MOST: usize = 50;

#[derive(Default)]
pub(super) struct Renames {
    /// Places among the gone and among the new ones, in the order of the gone.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Kinds with too many of both to look for alike ones: their word, how many are gone, how many are new.
    pub(super) skipped: Vec<(String, usize, usize)>,
}

type Left<'a> = (&'a Entry, Arc<Value>);

pub(super) fn find(gone: &[Left<'_>], fresh: &[Left<'_>]) -> Renames {
    let mut found = Renames::default();
    let mut search =
        Search { gone, fresh, of_gone: vec![None; gone.len()], of_fresh: vec![false; fresh.len()] };
    // a namespace that is now given, or no longer
    search.unique(
        |key| Some((key.group.clone(), key.kind.clone(), key.name.clone())),
        |one, two| one.namespace.is_none() != two.namespace.is_none(),
    );
    // a hash of the content behind the name
    search.unique(
        |key| Some((key.group.clone(), key.kind.clone(), key.namespace.clone(), base(&key.name)?.to_owned())),
        |_, _| true,
    );
    for (kind, (one, two)) in search.groups() {
        search.equal(&one, &two);
        let (one, two) = search.left(&one, &two);
        if one.len().max(two.len()) > MOST {
            found.skipped.push((kind, one.len(), two.len()));
        } else {
            search.alike(&one, &two);
        }
    }
    let pairs = search.of_gone.iter().enumerate();
    found.pairs = pairs.filter_map(|(one, two)| Some((one, (*two)?))).collect();
    found
}

/// Among the gone, and among the new ones.
type Places = (Vec<usize>, Vec<usize>);

/// Group, kind, namespace.
type Sign<'a> = (&'a str, &'a str, Option<&'a str>);

fn sign(key: &Key) -> Sign<'_> {
    (&key.group, &key.kind, key.namespace.as_deref())
}

struct Search<'a> {
    gone: &'a [Left<'a>],
    fresh: &'a [Left<'a>],
    of_gone: Vec<Option<usize>>,
    of_fresh: Vec<bool>,
}

impl Search<'_> {
    fn pair(&mut self, one: usize, two: usize) {
        self.of_gone[one] = Some(two);
        self.of_fresh[two] = true;
    }

    /// Pairs what is alone under its sign on both sides.
    fn unique<T: std::hash::Hash + Eq>(
        &mut self,
        sign: impl Fn(&Key) -> Option<T>,
        fits: impl Fn(&Key, &Key) -> bool,
    ) {
        let mut groups: HashMap<T, Places> = HashMap::new();
        for (place, (entry, _)) in self.gone.iter().enumerate().filter(|(at, _)| self.of_gone[*at].is_none())
        {
            if let Some(sign) = sign(&entry.who.key) {
                groups.entry(sign).or_default().0.push(place);
            }
        }
        for (place, (entry, _)) in self.fresh.iter().enumerate().filter(|(at, _)| !self.of_fresh[*at]) {
            if let Some(sign) = sign(&entry.who.key) {
                groups.entry(sign).or_default().1.push(place);
            }
        }
        for (one, two) in groups.into_values() {
            if let ([one], [two]) = (&one[..], &two[..])
                && fits(&self.gone[*one].0.who.key, &self.fresh[*two].0.who.key)
            {
                self.pair(*one, *two);
            }
        }
    }

    /// What is left of each kind and namespace that is on both sides.
    fn groups(&self) -> Vec<(String, Places)> {
        let mut groups: BTreeMap<Sign<'_>, Places> = BTreeMap::new();
        for (place, (entry, _)) in self.gone.iter().enumerate().filter(|(at, _)| self.of_gone[*at].is_none())
        {
            if can_be_renamed(&entry.who.key) {
                groups.entry(sign(&entry.who.key)).or_default().0.push(place);
            }
        }
        for (place, (entry, _)) in self.fresh.iter().enumerate().filter(|(at, _)| !self.of_fresh[*at]) {
            if let Some(group) = groups.get_mut(&sign(&entry.who.key)) {
                group.1.push(place);
            }
        }
        let both = groups.into_iter().filter(|(_, (_, two))| !two.is_empty());
        both.map(|((_, kind, _), sides)| (kind.to_owned(), sides)).collect()
    }

    /// What says the same but for its name. Those that say nothing are not taken for each other.
    fn equal(&mut self, one: &[usize], two: &[usize]) {
        let mut by_body: HashMap<u64, Vec<usize>> = HashMap::new();
        for place in two.iter().rev() {
            by_body.entry(likeness::hash_body(&self.fresh[*place].1)).or_default().push(*place);
        }
        for place in one {
            let body = likeness::hash_body(&self.gone[*place].1);
            if let Some(places) = by_body.get_mut(&body)
                && !Leaves::of_object(&self.gone[*place].1).is_empty()
                && let Some(other) = places.pop()
            {
                self.pair(*place, other);
            }
        }
    }

    fn alike(&mut self, one: &[usize], two: &[usize]) {
        let leaves = |side: &[Left<'_>], places: &[usize]| -> Vec<Leaves> {
            places.iter().map(|place| Leaves::of_object(&side[*place].1)).collect()
        };
        let (of_one, of_two) = (leaves(self.gone, one), leaves(self.fresh, two));
        let mut scores = Vec::new();
        for (place, own) in one.iter().zip(&of_one).filter(|(_, leaves)| !leaves.is_empty()) {
            for (other, others) in two.iter().zip(&of_two) {
                let score = own.likeness(others);
                if score >= ALIKE {
                    scores.push((std::cmp::Reverse(score), *place, *other));
                }
            }
        }
        scores.sort_unstable();
        for (_, place, other) in scores {
            if self.of_gone[place].is_none() && !self.of_fresh[other] {
                self.pair(place, other);
            }
        }
    }

    fn left(&self, one: &[usize], two: &[usize]) -> (Vec<usize>, Vec<usize>) {
        (
            one.iter().copied().filter(|place| self.of_gone[*place].is_none()).collect(),
            two.iter().copied().filter(|place| !self.of_fresh[*place]).collect(),
        )
    }
}

/// What a Namespace or a CRD is called is what it is: another name is another one, and everything in it is gone.
fn can_be_renamed(key: &Key) -> bool {
    !["Namespace", "CustomResourceDefinition"].contains(&&*key.kind)
}

/// `cm` of `cm-7g9hk2`: the letters that Kubernetes and kustomize write hashes with (no vowels, nothing that reads like
/// another), some of them digits.
fn base(name: &str) -> Option<&str> {
    let (base, hash) = name.rsplit_once('-')?;
    let letter = |byte: u8| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte);
    let is_hash = (5..=10).contains(&hash.len())
        && hash.bytes().all(letter)
        && hash.bytes().any(|byte| byte.is_ascii_digit());
    (is_hash && !base.is_empty()).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_behind_a_name_is_told_from_a_word() {
        assert_eq!(base("cm-7g9hk2"), Some("cm"));
        assert_eq!(base("app-config-6ct58987ht"), Some("app-config"));
        for word in ["redis-master", "node-10", "a-v12345", "web-frontend", "x-bcdfg", "-7g9hk2", "plain"] {
            assert_eq!(base(word), None, "{word}");
        }
    }
}
