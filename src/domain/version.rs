//! Versions as Masterminds semver v3.5 reads and orders them, and which tags Flux takes for versions.
//! It knows no ranges and asks no registry (`reference/flux.md` §2.1, §2.2, §1.5).

use std::{cmp::Ordering, cmp::Reverse, fmt};

/// A version. Equality and order are precedence: `1.0.0`, `v1.0.0` and `1.0.0+a` are equal.
#[derive(Debug, Clone)]
pub struct Version {
    original: Box<str>,
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: Box<str>,
    metadata: Box<str>,
}

/// Which rule a text breaks; the words finish the sentence "not a version: ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotAVersion {
    #[error("needs x.y.z")]
    NeedsThreeParts,
    #[error("has more than three parts")]
    FourParts,
    #[error("does not begin with a number or v and a number")]
    NoNumber,
    #[error("only a lower-case v may stand in front")]
    UpperCaseV,
    #[error("a number is too large")]
    TooLarge,
    #[error("a pre-release number has a leading zero")]
    PrereleaseZero,
    #[error("has an empty or odd identifier behind its numbers")]
    OddIdentifier,
    #[error("has leading zeros or a v, which a chart version may not have")]
    NotStrict,
}

impl Version {
    /// Masterminds `NewVersion`: lenient; missing parts are 0 and a `v` may stand in front.
    pub fn parse(text: &str) -> Result<Self, NotAVersion> {
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = [0; 3];
        let mut written = 0;
        for number in &mut numbers {
            let digits = match (written, rest.strip_prefix('.')) {
                (0, _) => rest,
                (_, Some(after)) => after,
                (_, None) => break,
            };
            (*number, rest) = take_number(digits, text)?;
            written += 1;
        }
        let (prerelease, metadata) = split_suffix(rest, written)?;
        Ok(Self {
            original: text.into(),
            major: numbers[0],
            minor: numbers[1],
            patch: numbers[2],
            prerelease: prerelease.into(),
            metadata: metadata.into(),
        })
    }

    /// Flux's rule for a tag: at least two dots anywhere, then [`Version::parse`] (`fluxcd/pkg/version`).
    pub fn parse_tag(tag: &str) -> Result<Self, NotAVersion> {
        let lenient = Self::parse(tag)?;
        if tag.bytes().filter(|&b| b == b'.').count() < 2 {
            return Err(NotAVersion::NeedsThreeParts);
        }
        Ok(lenient)
    }

    /// A tag below a selector for Helm charts: there `_` stands for `+`, which no tag may hold.
    pub fn parse_chart_tag(tag: &str) -> Result<Self, NotAVersion> {
        Self::parse_tag(&tag.replace('_', "+"))
    }

    /// Masterminds `StrictNewVersion`: exactly three parts, no `v`, no leading zeros (Helm's lists of charts).
    pub fn parse_strict(text: &str) -> Result<Self, NotAVersion> {
        let version = Self::parse(text)?;
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        if numbers.bytes().filter(|&b| b == b'.').count() != 2 {
            return Err(NotAVersion::NeedsThreeParts);
        }
        let plain = numbers.split('.').all(|n| n == "0" || n.starts_with(|c: char| ('1'..='9').contains(&c)));
        if plain { Ok(version) } else { Err(NotAVersion::NotStrict) }
    }

    /// As written: with its `v` and its leading zeros.
    pub fn original(&self) -> &str {
        &self.original
    }

    pub fn major(&self) -> u64 {
        self.major
    }

    pub fn minor(&self) -> u64 {
        self.minor
    }

    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// Without its hyphen; empty for a stable version.
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// Without its plus sign; plays no part in the order.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }
}

/// Sorts tags for reading: versions by Flux's rule first, newest first, then the others by name.
/// Tags of equal precedence keep their order.
pub fn newest_first<T: AsRef<str>>(tags: &mut [T]) {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Rank {
        Version(Reverse<Version>),
        Other(Box<str>),
    }
    tags.sort_by_cached_key(|tag| match Version::parse_tag(tag.as_ref()) {
        Ok(version) => Rank::Version(Reverse(version)),
        Err(_) => Rank::Other(tag.as_ref().into()),
    });
}

/// The tag that is shown as newest: the highest stable version, a pre-release only where nothing is stable.
/// `read` says how a tag is read: [`Version::parse_tag`], or [`Version::parse_chart_tag`] for Helm charts.
pub fn newest<T: AsRef<str>>(tags: &[T], read: impl Fn(&str) -> Result<Version, NotAVersion>) -> Option<&T> {
    tags.iter()
        .filter_map(|tag| Some((read(tag.as_ref()).ok()?, tag)))
        .max_by(|(a, _), (b, _)| (!a.is_prerelease()).cmp(&!b.is_prerelease()).then_with(|| a.cmp(b)))
        .map(|(_, tag)| tag)
}

fn take_number<'a>(digits: &'a str, whole: &str) -> Result<(u64, &'a str), NotAVersion> {
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if end == 0 {
        let upper = whole.starts_with('V');
        return Err(if upper { NotAVersion::UpperCaseV } else { NotAVersion::NoNumber });
    }
    let number = digits[..end].parse().map_err(|_| NotAVersion::TooLarge)?;
    Ok((number, &digits[end..]))
}

