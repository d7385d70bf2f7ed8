//! A version range moved so that it admits one more version, in the shape in which it was written. Pure text and rules.

use super::{constraint::Constraint, version::Version};
use std::fmt;

/// One operator and one partial version, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    operator: String,
    /// `v` in front, or nothing.
    prefix: &'static str,
    /// One to three: digits or `x`, `X`, `*`.
    parts: Vec<String>,
    /// Without its hyphen.
    prerelease: Option<String>,
}

/// The range, changed as little as its shape allows, so that `to` is in it: `1.14.x` becomes `1.16.x`, `^1.2` becomes
/// `^2.0`, `>=1.0.0 <2.0.0` becomes `>=1.0.0 <3.0.0`, and `1.x || 2.x` gets a third group. Spaces and hyphens come out
/// as Masterminds prints them. None: what is there is no range.
pub fn widened(range: &str, to: &Version) -> Option<String> {
    let range = if range.trim().is_empty() { "*" } else { range };
    let constraint = Constraint::parse(range).ok()?;
    if constraint.matches(to) {
        return Some(range.trim().to_owned());
    }
    let canonical = constraint.to_string();
    let last = canonical.rsplit(" || ").next().unwrap_or(&canonical);
    let moved: Vec<Term> = last.split(' ').filter_map(|text| Term::read(text).moved(to)).collect();
    let whole = |group: &str| {
        if canonical.contains(" || ") { format!("{canonical} || {group}") } else { group.to_owned() }
    };
    let mut tries = vec![joined(&moved)];
    tries.extend((0..moved.len()).map(|at| opened(&moved, at)));
    let (major, minor) = (to.major(), to.minor());
    tries.extend([format!("{major}.{minor}.x"), format!("{major}.{minor}.x-0"), core(to)]);
    tries.iter().map(|group| whole(group)).find(|text| admits(text, to))
}

fn admits(range: &str, version: &Version) -> bool {
    Constraint::parse(range).is_ok_and(|constraint| constraint.matches(version))
}

/// A group without comparators admits everything.
fn joined(terms: &[Term]) -> String {
    if terms.is_empty() {
        return "*".to_owned();
    }
    terms.iter().map(ToString::to_string).collect::<Vec<String>>().join(" ")
}

/// The same group, opened for pre-releases by one of its comparators.
fn opened(terms: &[Term], at: usize) -> String {
    let mut terms = terms.to_vec();
    terms[at].prerelease.get_or_insert_with(|| "0".to_owned());
    joined(&terms)
}

/// The version without its build metadata, which plays no part in a range.
fn core(version: &Version) -> String {
    let numbers = format!("{}.{}.{}", version.major(), version.minor(), version.patch());
    match version.prerelease() {
        "" => numbers,
        prerelease => format!("{numbers}-{prerelease}"),
    }
}

fn is_wild(part: &str) -> bool {
    matches!(part, "x" | "X" | "*")
}

impl Term {
    fn read(text: &str) -> Self {
        let version = text.trim_start_matches(|c| "=!<>~^".contains(c));
        let operator = &text[..text.len() - version.len()];
        let bare = version.strip_prefix('v');
        let version = bare.unwrap_or(version).split('+').next().unwrap_or_default();
        let (numbers, prerelease) = match version.split_once('-') {
            Some((numbers, prerelease)) => (numbers, Some(prerelease.to_owned())),
            None => (version, None),
        };
        Self {
            operator: operator.to_owned(),
            prefix: if bare.is_some() { "v" } else { "" },
            parts: numbers.split('.').map(str::to_owned).collect(),
            prerelease,
        }
    }

    /// As it is where it admits the version, else moved. None: it can only be left out, as it names what to avoid.
    fn moved(self, to: &Version) -> Option<Self> {
        // another comparator may open the group for pre-releases
        if admits(&format!("{self} >=0.0.0-0"), to) {
            return Some(self);
        }
        match self.operator.as_str() {
            "!=" => None,
            "<" => Some(self.clone().above(to).unwrap_or(self)),
            "<=" | "=<" => Some(Self { prerelease: None, ..self.renumbered(to) }),
            ">" | ">=" | "=>" => Some(Self { operator: ">=".to_owned(), ..self.renumbered(to) }),
            _ => Some(self.renumbered(to)),
        }
    }

