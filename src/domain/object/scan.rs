//! Kubernetes objects named in a file, found without parsing it whole. A document that is no object is left out.

use super::{
    super::identity::{Kind, ObjectId},
    Dialect, Document, Key, documents, parse, scalar, unroll,
};
use serde_json::Value;

/// One object as a file names it. All text is from outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    pub api_version: Box<str>,
    pub kind: Box<str>,
    /// None: the file names none; where it goes is decided by who applies it.
    pub namespace: Option<Box<str>>,
    pub name: Box<str>,
    /// Line on which its document begins, from 1; of an item of a List the line of the item.
    pub line: usize,
}

impl Named {
    /// Of an object that was read. None: it names none.
    pub fn of(value: &Value, line: usize) -> Option<Self> {
        let key = Key::of(value)?;
        let api_version = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            api_version: api_version.into(),
            kind: key.kind,
            namespace: key.namespace,
            name: key.name,
            line,
        })
    }

    /// What it is known by.
    pub fn key(&self) -> Key {
        Key::new(&self.api_version, &self.kind, self.namespace.as_deref(), &self.name)
    }

    /// The object in the cluster, if it is of a kind of Flux. A namespace that the file leaves open is given.
    pub fn live(&self, namespace: &str) -> Option<ObjectId> {
        let group = self.api_version.split('/').next().unwrap_or_default();
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == &*self.kind && kind.group() == group)?;
        let namespace = self.namespace.as_deref().unwrap_or(namespace);
        Some(ObjectId::new(kind, namespace, &*self.name))
    }
}

/// Objects of a YAML stream or a JSON document, in order. `apiVersion`, `kind` and `metadata` are read by their place at
/// the margin; a document that does not say them plainly is parsed, and if it cannot be, what seems to be there is taken.
pub fn scan(text: &str) -> Vec<Named> {
    documents(text).iter().flat_map(|document| scan_document(text, document)).collect()
}

/// The same for one document of [`documents`]: what [`super::parse`] and [`super::unroll`] would name as kustomize reads
/// it, mostly without parsing. Nothing: it is no object, or broken.
pub fn scan_document(text: &str, document: &Document) -> Vec<Named> {
    let text = &text[document.at.clone()];
    if let Some(named) = at_margin(text, document.line) {
        return vec![named];
    }
    let lines = || by_lines(text, document.line);
    match parse(text, Dialect::Kustomize) {
        Ok(None) => Vec::new(),
        Err(_) => lines(),
        Ok(Some(value)) => {
            let list = value.get("items").is_some();
            let objects = unroll(value);
            let mut places = if list { item_lines(text, document.line, objects.len()) } else { Vec::new() };
            places.resize(objects.len(), document.line);
            objects.iter().zip(places).filter_map(|(object, line)| Named::of(object, line)).collect()
        }
    }
}

/// Lines on which the items of a List begin; none if not all are found.
fn item_lines(text: &str, first: usize, count: usize) -> Vec<usize> {
    let found = if text.trim_start().starts_with('{') {
        json_items(text, first)
    } else {
        by_lines(text, first).iter().map(|named| named.line).collect()
    };
    if found.len() == count { found } else { Vec::new() }
}

/// Where the items of a List in JSON begin.
fn json_items(text: &str, first: usize) -> Vec<usize> {
    let (mut line, mut depth, mut quoted, mut escaped) = (first, 0_u32, false, false);
    let (mut word, mut inside) = (0, false);
    let mut found = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => line += 1,
            b'\\' if quoted => {
                escaped = !escaped;
                continue;
            }
            b'"' if !escaped => {
                quoted = !quoted;
                if quoted {
                    word = at + 1;
                } else if depth == 1 {
                    inside = &text[word..at] == "items";
                }
            }
            b'{' | b'[' if !quoted => {
                depth += 1;
                if inside && depth == 3 {
                    found.push(line);
                }
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = false;
    }
    found
}

