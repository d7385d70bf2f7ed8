//! The `Link` header of a paged answer (RFC 8288). It finds the next page's target and judges nothing about it.

/// Longer headers are not read.
const LONGEST: usize = 8 << 10;

/// The target of the first `rel="next"`, as written: relative or absolute.
pub(super) fn next_page(header: &str) -> Option<&str> {
    if header.len() > LONGEST {
        return None;
    }
    let mut rest = header;
    loop {
        let start = rest.find('<')? + 1;
        let length = rest.get(start..)?.find('>')?;
        let target = rest.get(start..start + length)?;
        let (parameters, following) = split_link(rest.get(start + length + 1..)?);
        if is_next(parameters) {
            return Some(target.trim());
        }
        rest = following;
    }
}

/// Everything up to the comma that ends this link, and what follows it. Commas in quotes do not count.
fn split_link(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn is_next(parameters: &str) -> bool {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("rel")
            && value
                .trim()
                .trim_matches('"')
                .split_ascii_whitespace()
                .any(|rel| rel.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::next_page;
    use proptest::prelude::*;

    #[test]
    fn the_next_page_is_found_however_it_is_written() {
        for (header, target) in [
            ("</v2/a/tags/list?last=b&n=5>; rel=\"next\"", Some("/v2/a/tags/list?last=b&n=5")),
            ("<https://x.io/p?a=1,2>;rel=next", Some("https://x.io/p?a=1,2")),
            ("<a>; rel=\"prev\", <b>; title=\"x, <y>; rel=next\"; rel=\"last NEXT\"", Some("b")),
            ("<a>; rel=\"prev\"", None),
            ("<a>", None),
            ("a; rel=next", None),
            ("<a; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_page(header), target, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_parser(header in "\\PC*") {
            let _ = next_page(&header);
        }

        #[test]
        fn no_arrangement_of_its_own_marks_breaks_the_parser(header in "[<>;,=\"\\\\ a-zé]{0,64}") {
            let _ = next_page(&header);
        }
    }
}
