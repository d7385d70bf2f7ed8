//! Version ranges as Masterminds semver v3.5 reads and judges them (`reference/flux.md` §2.3-§2.5).
//! It knows no tags: what a registry's tag means is for [`super::version`] and the policy.

use super::{quote::quote, version::Version};
use regex::{Captures, Regex};
use std::{fmt, sync::LazyLock};

/// `||` of groups; in a group all comparators must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint(Vec<Group>);

/// Comparators of which all must hold; printed as Masterminds prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group(Vec<Comparator>);

/// One operator and one version, of which parts may be wild or missing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparator {
    operator: Operator,
    /// Operator and version as written.
    text: Box<str>,
    /// Wild and missing parts are 0.
    version: Version,
    wild: Wild,
}

/// The first part that was missing or `x`, `X`, `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wild {
    None,
    Patch,
    Minor,
    Major,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// Masterminds' own words. `at`: the byte of the text at which reading it stops.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    #[error("improper constraint: {text}")]
    Improper { text: String, at: usize },
    #[error("constraint parser error")]
    Parser { at: usize },
}

impl ConstraintError {
    pub const fn at(&self) -> usize {
        match self {
            Self::Improper { at, .. } | Self::Parser { at } => *at,
        }
    }

    fn placed(self, at: usize) -> Self {
        match self {
            Self::Improper { text, .. } => Self::Improper { text, at },
            Self::Parser { .. } => Self::Parser { at },
        }
    }
}

/// What a constraint says of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement<'a> {
    InRange,
    /// It would match if its group named a pre-release.
    PreRelease {
        group: &'a Group,
    },
    /// The comparator that refuses it, e.g. `<2.0.0`; of several groups, that of the last.
    OutOfRange {
        comparator: &'a str,
    },
}

/// A version of which parts may be missing or wild; `|` stands in the class in the original, too.
const PARTIAL: &str = r"v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?(-[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*)?(?:\+[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*)?";
const OPERATOR: &str = r"=>|=<|>=|<=|!=|~>|=|>|<|~|\^|";
/// Go's `\s`.
const SPACE: &str = r"[\t\n\f\r ]";

struct Grammar {
    hyphen: Regex,
    group: Regex,
    comparator: Regex,
    /// The same pieces where a text begins with them: to find where it breaks.
    first_hyphen: Regex,
    first: Regex,
    first_operator: Regex,
}

static GRAMMAR: LazyLock<Option<Grammar>> = LazyLock::new(|| {
    let plain = PARTIAL.replace('(', "(?:").replace("(?:?:", "(?:");
    let one = format!("(?:{OPERATOR}){SPACE}*{plain}");
    Some(Grammar {
        hyphen: Regex::new(&format!("{SPACE}*({plain}){SPACE}+-{SPACE}+({plain}){SPACE}*")).ok()?,
        group: Regex::new(&format!("^{SPACE}*{one}{SPACE}*(?:(?:{SPACE}+|,{SPACE}*){one}{SPACE}*)*$"))
            .ok()?,
        comparator: Regex::new(&format!("({OPERATOR}){SPACE}*({PARTIAL})")).ok()?,
        first_hyphen: Regex::new(&format!("^{plain}{SPACE}+-{SPACE}+{plain}")).ok()?,
        first: Regex::new(&format!("^{one}")).ok()?,
        first_operator: Regex::new(&format!("^(?:{OPERATOR}){SPACE}*")).ok()?,
    })
});

impl Constraint {
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        let grammar = GRAMMAR.as_ref().ok_or(ConstraintError::Parser { at: 0 })?;
        let rewritten = rewrite_hyphens(&grammar.hyphen, text);
        let groups = rewritten.split("||").map(|group| Group::parse(grammar, group));
        let groups: Result<_, ConstraintError> = groups.collect();
        groups.map(Self).map_err(|error| error.placed(breaks_at(grammar, text)))
    }

    pub fn matches(&self, version: &Version) -> bool {
        self.0.iter().any(|group| group.refusal(version).is_none())
    }

    pub fn judge(&self, version: &Version) -> Judgement<'_> {
        if self.matches(version) {
            return Judgement::InRange;
        }
        let gated = |group: &&Group| version.is_prerelease() && !group.admits_prereleases();
        let admitted = |group: &&Group| group.0.iter().all(|comparator| comparator.holds(version));
        if let Some(group) = self.0.iter().filter(gated).find(admitted) {
            return Judgement::PreRelease { group };
        }
        let comparator = self.0.iter().rev().find_map(|group| group.0.iter().find(|c| !c.holds(version)));
        Judgement::OutOfRange { comparator: comparator.map_or("", |c| &c.text) }
    }
}