/// The object, if each line that matters says what it says by itself. None: it must be parsed.
fn at_margin(text: &str, first: usize) -> Option<Named> {
    let mut found = Plain::default();
    let mut section = Section::Other;
    // a word that goes on in the next line
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        if section == Section::Other && open.is_none() && line.starts_with(' ') {
            continue;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        if open.take().is_some_and(|own| indent > own) {
            return None;
        }
        if indent > 0 && section == Section::Other {
            continue;
        }
        let keyed = match (indent, section) {
            (0, _) => true,
            (_, Section::Metadata(None)) => {
                section = Section::Metadata(Some(indent));
                true
            }
            (_, Section::Metadata(Some(depth))) if indent < depth => return None,
            (_, Section::Metadata(depth)) => depth == Some(indent),
            (_, Section::Other) => false,
        };
        if !keyed {
            continue;
        }
        let (key, value) = plain_entry(bare)?;
        if indent == 0 {
            section = if key == "metadata" { Section::Metadata(None) } else { Section::Other };
        }
        if let Some(field) = found.field(key, indent == 0) {
            if field.replace(plain_word(value)?.into()).is_some() {
                return None;
            }
            open = Some(indent);
        } else if key == "metadata" && indent == 0 && !value.is_empty()
            || key == "<<"
            || key == "items" && indent == 0
        {
            return None;
        }
    }
    found.named(first)
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    /// How far its keys stand from the margin, once the first was seen.
    Metadata(Option<usize>),
    Other,
}

#[derive(Default)]
struct Plain {
    api_version: Option<Box<str>>,
    kind: Option<Box<str>>,
    name: Option<Box<str>>,
    namespace: Option<Box<str>>,
}

impl Plain {
    fn field(&mut self, key: &str, top: bool) -> Option<&mut Option<Box<str>>> {
        match (key, top) {
            ("apiVersion", true) => Some(&mut self.api_version),
            ("kind", true) => Some(&mut self.kind),
            ("name", false) => Some(&mut self.name),
            ("namespace", false) => Some(&mut self.namespace),
            _ => None,
        }
    }

    fn named(self, line: usize) -> Option<Named> {
        let kind = self.kind.filter(|kind| !kind.ends_with("List"))?;
        Some(Named {
            api_version: self.api_version?,
            kind,
            namespace: self.namespace,
            name: self.name?,
            line,
        })
    }
}

/// `key: value` with a key that is a word.
fn plain_entry(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let plain = key == "<<" || !key.is_empty() && !key.starts_with('-') && key.chars().all(is_word);
    (plain && (value.is_empty() || value.starts_with(' '))).then(|| (key, value.trim()))
}

/// What a value says that is a string without any doubt.
fn plain_word(value: &str) -> Option<&str> {
    let closed = |quote: char| {
        let (word, rest) = value[1..].split_once(quote)?;
        let rest = rest.trim_start();
        let plain = !word.contains('\\') && (rest.is_empty() || rest.starts_with('#'));
        (plain && !word.is_empty()).then_some(word)
    };
    match value.chars().next()? {
        quote @ ('"' | '\'') => closed(quote).filter(|word| value.len() == word.len() + 2),
        c if c.is_ascii_alphanumeric() => {
            let word = value.split(" #").next().unwrap_or_default().trim_end();
            let doubtful = |c: char| c == '\t' || c.is_control();
            let plain = !word.contains(": ") && !word.ends_with(':') && !word.contains(doubtful);
            let is_text = matches!(scalar::plain(word, Dialect::Kustomize), scalar::Meaning::Text(_));
            (plain && is_text).then_some(word)
        }
        _ => None,
    }
}

/// What seems to be there, line by line, in what no parser reads: templates, and broken documents.
fn by_lines(text: &str, first: usize) -> Vec<Named> {
    let mut document = Lines { line: first, ..Lines::default() };
    for (at, line) in text.lines().enumerate() {
        if !document.read_item(line, first + at) {
            document.read(line);
        }
    }
    document.finish()
}