/// What follows the numbers: `-pre`, `+meta`, both or nothing.
fn split_suffix(rest: &str, written: usize) -> Result<(&str, &str), NotAVersion> {
    let (rest, metadata) = match rest.split_once('+') {
        Some((rest, metadata)) if is_dotted(metadata) => (rest, metadata),
        Some(_) => return Err(NotAVersion::OddIdentifier),
        None => (rest, ""),
    };
    match rest.strip_prefix('-') {
        None if rest.is_empty() => Ok(("", metadata)),
        None if rest.starts_with('.') && written == 3 => Err(NotAVersion::FourParts),
        Some(prerelease) if is_dotted(prerelease) => {
            let zero = prerelease.split('.').any(|identifier| {
                identifier.len() > 1
                    && identifier.starts_with('0')
                    && identifier.bytes().all(|b| b.is_ascii_digit())
            });
            if zero { Err(NotAVersion::PrereleaseZero) } else { Ok((prerelease, metadata)) }
        }
        None | Some(_) => Err(NotAVersion::OddIdentifier),
    }
}

fn is_dotted(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    text.split('.').all(|identifier| !identifier.is_empty() && identifier.bytes().all(allowed))
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |v: &Self| (v.major, v.minor, v.patch);
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| compare_prereleases(&self.prerelease, &other.prerelease))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// A stable version is above all its pre-releases; a missing identifier is below any other.
fn compare_prereleases(one: &str, other: &str) -> Ordering {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => one.split('.').map(Identifier::read).cmp(other.split('.').map(Identifier::read)),
    }
}

/// Numbers come before text; digits beyond 64 bits are text (`reference/flux.md` §2.7).
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(u64),
    Text(&'a str),
}

impl<'a> Identifier<'a> {
    fn read(text: &'a str) -> Self {
        text.parse().map_or(Self::Text(text), Self::Number)
    }
}

impl fmt::Display for Version {
    /// Canonical: `major.minor.patch[-pre][+meta]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_stable_where_anything_is() {
        let check = |tags: &[&str], expected| assert_eq!(newest(tags, Version::parse_tag).copied(), expected);
        check(&["1.9.0", "1.10.0", "2.0.0-rc.1", "latest"], Some("1.10.0"));
        check(&["2.0.0-rc.1", "2.0.0-rc.2"], Some("2.0.0-rc.2"));
        check(&["latest", "1.0"], None);
        assert_eq!(newest(&["1.0.0_a", "0.9.0"], Version::parse_chart_tag), Some(&"1.0.0_a"));
    }
    use proptest::prelude::*;

    fn refused(text: &str) -> String {
        Version::parse_tag(text).unwrap_err().to_string()
    }

    #[test]
    fn a_tag_that_is_no_version_says_which_rule_it_breaks() {
        assert_eq!(refused("1.14"), "needs x.y.z");
        assert_eq!(refused("1.2.3.4"), "has more than three parts");
        assert_eq!(refused("latest"), "does not begin with a number or v and a number");
        assert_eq!(refused("V1.2.3"), "only a lower-case v may stand in front");
        assert_eq!(refused("99999999999999999999.0.0"), "a number is too large");
        assert_eq!(refused("1.2.3-rc.01"), "a pre-release number has a leading zero");
        assert_eq!(refused("1.2.3_build"), "has an empty or odd identifier behind its numbers");
    }

    #[test]
    fn a_version_is_kept_as_written_and_told_in_canonical_form() {
        let version = Version::parse_tag("v2024.01.15-rc.1").unwrap();
        assert_eq!(
            (version.original(), version.to_string().as_str()),
            ("v2024.01.15-rc.1", "2024.1.15-rc.1")
        );
    }

    #[test]
    fn an_underscore_is_a_plus_in_a_charts_tag_only() {
        assert!(Version::parse_tag("1.0.0_a").is_err());
        assert_eq!(Version::parse_chart_tag("1.0.0_a").unwrap().metadata(), "a");
    }

    #[test]
    fn versions_come_first_and_newest_first_and_the_rest_by_name() {
        let mut tags = ["latest", "1.14", "1.2.0", "1.10.0-rc.1", "v1.9.0", "1.10.0", "20240115", "dev"];
        newest_first(&mut tags);
        assert_eq!(tags, ["1.10.0", "1.10.0-rc.1", "v1.9.0", "1.2.0", "1.14", "20240115", "dev", "latest"]);
    }

    #[test]
    fn digits_beyond_64_bits_are_text() {
        let order = |a: &str, b: &str| Version::parse(a).unwrap().cmp(&Version::parse(b).unwrap());
        assert_eq!(order("1.0.0-99999999999999999999", "1.0.0-100000000000000000000"), Ordering::Greater);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[v0-9x.+_-]{0,12}|\\PC{0,20}") {
            for version in [Version::parse(&text), Version::parse_tag(&text), Version::parse_strict(&text)]
                .into_iter()
                .flatten()
            {
                prop_assert_eq!(version.original(), text.as_str());
                prop_assert_eq!(&Version::parse_strict(&version.to_string()).unwrap(), &version);
            }
        }
    }
}
