//! Kubernetes objects named in a file, found without parsing it whole. A document that is no object is left out.

use super::super::identity::{Kind, ObjectId};

/// One object as a file names it. All text is from outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    pub api_version: Box<str>,
    pub kind: Box<str>,
    /// None: the file names none; where it goes is decided by who applies it.
    pub namespace: Option<Box<str>>,
    pub name: Box<str>,
    /// Line on which its document begins, from 1.
    pub line: usize,
}

impl Named {
    /// The object in the cluster, if it is of a kind of Flux. A namespace that the file leaves open is given.
    pub fn live(&self, namespace: &str) -> Option<ObjectId> {
        let group = self.api_version.split('/').next().unwrap_or_default();
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == &*self.kind && kind.group() == group)?;
        let namespace = self.namespace.as_deref().unwrap_or(namespace);
        Some(ObjectId::new(kind, namespace, &*self.name))
    }
}

/// Objects of a YAML stream or a JSON document, in order. It reads `apiVersion`, `kind` and `metadata` only, by their
/// place at the margin: enough to find an object, not to judge it.
pub fn scan(text: &str) -> Vec<Named> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return scan_json(text);
    }
    let mut found = Vec::new();
    let mut document = Document { line: 1, ..Document::default() };
    for (at, line) in text.lines().enumerate() {
        if is_separator(line) {
            found.extend(std::mem::take(&mut document).finish());
            document.line = at + 2;
            continue;
        }
        if !document.read_item(line, at + 1) {
            document.read(line);
        }
    }
    found.extend(document.finish());
    found
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
        || line.trim_end() == "..."
}

#[derive(Default)]
struct Document {
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
    items: Vec<Document>,
}

impl Document {
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

fn scan_json(text: &str) -> Vec<Named> {
    let Ok(document) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
    let lists = document["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    match document["items"].as_array().filter(|_| lists) {
        Some(items) => items.iter().filter_map(named_in_json).collect(),
        None => named_in_json(&document).into_iter().collect(),
    }
}

fn named_in_json(value: &serde_json::Value) -> Option<Named> {
    let text = |value: &serde_json::Value| value.as_str().filter(|text| !text.is_empty()).map(Into::into);
    Some(Named {
        api_version: text(&value["apiVersion"])?,
        kind: text(&value["kind"])?,
        namespace: text(&value["metadata"]["namespace"]),
        name: text(&value["metadata"]["name"])?,
        line: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