#[derive(Default)]
struct Lines {
    line: usize,
    api_version: Option<Box<str>>,
    kind: Option<Box<str>>,
    name: Option<Box<str>>,
    namespace: Option<Box<str>>,
    inside_metadata: bool,
    /// How far the keys of `metadata` stand from the margin, once the first was seen.
    depth: Option<usize>,
    inside_items: bool,
    /// Of a List: how far its dashes stand from the margin.
    dash: Option<usize>,
    items: Vec<Lines>,
}

impl Lines {
    /// Reads a line of an item of a List. False: it is none.
    fn read_item(&mut self, line: &str, number: usize) -> bool {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let rest = &line[indent..];
        self.inside_items &= indent > 0 || rest.is_empty() || rest.starts_with(['-', '#']);
        if !self.inside_items {
            return false;
        }
        let begins = rest.strip_prefix("- ").filter(|_| self.dash.is_none_or(|dash| dash == indent));
        if let Some(first) = begins {
            self.dash = Some(indent);
            let mut item = Self { line: number, ..Self::default() };
            item.read(first);
            self.items.push(item);
        } else if let (Some(dash), Some(item)) = (self.dash, self.items.last_mut())
            && let Some(own) = line.get(dash + 2..)
        {
            item.read(own);
        }
        true
    }

    fn read(&mut self, line: &str) {
        let indent = line.len() - line.trim_start_matches(' ').len();
        // most lines stand deeper than what is looked for
        let deep = !self.inside_metadata || self.depth.is_some_and(|depth| depth != indent);
        if indent > 0 && deep {
            return;
        }
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with('#') {
            return;
        }
        let Some((key, value)) = entry(bare) else { return };
        if indent == 0 {
            self.inside_items = key == "items" && value.is_none();
            self.inside_metadata = key == "metadata" && value.is_none();
            self.depth = None;
            match key {
                "metadata" => self.read_flow(value.as_deref().unwrap_or_default()),
                "apiVersion" => self.api_version = value,
                "kind" => self.kind = value,
                _ => {}
            }
            return;
        }
        if self.inside_metadata && *self.depth.get_or_insert(indent) == indent {
            match key {
                "name" => self.name = value,
                "namespace" => self.namespace = value,
                _ => {}
            }
        }
    }

