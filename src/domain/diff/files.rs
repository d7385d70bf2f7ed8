//! Two sets of files -> which are gone, new, renamed or changed, and of which only the writing differs. It looks at
//! bytes; what YAML says it is told.

use super::{
    super::object::Role,
    Change, File, FileChange, Side, Which, likeness,
    objects::Sides,
    plan,
    streams::{self, Charts, Stream},
};
use foldhash::{HashMap, HashMapExt, HashSet};
use std::{collections::BTreeMap, sync::Arc};

/// More files than these are not taken for each other by what they hold.
const MOST_RENAMES: usize = 5_000;

/// What differs, in the order of the paths, and how many files are the same.
pub(super) fn compare(
    from: &Side,
    to: &Side,
    charts: (&Charts<'_>, &Charts<'_>),
) -> (Vec<FileChange>, usize) {
    let mut paths: BTreeMap<&str, (Option<&File>, Option<&File>)> = BTreeMap::new();
    for file in &from.files {
        paths.entry(&file.path).or_default().0 = Some(file);
    }
    for file in &to.files {
        paths.entry(&file.path).or_default().1 = Some(file);
    }
    let (mut gone, mut fresh, mut changes, mut same) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for sides in paths.into_values() {
        match sides {
            (Some(one), Some(two)) if one.executable == two.executable && is_equal(one, two) => same += 1,
            (Some(one), Some(two)) => changes.push(change(Change::Changed, Some(one), Some(two), charts)),
            (Some(one), None) => gone.push(one),
            (None, Some(two)) => fresh.push(two),
            (None, None) => {}
        }
    }
    let renamed = renames(&gone, &fresh);
    for (one, two) in &renamed {
        changes.push(change(Change::Renamed, Some(gone[*one]), Some(fresh[*two]), charts));
    }
    let (of_gone, of_fresh): (Vec<usize>, Vec<usize>) = renamed.into_iter().unzip();
    let left = |files: &[&'_ File], taken: Vec<usize>| -> Vec<usize> {
        let taken: HashSet<usize> = taken.into_iter().collect();
        (0..files.len()).filter(|place| !taken.contains(place)).collect()
    };
    changes.extend(
        left(&gone, of_gone).into_iter().map(|at| change(Change::Removed, Some(gone[at]), None, charts)),
    );
    changes.extend(
        left(&fresh, of_fresh).into_iter().map(|at| change(Change::Added, None, Some(fresh[at]), charts)),
    );
    changes.sort_by(|one, two| (one.path(), one.change).cmp(&(two.path(), two.change)));
    (changes, same)
}

fn change(
    change: Change,
    from: Option<&File>,
    to: Option<&File>,
    charts: (&Charts<'_>, &Charts<'_>),
) -> FileChange {
    let role = match (from, to) {
        (_, Some(to)) => charts.1.role(&to.path),
        (from, None) => from.map_or(Role::Other, |from| charts.0.role(&from.path)),
    };
    FileChange { change, role, from: from.cloned(), to: to.cloned() }
}

fn is_equal(one: &File, two: &File) -> bool {
    match (&one.bytes, &two.bytes) {
        _ if one.size != two.size => false,
        _ if one.sha256.is_some() && one.sha256 == two.sha256 => true,
        (Some(one), Some(two)) => one == two,
        _ => false,
    }
}

/// One to one, by what they hold; where several hold the same, those of one name, then in order.
fn renames(gone: &[&File], fresh: &[&File]) -> Vec<(usize, usize)> {
    if gone.len().max(fresh.len()) > MOST_RENAMES {
        return Vec::new();
    }
    let mut taken = (vec![false; gone.len()], vec![false; fresh.len()]);
    let mut pairs = Vec::new();
    for by_name in [true, false] {
        let sign = |file: &File| (file.size, by_name.then(|| name(&file.path).to_owned()));
        let mut by_sign: HashMap<(u64, Option<String>), Vec<usize>> = HashMap::new();
        for (place, file) in fresh.iter().enumerate().filter(|(at, file)| file.size > 0 && !taken.1[*at]) {
            by_sign.entry(sign(file)).or_default().push(place);
        }
        for (place, file) in gone.iter().enumerate() {
            let Some(places) = by_sign.get_mut(&sign(file)).filter(|_| !taken.0[place]) else { continue };
            if let Some(found) = places.iter().position(|at| is_equal(file, fresh[*at])) {
                let other = places.remove(found);
                (taken.0[place], taken.1[other]) = (true, true);
                pairs.push((place, other));
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Of the changed files, those whose documents all say what they said. `touched`: files of objects that differ, which
/// need not be looked at.
pub(super) fn find_formatting(files: &mut [FileChange], sides: &Sides<'_>, touched: &HashSet<Arc<str>>) {
    for file in files.iter_mut().filter(|file| file.change == Change::Changed) {
        let (Some(one), Some(two)) = (&file.from, &file.to) else { continue };
        let streams = (sides.from.at_path(&one.path), sides.to.at_path(&two.path));
        if let (true, (Some(from), Some(to))) = (one.executable == two.executable, streams)
            && from.role == to.role
            && !touched.contains(&one.path)
            && says_the_same(sides, from, to)
        {
            file.change = Change::Formatting;
        }
    }
}

fn says_the_same(sides: &Sides<'_>, from: &Stream, to: &Stream) -> bool {
    let own = said(sides, Which::From, from, to);
    let others = said(sides, Which::To, to, from);
    let (Some(mut own), Some(mut others)) = (own, others) else { return false };
    // who applies objects does not mind their order
    if streams::holds_objects(from.role) {
        own.sort_unstable();
        others.sort_unstable();
    }
    own == others
}

/// Numbers of what the documents say, in order; empty ones say nothing. None: one cannot be read.
fn said(sides: &Sides<'_>, which: Which, stream: &Stream, other: &Stream) -> Option<Vec<u64>> {
    let documents = &sides.streams(which).documents;
    let mut said = Vec::new();
    for document in stream.documents.clone() {
        let twin = documents[document].twin;
        let here = twin.filter(|twin| other.documents.contains(twin));
        match (here, sides.parsed(which, document)) {
            // the same bytes in the same file: by their number in the first side
            (Some(twin), _) => said.push((if which == Which::To { twin } else { document }) as u64),
            // who applies a List applies its items
            (None, Some(plan::Found::Value(Some(parsed)))) if streams::holds_objects(stream.role) => {
                said.extend(parsed.items.iter().map(|item| likeness::hash(&item.value)));
            }
            (None, Some(plan::Found::Value(Some(parsed)))) => said.push(likeness::hash(&parsed.value)),
            (None, Some(plan::Found::Value(None))) => {}
            (None, Some(plan::Found::Broken(_) | plan::Found::Skipped) | None) => return None,
        }
    }
    Some(said)
}
