//! `WWW-Authenticate` (RFC 9110 §11.6.1), written by whoever answers: bounded, and never trusted to be well formed.

/// Longer headers are cut.
const LONGEST: usize = 8 << 10;

/// How a registry wants to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer(Bearer),
}

/// Where a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) realm: String,
    pub(super) service: Option<String>,
    /// What the registry says it needs; our own scope is asked for first.
    pub(super) scope: Option<String>,
}

/// The first Basic or Bearer challenge of all headers.
pub(super) fn first_challenge<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    headers.flat_map(read).find_map(usable)
}

struct Offer {
    scheme: String,
    parameters: Vec<(String, String)>,
}

fn usable(offer: Offer) -> Option<Challenge> {
    if offer.scheme == "basic" {
        return Some(Challenge::Basic);
    }
    if offer.scheme != "bearer" {
        return None;
    }
    let mut bearer = Bearer { realm: String::new(), service: None, scope: None };
    for (name, value) in offer.parameters {
        match name.as_str() {
            "realm" => bearer.realm = value,
            "service" => bearer.service = Some(value),
            "scope" => bearer.scope = Some(value),
            _ => {}
        }
    }
    (!bearer.realm.is_empty()).then_some(Challenge::Bearer(bearer))
}

fn read(header: &str) -> Vec<Offer> {
    let mut cut = header.len().min(LONGEST);
    while !header.is_char_boundary(cut) {
        cut -= 1;
    }
    let mut reader = Reader { rest: &header[..cut] };
    let mut offers = Vec::new();
    while let Some(scheme) = reader.token() {
        let mut offer = Offer { scheme: scheme.to_ascii_lowercase(), parameters: Vec::new() };
        while let Some(parameter) = reader.parameter() {
            offer.parameters.push(parameter);
        }
        offers.push(offer);
    }
    offers
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The next word, with the commas and spaces before it. None at the end, or where no word can start.
    fn token(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(|c: char| !is_token_char(c)).unwrap_or(rest.len());
        self.rest = &rest[end..];
        (end > 0).then(|| &rest[..end])
    }

    /// `name=value`; leaves the text alone where a new scheme starts instead.
    fn parameter(&mut self) -> Option<(String, String)> {
        let before = self.rest;
        let parameter = self.token().and_then(|name| {
            self.rest = self.rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
            Some((name.to_ascii_lowercase(), self.value()))
        });
        if parameter.is_none() {
            self.rest = before;
        }
        parameter
    }

    fn value(&mut self) -> String {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', ' ', '\t']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest;
            return value.to_owned();
        };
        let mut value = String::new();
        let mut escaped = false;
        for (at, c) in quoted.char_indices() {
            match c {
                c if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.rest = &quoted[at + 1..];
                    return value;
                }
                c => value.push(c),
            }
        }
        self.rest = "";
        value
    }
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(headers: &[&str]) -> Option<Challenge> {
        first_challenge(headers.iter().copied())
    }

    #[test]
    fn the_first_challenge_that_can_be_met_is_taken() {
        let bearer = Challenge::Bearer(Bearer {
            realm: "https://auth.docker.io/token".to_owned(),
            service: Some("registry.docker.io".to_owned()),
            scope: Some("repository:a/b:pull,push".to_owned()),
        });
        let text = "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\", \
                    scope=\"repository:a/b:pull,push\"";
        assert_eq!(first(&[text]), Some(bearer.clone()));
        assert_eq!(
            first(&[&format!("Negotiate YII==, Digest realm=\"x\", {text}, Basic realm=x")]),
            Some(bearer.clone())
        );
        assert_eq!(first(&["Negotiate", text]), Some(bearer));
        assert_eq!(first(&["BASIC realm=\"a \\\" , Bearer realm=x\""]), Some(Challenge::Basic));
        assert_eq!(first(&["basic"]), Some(Challenge::Basic));
    }

    #[test]
    fn what_cannot_be_met_is_no_challenge() {
        for header in ["", "Bearer", "Bearer service=x", "Negotiate", "=\"", "Bearer realm=\"\""] {
            assert_eq!(first(&[header]), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_parser(header in "\\PC*") {
            let _ = first(&[&header]);
        }

        #[test]
        fn no_arrangement_of_its_own_marks_breaks_the_parser(header in "(Bearer|Basic|realm|[=,\"\\\\ é]){0,40}") {
            let _ = first(&[&header]);
        }
    }
}