impl Group {
    fn parse(grammar: &Grammar, text: &str) -> Result<Self, ConstraintError> {
        if !grammar.group.is_match(text) {
            return Err(ConstraintError::Improper { text: quote(text), at: 0 });
        }
        grammar
            .comparator
            .captures_iter(text)
            .map(|found| Comparator::read(&found))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// One comparator with a pre-release opens the whole group for them (since v3.4.0).
    fn admits_prereleases(&self) -> bool {
        self.0.iter().any(|comparator| comparator.version.is_prerelease())
    }

    fn refusal(&self, version: &Version) -> Option<&Comparator> {
        if version.is_prerelease() && !self.admits_prereleases() {
            return self.0.first();
        }
        self.0.iter().find(|comparator| !comparator.holds(version))
    }
}

impl Comparator {
    fn read(found: &Captures<'_>) -> Result<Self, ConstraintError> {
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str().trim_start_matches('.'));
        let is_wild = |at: usize| matches!(part(at), "" | "x" | "X" | "*");
        let (major, minor, prerelease) = (part(3), part(4), part(6));
        let (version, wild) = if is_wild(3) {
            (format!("0.0.0{prerelease}"), Wild::Major)
        } else if is_wild(4) {
            (format!("{major}.0.0{prerelease}"), Wild::Minor)
        } else if is_wild(5) {
            (format!("{major}.{minor}.0{prerelease}"), Wild::Patch)
        } else {
            (part(2).to_owned(), Wild::None)
        };
        Ok(Self {
            operator: Operator::read(part(1)),
            text: format!("{}{}", part(1), part(2)).into(),
            version: Version::parse(&version).map_err(|_| ConstraintError::Parser { at: 0 })?,
            wild,
        })
    }

    /// Without the gate for pre-releases.
    fn holds(&self, v: &Version) -> bool {
        let c = &self.version;
        match self.operator {
            Operator::Equal if self.wild == Wild::None => v == c,
            Operator::Equal | Operator::Tilde => self.tilde(v),
            Operator::NotEqual => self.differs(v),
            Operator::Greater => self.exceeds(v),
            Operator::Less => v < c,
            Operator::GreaterEqual => v >= c,
            Operator::LessEqual => self.at_most(v),
            Operator::Caret => self.caret(v),
        }
    }

    fn tilde(&self, v: &Version) -> bool {
        let c = &self.version;
        let zero = (c.major(), c.minor(), c.patch()) == (0, 0, 0);
        let open = matches!(self.wild, Wild::None | Wild::Major);
        if v < c {
            return false;
        }
        zero && open || v.major() == c.major() && (v.minor() == c.minor() || self.wild == Wild::Minor)
    }

    fn differs(&self, v: &Version) -> bool {
        let c = &self.version;
        match self.wild {
            Wild::None => v != c,
            _ if v.major() != c.major() => true,
            Wild::Minor => false,
            _ if v.minor() != c.minor() => true,
            Wild::Major => v != c,
            _ if v.is_prerelease() || c.is_prerelease() => v.prerelease() != c.prerelease(),
            Wild::Patch => false,
        }
    }

    fn exceeds(&self, v: &Version) -> bool {
        let c = &self.version;
        match self.wild {
            Wild::None => v > c,
            _ if v.major() != c.major() => v.major() > c.major(),
            Wild::Minor => false,
            Wild::Patch => v.minor() > c.minor(),
            Wild::Major => v > c,
        }
    }

    fn at_most(&self, v: &Version) -> bool {
        let c = &self.version;
        if self.wild == Wild::None {
            return v <= c;
        }
        v.major() < c.major()
            || v.major() == c.major() && (v.minor() <= c.minor() || self.wild == Wild::Minor)
    }

    fn caret(&self, v: &Version) -> bool {
        let c = &self.version;
        if v < c {
            return false;
        }
        if c.major() > 0 || self.wild == Wild::Minor {
            return v.major() == c.major();
        }
        if v.major() > 0 {
            return false;
        }
        if c.minor() > 0 || self.wild == Wild::Patch {
            return v.minor() == c.minor();
        }
        v.minor() == 0 && v.patch() == c.patch()
    }
}

impl Operator {
    fn read(text: &str) -> Self {
        match text {
            "!=" => Self::NotEqual,
            ">" => Self::Greater,
            "<" => Self::Less,
            ">=" | "=>" => Self::GreaterEqual,
            "<=" | "=<" => Self::LessEqual,
            "~" | "~>" => Self::Tilde,
            "^" => Self::Caret,
            _ => Self::Equal,
        }
    }
}

/// `A - B` becomes `>= A, <= B `, and swallows the space in front as the original does.
fn rewrite_hyphens(hyphen: &Regex, text: &str) -> String {
    let mut out = text.to_owned();
    for found in hyphen.captures_iter(text) {
        out = out.replacen(&found[0], &format!(">= {}, <= {} ", &found[1], &found[2]), 1);
    }
    out
}

/// The first character that fits nowhere, or where a version begins whose numbers cannot be read.
fn breaks_at(grammar: &Grammar, text: &str) -> usize {
    let mut start = 0;
    for group in text.split("||") {
        if let Some(at) = group_breaks_at(grammar, group) {
            return start + at;
        }
        start += group.len() + 2;
    }
    text.len()
}

