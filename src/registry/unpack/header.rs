//! One block of 512 bytes -> a header, and PAX records, as Go's `archive/tar` reads them (`reader.go`, `strconv.go`).
//! It reads no further than it is given, and knows nothing of Flux.

use super::source::Stop;

pub(super) const BLOCK: usize = 512;

/// A block of an archive.
pub(super) type Block = [u8; BLOCK];

/// What a header says of its entry, extended headers not yet applied.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    pub name: Vec<u8>,
    pub link: Vec<u8>,
    pub kind: u8,
    pub size: i64,
    pub mode: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    V7,
    Ustar,
    Star,
    Gnu,
}

pub(super) const REGULAR: u8 = b'0';
/// A regular file of old archives; a folder if its name ends in a slash.
pub(super) const OLD_REGULAR: u8 = 0;
pub(super) const HARD_LINK: u8 = b'1';
pub(super) const SYMBOLIC_LINK: u8 = b'2';
pub(super) const CHARACTER_DEVICE: u8 = b'3';
pub(super) const BLOCK_DEVICE: u8 = b'4';
pub(super) const FOLDER: u8 = b'5';
pub(super) const FIFO: u8 = b'6';
pub(super) const PAX_NEXT: u8 = b'x';
pub(super) const PAX_GLOBAL: u8 = b'g';
pub(super) const GNU_SPARSE: u8 = b'S';
pub(super) const GNU_LONG_NAME: u8 = b'L';
pub(super) const GNU_LONG_LINK: u8 = b'K';

/// `ErrHeader`.
pub(super) fn invalid() -> Stop {
    Stop::broken("archive/tar: invalid tar header")
}

impl Header {
    /// Fails on a wrong checksum and on numbers that are none.
    pub(super) fn parse(block: &Block) -> Result<Self, Stop> {
        let format = Format::of(block).ok_or_else(invalid)?;
        let mut header = Self {
            name: string(&block[0..100]).to_vec(),
            link: string(&block[157..257]).to_vec(),
            kind: block[156],
            size: numeric(&block[124..136])?,
            mode: numeric(&block[100..108])?,
        };
        for unused in [108..116, 116..124, 136..148] {
            numeric(&block[unused])?;
        }
        if format != Format::V7 {
            numeric(&block[329..337])?;
            numeric(&block[337..345])?;
        }
        let prefix = format.prefix(block)?;
        if !prefix.is_empty() {
            header.name = [prefix, b"/", &header.name].concat();
        }
        Ok(header)
    }

    /// No data follows, whatever the size says.
    pub(super) const fn is_header_only(&self) -> bool {
        matches!(self.kind, HARD_LINK | SYMBOLIC_LINK | CHARACTER_DEVICE | BLOCK_DEVICE | FOLDER | FIFO)
    }
}

impl Format {
    /// None: the checksum is wrong.
    fn of(block: &Block) -> Option<Self> {
        let written = octal(&block[148..156]).ok()?;
        let counted = |byte: fn(u8) -> i64| -> i64 {
            let blank = |(at, &c): (usize, &u8)| byte(if (148..156).contains(&at) { b' ' } else { c });
            block.iter().enumerate().map(blank).sum()
        };
        // the Sun tar summed signed bytes
        if written != counted(i64::from) && written != counted(|c| i64::from(c.cast_signed())) {
            return None;
        }
        Some(match (&block[257..263], &block[263..265], &block[508..512]) {
            (b"ustar\0", _, b"tar\0") => Self::Star,
            (b"ustar\0", ..) => Self::Ustar,
            (b"ustar ", b" \0", _) => Self::Gnu,
            _ => Self::V7,
        })
    }

    /// What stands before the name, where this format has a place for it.
    fn prefix(self, block: &Block) -> Result<&[u8], Stop> {
        match self {
            Self::V7 => Ok(&[]),
            Self::Ustar => Ok(string(&block[345..500])),
            Self::Star => {
                numeric(&block[476..488])?;
                numeric(&block[488..500])?;
                Ok(string(&block[345..476]))
            }
            Self::Gnu => {
                // old writers of Go put a prefix where this format keeps two times
                let time = |field: &[u8]| field[0] == 0 || numeric(field).is_ok();
                let prefix = string(&block[345..500]);
                let buggy = !(time(&block[345..357]) && time(&block[357..369]));
                Ok(if buggy && prefix.is_ascii() { prefix } else { &[] })
            }
        }
    }
}

/// True for the format whose headers may hold a sparse map.
pub(super) fn is_gnu(block: &Block) -> bool {
    Format::of(block) == Some(Format::Gnu)
}