    /// `{name: web, namespace: shop}` in one line.
    fn read_flow(&mut self, text: &str) {
        let Some(text) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else { return };
        let mut depth = 0_u32;
        let parts = text.split(|c| {
            match c {
                '{' | '[' => depth += 1,
                '}' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        for (key, value) in parts.filter_map(|part| entry(part.trim())) {
            match key {
                "name" => self.name = value,
                "namespace" => self.namespace = value,
                _ => {}
            }
        }
    }

    fn finish(self) -> Vec<Named> {
        let list = self.kind.as_deref().is_some_and(|kind| kind.ends_with("List"));
        if list && !self.items.is_empty() {
            return self.items.into_iter().flat_map(Self::finish).collect();
        }
        self.named().into_iter().collect()
    }

    fn named(self) -> Option<Named> {
        Some(Named {
            api_version: self.api_version?,
            kind: self.kind?,
            namespace: self.namespace,
            name: self.name?,
            line: self.line,
        })
    }
}

/// `key: value` of a block mapping; the value without quotes and comment.
fn entry(line: &str) -> Option<(&str, Option<Box<str>>)> {
    let (key, value) = line.split_once(':')?;
    if !value.is_empty() && !value.starts_with([' ', '\t']) {
        return None;
    }
    let key = key.trim_matches(['"', '\'']);
    let value = value.trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
        Some('#') | None => "",
        Some(_) => value.split(" #").next().unwrap_or_default().trim_end(),
    };
    Some((key, (!value.is_empty()).then(|| value.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_object_may_be_named_in_one_line() {
        let found = scan(
            "apiVersion: v1\nkind: Secret\nmetadata: {labels: {name: no, a: b}, name: tls, namespace: \"shop\"}\n",
        );
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].name, found[0].namespace.as_deref()), ("tls", Some("shop")));
    }

    #[test]
    fn each_document_is_named_with_its_line() {
        let text = "# a comment\napiVersion: v1\nkind: Secret # really\nmetadata:\n    labels:\n        name: no\n    name: \"a\"\n    namespace: 'shop'\n---\nnot: an object\n---\nkind: Deployment\nmetadata:\n  name: b\napiVersion: apps/v1\nspec:\n  template:\n    metadata:\n      name: c\n";
        let found = scan(text);
        let named: Vec<_> =
            found.iter().map(|n| (&*n.kind, &*n.name, n.namespace.as_deref(), n.line)).collect();
        assert_eq!(named, [("Secret", "a", Some("shop"), 1), ("Deployment", "b", None, 12)]);
    }

    #[test]
    fn a_list_names_its_items_with_their_lines() {
        for gap in ["", "  "] {
            let text = format!(
                "kind: List\napiVersion: v1\nitems:\n{gap}- apiVersion: v1\n{gap}  kind: ConfigMap\n{gap}  \
                 metadata:\n{gap}    name: a\n{gap}# next\n{gap}- kind: Secret\n{gap}  apiVersion: v1\n{gap}  data:\n\
                 {gap}    items: x\n{gap}  metadata: {{name: b}}\nmetadata:\n  resourceVersion: ''\n"
            );
            let found = scan(&text);
            let named: Vec<_> = found.iter().map(|n| (&*n.kind, &*n.name, n.line)).collect();
            assert_eq!(named, [("ConfigMap", "a", 4), ("Secret", "b", 9)], "{text}");
        }
        let claim = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\nitems:\n- a\n";
        assert_eq!(scan(claim).len(), 1, "items of something else are its own");
    }

    #[test]
    fn a_json_list_names_its_items_and_rubbish_names_nothing() {
        let list = r#"{"kind":"List","apiVersion":"v1","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}]}"#;
        assert_eq!(scan(list).len(), 1);
        assert!(scan("{").is_empty() && scan("\u{0}\u{feff}::::\n---\n--- x").is_empty());
    }

    /// What the parser names.
    fn parsed(text: &str) -> Vec<Key> {
        let read = |document: &Document| parse(&text[document.at.clone()], Dialect::Kustomize).unwrap();
        let values = documents(text).iter().filter_map(read).flat_map(unroll).collect::<Vec<_>>();
        values.iter().filter_map(Key::of).collect()
    }

    #[test]
    fn the_scan_names_what_the_parser_names() {
        let head = "apiVersion: apps/v1\nkind: Deployment\n";
        let cases = [
            "metadata:\n  name: a\n  name2: b\n",
            "metadata:\n  name: web # c\n  namespace: 'shop'\n",
            "metadata:\n  name: 12\n",
            "metadata:\n  name: \"12\"\n",
            "metadata:\n  name: yes\n",
            "metadata:\n  name: true\n",
            "metadata:\n  name: 1.2.3\n",
            "metadata:\n  name: 2024-01-01\n",
            "metadata:\n  name: a\n    b\n",
            "metadata:\n  name: >-\n    a\n",
            "metadata:\n  name:\n    a\n",
            "metadata:\n  name: \"a\\x62\"\n",
            "metadata:\n  name: 'it''s'\n",
            "metadata:\n  name: !!str 5\n",
            "metadata:\n  name: &n x\n  namespace: *n\n",
            "metadata:\n  \"name\": x\n",
            "metadata:\n  ? name\n  : x\n",
            "metadata: {name: x, namespace: y}\n",
            "metadata:\n  {name: x}\n",
            "metadata:\n  <<: {name: x}\n",
            "metadata: &m\n  name: x\n",
            "metadata:\n  labels:\n    name: no\n  generateName: x-\n",
            "metadata:\n  labels:\n    name: no\n  name: x\n  annotations:\n    text: |\n      name: no\n",
            "metadata:\n# c\n  # c\n\n  name: x\n",
            "metadata:\n  name: x\nmore: \"q\n  metadata:\n  name: y\"\n",
            "metadata:\n  name:\n  namespace: x\n",
            "metadata:\n",
            "spec:\n  metadata:\n    name: no\n",
            "items:\n- a\nmetadata:\n  name: x\n",
            "metadata:\r\n  name: x\r\n",
        ];
        for case in cases {
            let text = format!("{head}{case}");
            let scanned: Vec<Key> = scan(&text).iter().map(Named::key).collect();
            assert_eq!(scanned, parsed(&text), "{text}");
        }
    }

    /// A document of an object, in one of the ways it may be written.
    fn manifests() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            "[a-z][a-z0-9-]{0,8}[a-z0-9]",
            "[0-9]{1,3}",
            "(true|null|~|yes|1e3|0x1f|a b|a#b|a: b)"
        ];
        let quoted = (word, 0..4_u8).prop_map(|(word, how)| match how {
            0 => format!("\"{word}\""),
            1 => format!("'{word}'"),
            2 => format!("{word} # c"),
            _ => word,
        });
        let line = (0..8_u8, quoted).prop_map(|(which, word)| match which {
            0 | 1 => format!("  name: {word}\n"),
            2 => format!("  namespace: {word}\n"),
            3 => "  labels:\n    name: no\n".to_owned(),
            4 => "  # c\n\n".to_owned(),
            5 => format!("  note: \"a\n    name: {word}\"\n"),
            6 => "  text: |\n    name: no\n   \n    kind: no\n".to_owned(),
            _ => "  annotations: {name: no}\n".to_owned(),
        });
        let top = (0..9_u8, prop::collection::vec(line, 0..4)).prop_map(|(which, lines)| match which {
            0 | 1 => "apiVersion: v1\n".to_owned(),
            2 | 3 => "kind: ConfigMap\n".to_owned(),
            4 | 5 => format!("metadata:\n{}", lines.concat()),
            6 => "kind: ThingList\nitems:\n- apiVersion: v1\n  kind: X\n  metadata: {name: z}\n".to_owned(),
            7 => "data:\n  metadata:\n    name: no\n  x: |\n    kind: no\n".to_owned(),
            _ => "spec: {kind: no,\n kind2: no}\n# c\n".to_owned(),
        });
        prop::collection::vec(top, 2..6).prop_map(|tops| tops.concat())
    }

