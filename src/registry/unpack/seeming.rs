//! The first bytes of a layer that is no gzip -> what it seems to be. A guess for a sentence; decides nothing.

/// A clause that begins with `it`.
pub(super) fn seeming(first: &[u8]) -> &'static str {
    const MAGIC: [(&[u8], &str); 9] = [
        (b"\x1f\x8b", "its gzip header is broken"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd"),
        (b"\xfd7zXZ\0", "it is compressed with xz"),
        (b"BZh", "it is compressed with bzip2"),
        (b"\x04\x22\x4d\x18", "it is compressed with lz4"),
        (b"PK\x03\x04", "it is a zip archive"),
        (b"-----BEGIN PGP SIGNED MESSAGE-----", "it is a signed text, as Helm's provenance files are"),
        (b"{", "it is JSON"),
        (b"\x7fELF", "it is a program"),
    ];
    if let Some((_, words)) = MAGIC.iter().find(|(magic, _)| first.starts_with(magic)) {
        return words;
    }
    if first.is_empty() {
        "it is empty"
    } else if first.get(257..262) == Some(b"ustar") {
        "it is a tar archive that is not compressed"
    } else if is_text(first) {
        "it is a text"
    } else {
        "it is not compressed with gzip"
    }
}

/// No control characters; the last one may be cut.
fn is_text(first: &[u8]) -> bool {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match std::str::from_utf8(first) {
        Ok(text) => !text.contains(control),
        Err(error) => {
            let valid = String::from_utf8_lossy(&first[..error.valid_up_to()]);
            error.error_len().is_none() && !valid.contains(control)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_gzip_is_named() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (first, words) in [
            (b"".as_slice(), "it is empty"),
            (b"\x1f\x8b\x08", "its gzip header is broken"),
            (b"\x28\xb5\x2f\xfd\x04", "it is compressed with zstd"),
            (b"-----BEGIN PGP SIGNED MESSAGE-----\n", "it is a signed text, as Helm's provenance files are"),
            (&tar, "it is a tar archive that is not compressed"),
            ("größ".as_bytes(), "it is a text"),
            (&"größ".as_bytes()[..3], "it is a text"),
            (b"a\x1bb", "it is not compressed with gzip"),
            (b"a\xff\xff", "it is not compressed with gzip"),
        ] {
            assert_eq!(seeming(first), words, "{first:?}");
        }
    }
}
