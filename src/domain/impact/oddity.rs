//! What could not be read, and what stands twice: whether the consumer can apply it at all.

use super::{Danger, Impact, Object, Place, What};
use crate::domain::{
    diff::{Diff, Odd, Oddity, Which, is_named_yaml},
    lens::Lens,
    object::{Broken, Key},
};

pub(super) fn judge(diff: &Diff, lens: &Lens, said: &mut Vec<Impact>) {
    for (place, oddity) in diff.oddities.iter().enumerate() {
        let at = Place::Oddity(place);
        match &oddity.what {
            Odd::Broken(broken) => said.push(unread(oddity, broken, at)),
            Odd::Doubled { key, line } => said.push(doubled(oddity, lens, key, *line, at)),
            // the screen shows them; no danger follows from them alone
            Odd::NoObject { .. } | Odd::Limit(_) | Odd::Cut(_) => {}
        }
    }
}

fn unread(oddity: &Oddity, broken: &Broken, at: Place) -> Impact {
    let is_named = is_named_yaml(&oddity.path);
    let (danger, note) = match oddity.which {
        Which::To if is_named => (Danger::High, "whoever applies the folder fails on it"),
        // nobody reads JSON that no kustomization names
        Which::To => (Danger::Medium, "a kustomization that has it among its resources fails on it"),
        Which::Both if !is_named => (Danger::Low, "on both sides"),
        Which::From => (Danger::Low, "it was broken and is not any more"),
        Which::Both => (Danger::Medium, "on both sides"),
    };
    let why = format!("{}:{} cannot be read, {note}: {}", oddity.path, broken.line, broken.why);
    Impact { danger, what: What::DocumentBroken, object: None, why, at }
}

/// kustomize: `may not add resource with an already registered id`.
fn doubled(oddity: &Oddity, lens: &Lens, key: &Key, line: usize, at: Place) -> Impact {
    let (danger, note) = match oddity.which {
        // folders of several environments are not built together
        Which::To if *lens == Lens::Whole => (Danger::Medium, "a build of both fails"),
        Which::To => (Danger::High, "a build of both fails"),
        Which::From => (Danger::Low, "it stands once now"),
        Which::Both => (Danger::Low, "on both sides; a build of both fails, but for a base and its patch"),
    };
    let why = format!("stands in several places, also in {}:{line}: {note}", oddity.path);
    let object = Some(Object { api_version: key.group.clone(), key: key.clone() });
    Impact { danger, what: What::ObjectDoubled, object, why, at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::impact::{pair::tests::words, tests::pruning};

    #[test]
    fn what_is_odd_on_the_new_side_is_worse() {
        let odd = |which, what| Oddity { which, path: "a.yaml".into(), what };
        let broken = || Odd::Broken(Broken::new(3, "tab"));
        let doubled = || Odd::Doubled { key: Key::new("v1", "Secret", None, "a"), line: 9 };
        let oddities = vec![
            odd(Which::To, broken()),
            odd(Which::From, broken()),
            odd(Which::Both, doubled()),
            odd(Which::To, doubled()),
            odd(Which::To, Odd::Cut("all".into())),
            odd(Which::To, Odd::Limit(Broken { limit: true, ..Broken::new(9, "nested deeper than 512") })),
            Oddity { which: Which::To, path: "a.json".into(), what: broken() },
        ];
        let mut said = Vec::new();
        judge(&Diff { oddities, ..Diff::default() }, &pruning(true), &mut said);
        assert_eq!(
            said.iter().map(words).collect::<Vec<_>>(),
            [
                "high document-broken: a.yaml:3 cannot be read, whoever applies the folder fails on it: tab",
                "low document-broken: a.yaml:3 cannot be read, it was broken and is not any more: tab",
                "low object-doubled: stands in several places, also in a.yaml:9: on both sides; a build of both fails, but for a base and its patch",
                "high object-doubled: stands in several places, also in a.yaml:9: a build of both fails",
                "medium document-broken: a.json:3 cannot be read, a kustomization that has it among its resources fails on it: tab",
            ]
        );
    }
}