    proptest! {
        #[test]
        fn whatever_can_be_read_is_named_alike(text in manifests()) {
            let document = Document { line: 1, at: 0..text.len() };
            if parse(&text, Dialect::Kustomize).is_ok() {
                let scanned: Vec<Key> = scan_document(&text, &document).iter().map(Named::key).collect();
                prop_assert_eq!(scanned, parsed(&text));
            }
        }
    }

    #[test]
    fn items_of_a_json_list_have_their_lines() {
        let list = "{\n \"kind\": \"List\",\n \"apiVersion\": \"v1\",\n \"items\": [\n  {\"kind\": \"A\", \"apiVersion\": \"v1\",\n   \"metadata\": {\"name\": \"{\\\"x\"}},\n  {\"kind\": \"B\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"y\"}}\n ]\n}\n";
        let found = scan(list);
        let named: Vec<_> = found.iter().map(|named| (&*named.kind, &*named.name, named.line)).collect();
        assert_eq!(named, [("A", "{\"x", 5), ("B", "y", 7)]);
    }

    #[test]
    fn a_flux_object_is_found_in_the_cluster_and_others_are_not() {
        let text =
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata:\n  name: podinfo\n";
        let named = &scan(text)[0];
        assert_eq!(named.live("shop").unwrap().to_string(), "ocirepo shop/podinfo");
        let other = Named { api_version: "example.com/v1".into(), ..named.clone() };
        assert_eq!(other.live("shop"), None);
    }
}
