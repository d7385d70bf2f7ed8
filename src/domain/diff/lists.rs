//! Which items of two lists are the same ones, where Kubernetes has no key for them: first what is equal, then what is
//! alike, then what stands in the same place.

use super::likeness::{self, Leaves};
use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::{HashMap, VecDeque};

/// Half of it is the same: one item that changed.
const ALIKE: usize = 50;

/// Comparisons of each with each, per list.
const PAIRS: usize = 2_500;

/// Longer lists are compared place by place.
const LONGEST: usize = 50_000;

/// Places of the two lists that belong together, in the order of the first. Each place at most once.
pub(super) fn pairs(from: &[Value], to: &[Value], is_set: bool) -> Vec<(usize, usize)> {
    if from.len().max(to.len()) > LONGEST {
        return (0..from.len().min(to.len())).map(|place| (place, place)).collect();
    }
    let mut pairing = Pairing { from, to, of_from: vec![None; from.len()], of_to: vec![false; to.len()] };
    let gaps = pairing.equal();
    pairing.alike();
    if !is_set {
        for gap in &gaps {
            pairing.in_place(gap);
        }
    }
    let pairs = pairing.of_from.iter().enumerate();
    pairs.filter_map(|(place, other)| Some((place, (*other)?))).collect()
}

struct Pairing<'a> {
    from: &'a [Value],
    to: &'a [Value],
    of_from: Vec<Option<usize>>,
    of_to: Vec<bool>,
}

impl Pairing<'_> {
    fn pair(&mut self, from: usize, to: usize) {
        self.of_from[from] = Some(to);
        self.of_to[to] = true;
    }

    /// Pairs what is equal, in order as far as that goes, then wherever it stands; returns where the lists differ.
    fn equal(&mut self) -> Vec<DiffOp> {
        let from: Vec<u64> = self.from.iter().map(likeness::hash).collect();
        let to: Vec<u64> = self.to.iter().map(likeness::hash).collect();
        let mut gaps = Vec::new();
        for op in capture_diff_slices(Algorithm::Myers, &from, &to) {
            match op {
                DiffOp::Equal { old_index, new_index, len } => {
                    (0..len).for_each(|place| self.pair(old_index + place, new_index + place));
                }
                DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => gaps.push(op),
            }
        }
        let mut elsewhere: HashMap<u64, VecDeque<usize>> = HashMap::new();
        for place in self.left_to() {
            elsewhere.entry(to[place]).or_default().push_back(place);
        }
        for place in self.left_from() {
            if let Some(other) = elsewhere.get_mut(&from[place]).and_then(VecDeque::pop_front) {
                self.pair(place, other);
            }
        }
        gaps
    }

    fn alike(&mut self) {
        let tree = |value: &Value| value.is_object() || value.is_array();
        let from: Vec<usize> = self.left_from().into_iter().filter(|at| tree(&self.from[*at])).collect();
        let to: Vec<usize> = self.left_to().into_iter().filter(|at| tree(&self.to[*at])).collect();
        if from.is_empty() || to.is_empty() || from.len() * to.len() > PAIRS {
            return;
        }
        let leaves = |list: &[Value], places: &[usize]| -> Vec<Leaves> {
            places.iter().map(|at| Leaves::of(&list[*at])).collect()
        };
        let (of_from, of_to) = (leaves(self.from, &from), leaves(self.to, &to));
        let mut scores = Vec::new();
        for (one, own) in of_from.iter().enumerate() {
            for (two, others) in of_to.iter().enumerate() {
                let score = own.likeness(others);
                if score >= ALIKE && self.from[from[one]].is_object() == self.to[to[two]].is_object() {
                    scores.push((std::cmp::Reverse(score), from[one].abs_diff(to[two]), from[one], to[two]));
                }
            }
        }
        scores.sort_unstable();
        for (_, _, one, two) in scores {
            if self.of_from[one].is_none() && !self.of_to[two] {
                self.pair(one, two);
            }
        }
    }

    /// What replaces something of its sort in the same place.
    fn in_place(&mut self, gap: &DiffOp) {
        for (one, two) in gap.old_range().zip(gap.new_range()) {
            let free = self.of_from[one].is_none() && !self.of_to[two];
            if free && of_one_sort(&self.from[one], &self.to[two]) {
                self.pair(one, two);
            }
        }
    }

    fn left_from(&self) -> Vec<usize> {
        (0..self.from.len()).filter(|place| self.of_from[*place].is_none()).collect()
    }

    fn left_to(&self) -> Vec<usize> {
        (0..self.to.len()).filter(|place| !self.of_to[*place]).collect()
    }
}

fn of_one_sort(from: &Value, to: &Value) -> bool {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let shared = from.keys().filter(|name| to.contains_key(*name)).count();
            shared * 2 >= from.len().max(to.len())
        }
        (Value::Array(_), Value::Array(_)) => true,
        (from, to) => !from.is_object() && !to.is_object() && !from.is_array() && !to.is_array(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(from: &Value, to: &Value, expected: &[(usize, usize)]) {
        let (from, to) = (from.as_array().unwrap(), to.as_array().unwrap());
        assert_eq!(pairs(from, to, false), expected);
    }

    #[test]
    fn what_is_equal_comes_first_then_what_is_alike_then_what_stands_there() {
        check(&json!(["a", "b", "c"]), &json!(["a", "x", "c"]), &[(0, 0), (1, 1), (2, 2)]);
        check(&json!(["a", "b"]), &json!(["b", "a"]), &[(0, 1), (1, 0)]);
        check(&json!(["a", "a"]), &json!(["a"]), &[(0, 0)]);
        check(
            &json!([{"verbs": ["get"], "resources": ["pods"], "x": 1}, {"verbs": ["list"], "resources": ["secrets"], "x": 2}]),
            &json!([{"new": true}, {"verbs": ["list"], "resources": ["secrets"], "x": 3}, {"verbs": ["get"], "resources": ["pods"], "x": 1}]),
            &[(0, 2), (1, 1)],
        );
        check(&json!([{"a": 1}]), &json!([{"a": 2}]), &[(0, 0)]);
        check(&json!([{"a": 1}]), &json!([{"b": 1}, "x"]), &[]);
    }

    #[test]
    fn an_item_of_a_set_is_never_made_into_another() {
        assert_eq!(pairs(&[json!("get"), json!("list")], &[json!("get"), json!("watch")], true), [(0, 0)]);
    }
}