    /// Its numbers become those of the version; what is wild stays wild.
    fn renumbered(mut self, to: &Version) -> Self {
        for (part, number) in self.parts.iter_mut().zip([to.major(), to.minor(), to.patch()]) {
            if !is_wild(part) {
                *part = number.to_string();
            }
        }
        let exact =
            matches!(self.operator.as_str(), "" | "=") && self.parts.len() == 3 && !self.has_wild_part();
        self.prerelease = if exact {
            Some(to.prerelease().to_owned()).filter(|prerelease| !prerelease.is_empty())
        } else {
            self.prerelease.map(|_| "0".to_owned())
        };
        self
    }

    fn has_wild_part(&self) -> bool {
        self.parts.iter().any(|part| is_wild(part))
    }

    /// The next bound above the version at which this bound would have been drawn: `<2.0.0` is about majors.
    fn above(mut self, to: &Version) -> Option<Self> {
        let open = |at: usize| {
            self.parts.get(at).is_none_or(|part| is_wild(part) || part.bytes().all(|b| b == b'0'))
        };
        let step = match (open(1), open(2)) {
            (true, true) => 0,
            (false, true) => 1,
            (_, false) => 2,
        };
        if self.parts.get(step).is_none_or(|part| is_wild(part)) {
            return None;
        }
        let numbers = [to.major(), to.minor(), to.patch()];
        for (at, part) in self.parts.iter_mut().enumerate().take(step) {
            *part = numbers[at].to_string();
        }
        self.parts[step] = numbers[step].checked_add(1)?.to_string();
        self.prerelease = self.prerelease.map(|_| "0".to_owned());
        Some(self)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.operator, self.prefix, self.parts.join("."))?;
        match &self.prerelease {
            Some(prerelease) => write!(f, "-{prerelease}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(range: &str, to: &str, expected: &str) {
        let version = Version::parse(to).unwrap();
        assert_eq!(widened(range, &version).as_deref(), Some(expected), "{range} to {to}");
        assert!(admits(expected, &version), "{expected} does not admit {to}");
    }

    #[test]
    fn the_shape_of_a_range_is_kept() {
        check("1.14.x", "1.16.2", "1.16.x");
        check("1.x", "2.3.4", "2.x");
        check("1", "2.3.4", "2");
        check("^1.0", "2.3.4", "^2.3");
        check("^0.3", "0.5.2", "^0.5");
        check("^0.0.3", "0.0.7", "^0.0.7");
        check("~1.2.3", "1.4.5", "~1.4.5");
        check("~> 1.2", "1.4.5", "~>1.4");
        check("1.0.0", "2.3.4", "2.3.4");
        check("=1.0.0", "2.3.4+build.2", "=2.3.4");
        check("v1.2.x", "v1.4.0", "v1.4.x");
        check("1.*", "2.0.0", "2.*");
    }

    #[test]
    fn a_lower_bound_stays_and_an_upper_bound_moves_to_the_next_of_its_kind() {
        check(">=1.0.0 <2.0.0", "2.3.4", ">=1.0.0 <3.0.0");
        check(">=1.0.0, <2", "2.3.4", ">=1.0.0 <3");
        check(">= 6.9.0 <7.0.0-0", "7.1.0", ">=6.9.0 <8.0.0-0");
        check(">=1.14.0 <1.15.0", "1.16.2", ">=1.14.0 <1.17.0");
        check("<1.15", "1.16.2", "<1.17");
        check("<1.14.5", "1.16.2", "<1.16.3");
        check("<=1.5.0", "1.16.2", "<=1.16.2");
        check("1.2 - 1.4", "1.6.1", ">=1.2 <=1.6");
        check(">=5.0.0", "3.1.0", ">=3.1.0");
        check(">=1.0.0 !=2.3.4", "2.3.4", ">=1.0.0");
        check("!=2.3.4", "2.3.4", "*");
        check("<18446744073709551615.0.0", "18446744073709551615.1.0", "18446744073709551615.1.x");
    }

    #[test]
    fn a_union_gets_one_more_group_like_its_last() {
        check("1.x || 2.x", "3.1.0", "1.x || 2.x || 3.x");
        check("1.0.0||>=2.1.0 <3.0.0", "4.2.0", "1.0.0 || >=2.1.0 <3.0.0 || >=2.1.0 <5.0.0");
    }

    #[test]
    fn a_pre_release_opens_the_range_and_a_range_that_was_open_stays_so() {
        check("1.x-0", "2.1.0", "2.x-0");
        check("~1.2.3-0", "1.4.5", "~1.4.5-0");
        check("^1.2.3-beta.2", "2.0.0", "^2.0.0-0");
        check("1.2.3-beta.1", "1.2.3", "1.2.3");
        check("1.14.x", "1.16.0-rc.1", "1.16.x-0");
        check("*", "2.0.0-rc.1", "*-0");
        check("", "2.0.0-rc.1", "*-0");
        check(">=1.0.0", "2.0.0-rc.2", ">=1.0.0-0");
        check(">=1.0.0 <2.0.0", "2.0.0-rc.1", ">=1.0.0-0 <2.0.0");
        check("1.0.0", "1.1.0-rc.1", "1.1.0-rc.1");
        check("*-0", "9.0.0-rc.1", "*-0");
    }

    #[test]
    fn what_admits_nothing_in_its_shape_is_replaced_and_what_is_no_range_is_left_alone() {
        check("^*", "1.2.3", "1.2.x");
        check("<*", "1.2.3", "1.2.x");
        check("^x", "0.2.0-rc.1", "0.2.x-0");
        assert_eq!(widened("one.two", &Version::parse("1.2.3").unwrap()), None);
        assert_eq!(widened("||1", &Version::parse("1.2.3").unwrap()), None);
    }

    fn version() -> impl Strategy<Value = Version> {
        "[0-3]\\.[0-3]\\.[0-3](-(rc|a)\\.[0-3])?(\\+b)?".prop_map(|text| Version::parse(&text).unwrap())
    }

    fn group() -> impl Strategy<Value = String> {
        let one =
            "(=|!=|>|<|>=|=>|<=|=<|~|~>|\\^|) ?v?([0-3]|x|\\*)(\\.([0-3xX*])(\\.[0-3x*])?)?(-(0|rc\\.1))?";
        proptest::collection::vec(one, 1..3).prop_map(|terms| terms.join(", "))
    }

    proptest! {
        #[test]
        fn a_widened_range_admits_the_version(a in group(), b in group(), either in any::<bool>(), to in version()) {
            let range = if either { format!("{a} || {b}") } else { a };
            prop_assume!(Constraint::parse(&range).is_ok());
            let wide = widened(&range, &to).expect("a range can always be widened");
            prop_assert!(admits(&wide, &to), "{range} became {wide}, which does not admit {to}");
        }

        #[test]
        fn a_hyphen_range_admits_it_too(a in "[0-2](\\.[0-3])?", b in "[1-3](\\.[0-3](\\.[0-3])?)?", to in version()) {
            let range = format!("{a} - {b}");
            let wide = widened(&range, &to).unwrap();
            prop_assert!(admits(&wide, &to), "{range} became {wide}, which does not admit {to}");
        }

        #[test]
        fn nothing_that_a_union_or_a_bounded_range_admitted_is_lost(
            a in "[0-2](\\.[0-3])?", b in "[0-3]\\.[0-3]\\.[0-3]", either in any::<bool>(),
            to in version(), old in version()
        ) {
            let range = if either { format!("{a} || {b}") } else { format!(">={a} <{b}") };
            let wide = widened(&range, &to).unwrap();
            let lower = to < Version::parse(&a).unwrap();
            if admits(&range, &old) && !lower {
                prop_assert!(admits(&wide, &old), "{range} became {wide}, which no longer admits {old}");
            }
        }

        #[test]
        fn any_text_is_survived(range in any::<String>(), odd in "[0-9xv*.|<>=!~^, \\-+a]{0,24}", to in version()) {
            let _ = widened(&range, &to);
            if let Some(wide) = widened(&odd, &to) {
                prop_assert!(admits(&wide, &to), "{odd:?} became {wide}");
            }
        }
    }
}