fn group_breaks_at(grammar: &Grammar, group: &str) -> Option<usize> {
    let mut at = behind_space(group, 0);
    loop {
        let rest = &group[at..];
        let Some(found) = grammar.first_hyphen.find(rest).or_else(|| grammar.first.find(rest)) else {
            return Some(at + grammar.first_operator.find(rest).map_or(0, |operator| operator.end()));
        };
        let mut comparators = grammar.comparator.captures_iter(found.as_str());
        if let Some(bad) = comparators.find(|one| Comparator::read(one).is_err()) {
            return Some(at + bad.get(2).map_or(0, |version| version.start()));
        }
        let end = at + found.end();
        let next = behind_space(group, end);
        if next == group.len() {
            return None;
        }
        at = match group.as_bytes()[next] {
            b',' => behind_space(group, next + 1),
            _ if next > end => next,
            _ => return Some(end),
        };
    }
}

fn behind_space(text: &str, from: usize) -> usize {
    let space = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | '\r' | ' ');
    text.len() - text[from..].trim_start_matches(space).len()
}

impl fmt::Display for Constraint {
    /// Canonical, as Masterminds prints it: groups joined by ` || `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, group) in self.0.iter().enumerate() {
            write!(f, "{}{group}", if at > 0 { " || " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, comparator) in self.0.iter().enumerate() {
            write!(f, "{}{}", if at > 0 { " " } else { "" }, comparator.text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(constraint: &str, version: &str, expected: &str) {
        let constraint_read = Constraint::parse(constraint).unwrap();
        let words = match constraint_read.judge(&Version::parse(version).unwrap()) {
            Judgement::InRange => "in range".to_owned(),
            Judgement::PreRelease { group } => format!("pre-release: {group}"),
            Judgement::OutOfRange { comparator } => format!("out of range: {comparator}"),
        };
        assert_eq!(words, expected, "{constraint} {version}");
    }

    #[test]
    fn a_refusal_names_the_comparator_that_decided() {
        check(">=1.0.0 <2.0.0", "1.5.0", "in range");
        check(">=1.0.0 <2.0.0", "2.0.0", "out of range: <2.0.0");
        check("6.9.x", "7.0.0-rc.1", "out of range: 6.9.x");
        check("6.9.x", "6.9.5-rc.1", "pre-release: 6.9.x");
        check("1.x || >=3", "2.0.0", "out of range: >=3");
        check(">=1.0.0-0 <2.0.0", "2.0.0-rc.1", "in range");
    }

    #[test]
    fn a_text_that_does_not_parse_says_where_it_breaks() {
        for (text, at) in [
            ("abc", 0),
            (">=6.9.0 <abc", 9),
            (">=6.9.0, ", 9),
            ("1.x || ~> ^2", 10),
            ("1.x ||", 6),
            ("", 0),
            ("1.2.3.4", 5),
            ("1.0 - 2.0 3.0.0?", 15),
            (">=1.0.0 <99999999999999999999", 9),
            ("1.2.3-01", 0),
            ("größer", 0),
            ("1.0.0\u{a0}<2", 5),
        ] {
            assert_eq!(Constraint::parse(text).unwrap_err().at(), at, "{text}");
        }
    }

    fn version() -> impl Strategy<Value = Version> {
        "[0-3]\\.[0-3]\\.[0-3](-(rc|a)\\.[0-3])?".prop_map(|text| Version::parse(&text).unwrap())
    }

    fn comparator() -> impl Strategy<Value = String> {
        "(=|!=|>|<|>=|<=|~|\\^|)[0-3](\\.([0-3x])(\\.[0-3x](-rc\\.1)?)?)?"
    }

    proptest! {
        #[test]
        fn no_string_makes_it_panic(text in any::<String>(), odd in "[0-9xv*.|<>=!~^, \\-+a]{0,24}") {
            for text in [&text, &odd] {
                if let Err(error) = Constraint::parse(text) {
                    prop_assert!(text.is_char_boundary(error.at()), "{text:?} {}", error.at());
                }
            }
        }

        #[test]
        fn a_constraint_agrees_with_its_canonical_print(
            a in comparator(), b in comparator(), c in comparator(), v in version()
        ) {
            let constraint = Constraint::parse(&format!("{a}, {b} || {c}")).unwrap();
            let again = Constraint::parse(&constraint.to_string()).unwrap();
            prop_assert_eq!(constraint.matches(&v), again.matches(&v));
        }

        #[test]
        fn or_is_the_union_of_its_groups(a in comparator(), b in comparator(), v in version()) {
            let one = |text: &str| Constraint::parse(text).unwrap().matches(&v);
            prop_assert_eq!(one(&format!("{a} || {b}")), one(&a) || one(&b));
        }

        #[test]
        fn a_group_is_the_intersection_once_its_gate_is_open(a in comparator(), b in comparator(), v in version()) {
            let group = Constraint::parse(&format!("{a} {b}")).unwrap();
            let open = !v.is_prerelease() || a.contains('-') || b.contains('-');
            // An open gate is written into each part by a comparator that is always true.
            let one = |text: &str| Constraint::parse(&format!("{text} >=0.0.0-0")).unwrap().matches(&v);
            prop_assert_eq!(group.matches(&v), open && one(&a) && one(&b));
        }
    }
}