/// Up to the first NUL.
pub(super) fn string(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Octal digits, or a big-endian two's complement number if the first bit is set.
pub(super) fn numeric(field: &[u8]) -> Result<i64, Stop> {
    let Some(&first) = field.first().filter(|first| **first & 0x80 != 0) else {
        return octal(field);
    };
    let inverted: u8 = if first & 0x40 == 0 { 0 } else { 0xff };
    let mut number = 0_u64;
    for (at, &byte) in field.iter().enumerate() {
        let byte = byte ^ inverted;
        let byte = if at == 0 { byte & 0x7f } else { byte };
        if number >> 56 > 0 {
            return Err(invalid());
        }
        number = number << 8 | u64::from(byte);
    }
    let number = i64::try_from(number).map_err(|_| invalid())?;
    Ok(if inverted == 0 { number } else { !number })
}

fn octal(field: &[u8]) -> Result<i64, Stop> {
    let padding = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !padding(byte)).unwrap_or(field.len());
    let end = field.iter().rposition(|byte| !padding(byte)).map_or(start, |at| at + 1);
    let digits = string(&field[start..end]);
    if digits.iter().any(|digit| !(b'0'..=b'7').contains(digit)) {
        return Err(invalid());
    }
    // at most 12 digits of three bits
    Ok(digits.iter().fold(0, |number, digit| number << 3 | i64::from(digit - b'0')))
}

/// A decimal number as Go's `ParseInt` reads it: a sign, and nothing else beside the digits.
pub(super) fn decimal(text: &[u8]) -> Result<i64, Stop> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(invalid)
}

/// The records of a PAX header that say something about an entry. The last of a name counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Records(Vec<(Vec<u8>, Vec<u8>)>);

impl Records {
    /// Fails on whatever Go refuses, also in records that are not used.
    pub(super) fn parse(mut rest: &[u8]) -> Result<Self, Stop> {
        let mut found = Self::default();
        // sparse maps of version 0.0 stand in records of their own
        let mut map: Vec<&[u8]> = Vec::new();
        while !rest.is_empty() {
            let (key, value, after) = record(rest).ok_or_else(invalid)?;
            rest = after;
            let offset = map.len().is_multiple_of(2);
            match key {
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    if offset != (key == b"GNU.sparse.offset") || value.contains(&b',') {
                        return Err(invalid());
                    }
                    map.push(value);
                }
                key => found.set(key, value.to_vec()),
            }
        }
        if !map.is_empty() {
            found.set(b"GNU.sparse.map", map.join(&b','));
        }
        Ok(found)
    }

    /// The value, empty if there is none: an empty one means nothing either.
    pub(super) fn get(&self, key: &[u8]) -> &[u8] {
        self.0.iter().find(|(known, _)| known == key).map_or(&[], |(_, value)| value)
    }

    fn set(&mut self, key: &[u8], value: Vec<u8>) {
        if !is_meant(key) {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_vec(), value)),
        }
    }

    /// Overwrites the header with what the records say. Checks also the numbers that are not used.
    pub(super) fn apply(&self, header: &mut Header) -> Result<(), Stop> {
        let text = |key: &[u8], field: &mut Vec<u8>| {
            let value = self.get(key);
            if !value.is_empty() {
                value.clone_into(field);
            }
        };
        text(b"path", &mut header.name);
        text(b"linkpath", &mut header.link);
        for key in [b"uid".as_slice(), b"gid"] {
            number(self.get(key))?;
        }
        for key in [b"atime".as_slice(), b"mtime", b"ctime"] {
            time(self.get(key))?;
        }
        if let Some(size) = number(self.get(b"size"))? {
            header.size = size;
        }
        Ok(())
    }
}

/// Others have no effect on what is written: owners' names, extended attributes, comments.
fn is_meant(key: &[u8]) -> bool {
    const SPARSE: [&[u8]; 7] = [b"major", b"minor", b"map", b"name", b"numblocks", b"realsize", b"size"];
    const PLAIN: [&[u8]; 8] = [b"path", b"linkpath", b"size", b"uid", b"gid", b"atime", b"mtime", b"ctime"];
    key.strip_prefix(b"GNU.sparse.").map_or_else(|| PLAIN.contains(&key), |key| SPARSE.contains(&key))
}

fn number(value: &[u8]) -> Result<Option<i64>, Stop> {
    if value.is_empty() { Ok(None) } else { decimal(value).map(Some) }
}

fn time(value: &[u8]) -> Result<(), Stop> {
    let mut parts = value.splitn(2, |&byte| byte == b'.');
    let seconds = parts.next().unwrap_or_default();
    let fraction = parts.next().unwrap_or_default();
    if value.is_empty() {
        return Ok(());
    }
    decimal(seconds)?;
    if fraction.iter().all(u8::is_ascii_digit) { Ok(()) } else { Err(invalid()) }
}

/// `length key=value\n`, and what follows it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().position(|&byte| byte == b' ')?;
    let length = usize::try_from(decimal(&text[..space]).ok()?).ok()?;
    if length < 5 || length > text.len() || length <= space + 1 {
        return None;
    }
    let (record, rest) = text.split_at(length);
    let record = record[space + 1..].strip_suffix(b"\n")?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    let (key, value) = (&record[..equals], &record[equals + 1..]);
    let strict = [b"path".as_slice(), b"linkpath", b"uname", b"gname"].contains(&key);
    let text = if strict { value } else { key };
    (!key.is_empty() && !text.contains(&0)).then_some((key, value, rest))
}
