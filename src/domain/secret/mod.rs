//! Which values in a Kubernetes document are secret: the one rule for YAML of the cluster and for files of artifacts.
//! It finds and covers; what is shown is decided by who shows it. Files are judged by what they say, not by their name;
//! only of a chart's defaults the names of their keys count too.

mod aim;
mod comments;
mod document;
mod lines;
mod named;
mod pair;

pub(super) use aim::{Aim, is_patch};
pub(super) use document::sets_values;
pub use named::is_named_like_one;
pub use pair::{AFTER, BEFORE, MASK, mask_texts, mask_values, shorten_sops};

use aim::is_target;
use serde_json::{Map, Value};
use std::ops::Range;

/// What stands where a secret value stood.
pub const HIDDEN: &str = "(hidden)";

/// Where a Secret keeps its values.
pub(super) const FIELDS: [&str; 2] = ["data", "stringData"];

/// What else a Secret has. Whatever a whole object holds besides is taken for values that stand in a wrong place.
const OPEN: [&str; 6] = ["apiVersion", "kind", "metadata", "type", "immutable", "sops"];

/// A copy of the whole object, values included, that kubectl leaves behind.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The secret values of one text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Secrets {
    /// In the order of the text, none across a line break, none overlapping.
    pub pieces: Vec<Piece>,
    /// How many values they are pieces of, comments beside values included.
    pub values: usize,
    /// How many of these are comments.
    pub comments: usize,
    /// SOPS encrypted something in it; what is encrypted is not covered.
    pub sops: bool,
}

/// A value, or one line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the text.
    pub at: Range<usize>,
    /// Which value it is part of.
    pub value: usize,
    /// It is a comment beside values.
    pub comment: bool,
}

/// What was found in one document, as bytes of it.
#[derive(Default)]
struct Read {
    values: Vec<Range<usize>>,
    /// Where values stand or could stand: comments in there belong to them.
    places: Vec<Range<usize>>,
    sops: bool,
}

/// How a file is looked through for secret values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// By what it says.
    Said,
    /// By the names of its keys too: a chart's defaults.
    Named,
    /// It is one as a whole.
    Whole,
}

/// A file as a parser of YAML reads it: in UTF-16 too; what is no text of either is replaced.
pub fn decoded(bytes: &[u8]) -> String {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

impl Secrets {
    /// Values of Secrets, wherever in the text they stand: alone, in a List, behind others, inside other objects, in a
    /// template; and the literals of a `secretGenerator`. Encrypted and empty values are none.
    pub fn find(text: &str) -> Self {
        let (found, sops) = said(text);
        Self::of(text, found, sops)
    }

    /// In a chart's defaults: besides, what stands under a name like `password` ([`is_named_like_one`]).
    pub fn find_in_values(text: &str) -> Self {
        let (mut found, sops) = said(text);
        for part in parts(text) {
            let chunk = &text[part.clone()];
            let named = document::named(chunk).unwrap_or_else(|| lines::named(chunk));
            found.extend(named.into_iter().map(|at| (part.start + at.start..part.start + at.end, false)));
        }
        Self::of(text, found, sops)
    }

    pub fn by(rule: Rule, text: &str) -> Self {
        match rule {
            Rule::Said => Self::find(text),
            Rule::Named => Self::find_in_values(text),
            Rule::Whole => Self::whole(text),
        }
    }
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The text with its values covered, but for the one that is revealed. Lines stay lines.
    pub fn cover(&self, text: &str, revealed: Option<usize>) -> String {
        let mut covered = String::with_capacity(text.len());
        let mut from = 0;
        for piece in self.pieces.iter().filter(|piece| Some(piece.value) != revealed) {
            covered.push_str(&text[from..piece.at.start]);
            covered.push_str(HIDDEN);
            from = piece.at.end;
        }
        covered.push_str(&text[from..]);
        covered
    }

    /// A text that is a secret value as a whole.
    pub fn whole(text: &str) -> Self {
        let sops = text.contains(SOPS);
        let whole = 0..text.len();
        Self::of(text, Vec::from([(whole, false)]), sops)
    }

    /// One of the words stands in one of the values.
    pub fn are_quoted(&self, text: &str, words: &str) -> bool {
        // comments are made of ordinary words
        let values = self.pieces.iter().filter(|piece| !piece.comment);
        let values: Vec<&str> = values.map(|piece| &text[piece.at.clone()]).collect();
        words
            .split(|c: char| c.is_whitespace() || "\"'`,;:=()[]{}<>".contains(c))
            .filter(|word| word.chars().count() >= SHORTEST_QUOTE)
            .any(|word| values.iter().any(|value| value.contains(word)))
    }

    /// The value that stands at this byte.
    pub fn value_at(&self, byte: usize) -> Option<usize> {
        let next = self.pieces.partition_point(|piece| piece.at.end <= byte);
        self.pieces.get(next).filter(|piece| piece.at.start <= byte).map(|piece| piece.value)
    }

    /// `true`: a comment.
    fn of(text: &str, mut found: Vec<(Range<usize>, bool)>, sops: bool) -> Self {
        found.sort_by_key(|(at, _)| (at.start, usize::MAX - at.end));
        let mut secrets = Self { sops, ..Self::default() };
        let mut end = 0;
        for (at, comment) in found {
            let at = at.start.max(end)..at.end;
            if at.is_empty() || !is_value(&text[at.clone()]) {
                continue;
            }
            end = at.end;
            secrets.push_lines(text, at, comment);
        }
        secrets
    }

    fn push_lines(&mut self, text: &str, value: Range<usize>, comment: bool) {
        let before = self.pieces.len();
        let mut start = value.start;
        for line in text[value.clone()].split_inclusive('\n') {
            let words = line.trim();
            if !words.is_empty() {
                let at = start + (line.len() - line.trim_start().len());
                self.pieces.push(Piece { at: at..at + words.len(), value: self.values, comment });
            }
            start += line.len();
        }
        let one = usize::from(self.pieces.len() > before);
        self.values += one;
        self.comments += if comment { one } else { 0 };
    }
}

/// Places of values, `true` for comments beside them; and whether SOPS encrypted something.
fn said(text: &str) -> (Vec<(Range<usize>, bool)>, bool) {
    if !may_hold_one(text) {
        return (Vec::new(), text.contains(SOPS));
    }
    let mut found = Vec::new();
    let mut sops = false;
    for part in parts(text) {
        let chunk = &text[part.clone()];
        // a template, or no YAML at all, is judged line by line
        let Read { values, places, sops: own } =
            document::values(chunk).unwrap_or_else(|| lines::read(chunk));
        sops |= own;
        let whole = |at: Range<usize>| part.start + at.start..part.start + at.end;
        let comments = comments::within(chunk, &places);
        found.extend(values.into_iter().map(|at| (whole(at), false)));
        found.extend(comments.into_iter().map(|at| (whole(at), true)));
    }
    sops |= text.contains(SOPS);
    (found, sops)
}

/// Covers the values of every Secret in a tree, whatever it is inside of, by the rule of [`mask_values`]. A tree that is
/// to be rendered must not be covered: it would say something else.
pub fn mask(value: &mut Value) {
    pair::mask_tree(value);
}

/// Something in this tree is the value of a Secret, or was encrypted by SOPS. A text inside it is looked through too.
pub fn holds_one(value: &Value) -> bool {
    holds(value, false)
}

/// The kind of the plugin inside kustomize that makes Secrets.
pub(super) const GENERATOR: &str = "SecretGenerator";

/// Of the fields of a Secret; `whole`: it has metadata, so it is no mere reference to one.
pub(super) fn keeps_values(field: &str, whole: bool) -> bool {
    FIELDS.contains(&field) || (whole && !OPEN.contains(&field))
}

/// kustomize takes its fields in any case.
pub(super) fn is_generators(field: &str) -> bool {
    field.eq_ignore_ascii_case("secretGenerator")
}

pub(super) fn is_literals(field: &str) -> bool {
    field.eq_ignore_ascii_case("literals")
}

/// An entry of `patches` that sets values of Secrets: what its patch says is secret.
pub(super) fn patches_secrets(entry: &Map<String, Value>) -> bool {
    let Some(Value::Object(target)) = entry.iter().find_map(|(name, value)| is_target(name).then_some(value))
    else {
        return false;
    };
    let aim = Aim::of(target.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    aim != Aim::Elsewhere
        && entry.iter().filter(|(name, _)| is_patch(name)).any(|(_, patch)| match patch {
            Value::String(text) => sets_values(text, aim),
            // as Flux takes it
            Value::Array(_) => sets_values(&patch.to_string(), aim),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        })
}

/// A text inside a document that may itself be one.
fn may_be_document(text: &str) -> bool {
    (text.contains('\n') || text.contains('{')) && may_hold_one(text)
}

/// Words about a text, which may quote it, if they quote no secret value of it.
pub(super) fn unless_quoted(text: &str, words: &str) -> Option<Box<str>> {
    (!Secrets::find(text).are_quoted(text, words)).then(|| words.into())
}

/// A shorter word is found in any text.
const SHORTEST_QUOTE: usize = 4;

/// SOPS encrypted this value.
pub fn is_encrypted(text: &str) -> bool {
    text.starts_with(SOPS) && text.ends_with(']')
}

fn holds(value: &Value, listed: bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| holds(item, listed)),
        Value::Object(fields) => {
            let kind = fields.get("kind").and_then(Value::as_str);
            let (secret, list) = (listed || kind == Some("Secret"), kind == Some("SecretList"));
            let own = || {
                let whole = fields.contains_key("metadata");
                fields.iter().any(|(name, field)| keeps_values(name, whole) && says_something(field))
                    || value.pointer("/metadata/annotations").and_then(|of| of.get(LAST_APPLIED)).is_some()
            };
            let literal = |fields: &Map<String, Value>| {
                fields.iter().any(|(name, field)| is_literals(name) && says_something(field))
            };
            let generated = |field: &Value| {
                field.as_array().into_iter().flatten().filter_map(Value::as_object).any(literal)
            };
            (secret && own())
                || (kind == Some(GENERATOR) && literal(fields))
                || fields.iter().any(|(name, field)| is_generators(name) && generated(field))
                || patches_secrets(fields)
                || fields.iter().any(|(name, field)| holds(field, list && name == "items"))
        }
        Value::String(text) => {
            is_encrypted(text) || (may_be_document(text) && !Secrets::find(text).is_empty())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// How SOPS writes a value (`ENC[AES256_GCM,data:…,iv:…,tag:…,type:str]`).
const SOPS: &str = "ENC[AES256_GCM,data:";

/// Cheap, and never false where there is one: escapes could spell the word in another way.
fn may_hold_one(text: &str) -> bool {
    ["Secret", "\\u", "\\U", "\\x"].iter().any(|sign| text.contains(sign)) || has_keys_of_kustomize(text)
}

/// A generator of Secrets, or a patch with a target, which need not say at what it is aimed. kustomize takes its fields in
/// any case.
fn has_keys_of_kustomize(text: &str) -> bool {
    let (mut target, mut patch) = (false, false);
    memchr::memchr_iter(b':', text.as_bytes()).any(|colon| {
        let before = &text.as_bytes()[..colon];
        let blank = |byte: &u8| b"\"'\\ \t\r\n".contains(byte);
        let end = before.iter().rposition(|byte| !blank(byte)).map_or(0, |at| at + 1);
        let is = |key: &str| {
            let start = end.checked_sub(key.len());
            start.is_some_and(|start| before[start..end].eq_ignore_ascii_case(key.as_bytes()))
        };
        target |= is("target");
        patch |= is("patch") || is("jsonOp");
        (target && patch) || is("secretGenerator")
    })
}

/// Something to keep: not empty, not encrypted, and not the mere name of a value in a template.
fn is_value(text: &str) -> bool {
    let bare = text.trim();
    let bare =
        ['"', '\''].iter().find_map(|quote| bare.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(bare);
    let encrypted = bare.starts_with(SOPS) && bare.ends_with(']') && !bare.contains('\n');
    let named = only_actions(bare) && !bare.contains(['"', '\'', '`', '\n']);
    !bare.is_empty() && !["~", "null", "|", ">", "{}"].contains(&bare) && !encrypted && !named
}

/// Nothing stands before, between and behind the actions of a template.
fn only_actions(text: &str) -> bool {
    let mut rest = text;
    while let Some((inside, behind)) = rest.strip_prefix("{{").and_then(|rest| rest.split_once("}}")) {
        if inside.contains("{{") {
            return false;
        }
        rest = behind.trim_start();
    }
    rest.is_empty() && !text.is_empty()
}

/// The documents of a stream, each with its place: a mistake in one says nothing of the next.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" || line.starts_with("--- ") {
            parts.push(start..at);
            start = at;
        }
        at += line.len();
    }
    parts.push(start..text.len());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is found, piece by piece.
    fn found(text: &str) -> Vec<&str> {
        Secrets::find(text).pieces.into_iter().map(|piece| &text[piece.at]).collect()
    }

    #[test]
    fn every_style_of_a_secrets_values_is_found_and_nothing_else() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  a: cGFzcw==  # c\n  b: 'q q'\n  c: |\n    \
                    one\n\n    two\n  d: \"\"\n  e:\n  f: ~\nstringData: {g: h, \"i\": \"j\"}\ntype: Opaque\n";
        assert_eq!(found(text), ["cGFzcw==", "c", "'q q'", "one", "two", "h", "\"j\""]);
        assert_eq!(Secrets::find(text).values, 6);
    }

    #[test]
    fn a_secret_is_found_in_a_list_behind_others_inside_others_and_in_json() {
        let list =
            "kind: List\nitems:\n- kind: ConfigMap\n  data: {a: open}\n- kind: Secret\n  data: {a: shut}\n";
        assert_eq!(found(list), ["shut"]);
        assert_eq!(found("kind: SecretList\nitems:\n- data: {a: shut}\n"), ["shut"]);
        assert_eq!(found("kind: ConfigMap\ndata: {a: open}\n---\nkind: Secret\ndata: {a: shut}\n"), ["shut"]);
        let set =
            "kind: ResourceSet\nspec:\n  resources:\n  - kind: Secret\n    stringData:\n      a: shut\n";
        assert_eq!(found(set), ["shut"]);
        assert_eq!(found("{\n\t\"data\": {\"a\": \"shut\"},\n\t\"kind\": \"Secret\"\n}\n"), ["\"shut\""]);
        assert_eq!(found(r#"{"kind":"\u0053ecret","data":{"a":"shut"}}"#), ["\"shut\""]);
        assert_eq!(found("kind: Secret\r\ndata:\r\n  a: shut\r\n  b: |\r\n    x\r\n"), ["shut", "x"]);
    }

    #[test]
    fn what_is_shared_or_merged_into_a_secret_is_found() {
        let shared = "x: &v shut\ny:\n  kind: Secret\n  data:\n    a: *v\n";
        assert_eq!(found(shared), ["shut"]);
        let merged = "base: &b {a: shut}\nof: &k {kind: Secret}\none:\n  <<: *k\n  data:\n    <<: *b\n";
        assert_eq!(found(merged), ["shut"]);
    }

    #[test]
    fn the_copy_that_kubectl_leaves_is_found() {
        let text = format!(
            "kind: Secret\nmetadata:\n  annotations:\n    {LAST_APPLIED}: |\n      {{\"data\":{{}}}}\n"
        );
        assert_eq!(found(&text), ["{\"data\":{}}"]);
    }

    #[test]
    fn comments_beside_values_are_covered_and_others_are_not() {
        let text = "# the database\nkind: Secret # open\n# open\nmetadata: {name: db}\n\n# open\ntype: Opaque\ndata: # shut\n\n  \
                    # shut: 1\n  a: cGFzcw== # shut\n  #shut\n\n  # shut\n  b: >- # shut\n    # value\n  c: x#y\n# shut\n";
        let covered = Secrets::find(text).cover(text, None);
        assert!(
            !covered.contains("shut") && !covered.contains("value") && !covered.contains("x#y"),
            "{covered}"
        );
        assert_eq!(covered.matches("open").count(), 3, "{covered}");
        assert!(covered.contains("# the database") && covered.contains("  #(hidden)\n"), "{covered}");
        assert!(!Secrets::find(text).are_quoted(text, "it is shut"), "comments hold ordinary words");
        for empty in ["kind: Secret\nstringData:\n  # shut: 1\n", "kind: 'Secret'\ndata:\n# shut\n  a: ''\n"]
        {
            assert_eq!(found(empty).len(), 1, "{empty}");
        }
        let template = "{{ if .x }}\nkind: Secret\ndata:\n  # shut\n  a: {{ .a }}\n{{ end }}\n";
        assert!(!Secrets::find(template).cover(template, None).contains("shut"));
        for open in [
            "kind: ConfigMap\ndata:\n  # open\n  a: b # open\n",
            "kind: SecretStore\ndata:\n  # open\n  a: b\n",
        ] {
            assert_eq!(found(open), [""; 0], "{open}");
        }
        for shut in [
            "kind: Secret\nstringData:\n  user: root\n  empty: \"\" # shut\n  other: ~ # shut\n  # shut\n  third: \"\"\n",
            "kind: Secret\nstringData:\n  password: # shut\n    # shut\n    hunter\n",
            "kind: Secret\nstringData:\n  list: |  # shut\n\n    x\n",
            "kind: Secret\nstringData: { # shut\n\n  a: x }\n",
            "secretGenerator:\n- name: a\n  literals: # shut\n  # shut\n  - a=b\n",
            "patches:\n- target: {kind: Secret}\n  # shut\n  patch: '[{\"value\": \"x\"}]'\n",
            "{{ if .x }}\nkind: Secret\ndata:\n  a: x\n  {{- /* shut */}}\n  b: {{ .b }} {{/* shut */}}\n{{ end }}\n",
            "{{ if .x }}\nkind: Secret\ndata:\n  {{- /* shut\n    shut */}}\n  b: {{ .b }}\n{{ end }}\n",
            "x: &d\n  a: x # shut\n  # shut\n  b: x\ny: {kind: Secret, data: *d}\n",
        ] {
            let covered = Secrets::find(shut).cover(shut, None);
            assert!(!covered.contains("shut"), "{covered}");
        }
        for open in [
            "kind: HelmRelease\nspec:\n  valuesFrom:\n  - kind: Secret\n    name: a\n  values:\n    # open\n    data: # open\n      a: b\n",
            "kind: Secret\n# open\ndata:\n  # open\n  a: ENC[AES256_GCM,data:z]\nsops: {mac: x}\n",
            "{{ if .x }}\nkind: Secret\n# open\ndata:\n  a: {{ .Values.a }}\n{{ end }}\n",
        ] {
            assert_eq!(found(open), [""; 0], "{open}");
        }
        let two = "kind: ConfigMap\ndata:\n  # open\n  a: b # open\n---\nkind: Secret\ndata: {a: shut}\n";
        assert_eq!(found(two), ["shut"]);
    }

    /// Each of these would be gone through as often as it names itself.
    #[test]
    fn no_text_is_gone_through_again_and_again() {
        const MANY: usize = 10_000;
        let many = |words: &str| words.repeat(MANY);
        let list = format!("i: &i [{}]\n", many("{},"));
        let keys: Vec<String> = (0..MANY).map(|n| format!("k{n}: v")).collect();
        let maps = format!("d: &d {{{}}}\n", keys.join(","));
        for text in [
            format!("{list}x:\n{}", many("- {kind: SecretList, items: *i}\n")),
            format!("{list}x:\n{}", many("- secretGenerator: *i\n")),
            format!("{maps}x:\n{}", many("- {kind: Secret, data: *d}\n")),
            format!("{maps}x:\n{}", many("- {kind: Secret, metadata: *d}\n")),
            format!("t: &t {{name: x}}\np: &p 'x'\nx: {{{}{}}}\n", many("target: *t,"), many("patch: *p,")),
            format!("{{{{ x\n{}", many("kind: Secretx ")),
            format!("\\u {}", many("kind:")),
            format!("kind: Secret\ndata:\n{}", many("  # x\n")),
            format!("kind: Secret\ndata: {{a: x}} {}", many("# x ")),
        ] {
            let _ = Secrets::find(&text);
        }
    }

    #[test]
    fn literals_of_a_generator_are_found() {
        let text = "secretGenerator:\n- name: db\n  literals:\n  - password=hunter2\n  files: [a.txt]\n";
        assert_eq!(found(text), ["password=hunter2"]);
    }

    #[test]
    fn what_stands_beside_the_values_of_a_whole_secret_is_one_too() {
        let secret = |rest: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{rest}");
        assert_eq!(found(&secret("binaryData: {a: shut}\ntype: Opaque\nimmutable: true\n")), ["shut"]);
        assert_eq!(found(&secret("StringData:\n  a: shut\n")), ["shut"]);
        assert_eq!(found(&secret("stringData:\n  <<: shut\n")), ["shut"]);
        let mut value =
            json!({"kind": "Secret", "metadata": {"name": "a"}, "binaryData": {"a": "shut"}, "type": "x"});
        assert!(holds_one(&value));
        mask(&mut value);
        assert_eq!((&value["binaryData"]["a"], &value["type"]), (&json!(HIDDEN), &json!("x")));
    }

    #[test]
    fn generators_are_known_in_any_case_and_as_plugins() {
        assert_eq!(found("SecretGenerator:\n- Literals: [shut]\n"), ["shut"]);
        assert_eq!(found("SECRETGENERATOR:\n- name: a\n  LITERALS: [a=shut]\n"), ["a=shut"]);
        assert_eq!(found("kind: SecretGenerator\nliterals: [shut]\n"), ["shut"]);
        assert_eq!(found("secretGenerator:\n- name: a\n  literals:\n  - shut\nx: [\n"), ["shut"]);
        assert!(holds_one(&json!({"kind": "SecretGenerator", "literals": ["shut"]})));
    }

    #[test]
    fn operations_that_are_aimed_at_secrets_are_values() {
        let text = "patches:\n- target: {kind: Secret}\n  patch: |\n    - op: replace\n      value: shut\n";
        assert_eq!(found(text), ["- op: replace", "value: shut"]);
        assert_eq!(found(&text.replace("Secret", "Secrets")), [""; 0]);
        for patch in [
            "|\n    # what for\n    - value: shut\n",
            "|\n    ---\n    - value: shut\n",
            "'[{\"value\": \"shut\"}]'\n",
        ] {
            assert_shut(&format!("patches:\n- target: {{kind: Secret}}\n  patch: {patch}"));
            assert_shut(&format!("Patches:\n- Target: {{Kind: Secret}}\n  Patch: {patch}"));
        }
        assert_shut(
            "kind: PatchJson6902Transformer\ntarget: {kind: Secret, name: a}\njsonOp: '[{\"value\": \"shut\"}]'\n",
        );
        assert_shut("patchesJson6902:\n- target: {kind: Secret}\n  patch:\n  - op: add\n    value: shut\n");
    }

    /// In a text, and in the same as a tree.
    fn assert_shut(text: &str) {
        let covered = Secrets::find(text).cover(text, None);
        assert!(!covered.contains("shut"), "{covered}");
        let mut value: Value = serde_saphyr::from_str(text).unwrap();
        assert!(holds_one(&value), "{text}");
        mask(&mut value);
        assert!(!value.to_string().contains("shut"), "{value}");
    }

    fn assert_open(text: &str) {
        assert_eq!(found(text), [""; 0]);
        let value: Value = serde_saphyr::from_str(text).unwrap();
        let mut masked = value.clone();
        mask(&mut masked);
        assert!(!holds_one(&value) && masked == value, "{masked}");
    }

    #[test]
    fn a_patch_that_may_be_aimed_at_secrets_is_covered_where_it_sets_values() {
        let entry = |target: &str, patch: &str| {
            let patch = patch.replace('\n', "\n    ");
            format!("patches:\n- target: {target}\n  patch: |-\n    {patch}\n")
        };
        let operation = |path: &str| format!("- op: add\n  path: {path}\n  value: shut");
        for target in [
            "{kind: Secret|ConfigMap}",
            "{name: db}",
            "{kind: Sec.*, version: v1}",
            "{kind: ''}",
            "{kind: '('}",
        ] {
            for path in ["/data/a", "/stringData", "''", "/"] {
                assert_shut(&entry(target, &operation(path)));
            }
            assert_shut(&entry(target, "kind: any\nmetadata: {name: any}\nstringData: {a: shut}"));
            for path in ["/spec/replicas", "/metadata/labels/a"] {
                assert_open(&entry(target, &operation(path)));
            }
            assert_open(&entry(target, "- op: remove\n  path: /data/a"));
            assert_shut(&entry(target, "kind: List\nitems:\n- {kind: any, stringData: {a: shut}}"));
            assert_shut(&entry(
                target,
                "kind: any\nmetadata: {name: any}\n---\nkind: any\nstringData: {a: shut}",
            ));
            assert_open(&entry(target, "kind: ConfigMap\nmetadata: {name: any}\ndata: {a: open}"));
        }
        for target in ["{kind: Deployment}", "{group: apps}", "{version: v2}", "{kind: ConfigMap}", "a"] {
            assert_open(&entry(target, &operation("/data/a")));
        }
        assert_shut(&entry("{kind: Secret}", "kind: any\nmetadata: {name: any}\ndata: {a: shut}"));
        assert_open(&entry("{kind: Secret}", "kind: any\nmetadata: {name: any, labels: {a: open}}"));
    }

    #[test]
    fn most_documents_are_not_even_read() {
        for text in [
            "kind: Role\nrules:\n- verbs: [get, patch]\n- verbs:\n  - patch\n  - target\n",
            "kind: Service\nspec:\n  ports:\n  - targetPort: 80\n  patch: x\n",
            "kind: ConfigMap\ndata:\n  a: the patch and the target\n",
        ] {
            assert!(!may_hold_one(text), "{text}");
        }
        for text in [
            "{\"target\": {}, \"patch\": \"\"}",
            "? target\n: {}\n? Patch\n: x\n",
            "\"{\\\"target\\\":1,\\\"jsonOp\\\":2}\"",
        ] {
            assert!(may_hold_one(text), "{text}");
        }
    }

    #[test]
    fn a_patch_inside_a_text_is_found_too() {
        let patch = r#"{"patches":[{"target":{"kind":"Secret"},"patch":"[{\"value\":\"shut\"}]"}]}"#;
        assert_shut(&format!("kind: ConfigMap\ndata:\n  a: '{patch}'\n"));
        let block = "patches:\n    - target: {name: db}\n      patch: |\n        - op: add\n          path: /data/a\n          value: shut\n";
        assert_shut(&format!("kind: ConfigMap\ndata:\n  a: |\n    {block}"));
        assert_shut(&format!(
            "kind: ConfigMap\ndata:\n  a: |\n    secretGenerator:\n    - literals: [shut]\n    {block}"
        ));
        assert_shut(
            "kind: ConfigMap\ndata:\n  a: \"kind: {{ .kind | default \\\"Secret\\\" }}\\ndata:\\n  a: shut\\n\"\n",
        );
        let template = "{{ if .x }}\npatches:\n- target:\n    kind: Secret\n  patch: |-\n    - op: add\n      value: shut\n{{ end }}\nx: [\n";
        assert!(!Secrets::find(template).cover(template, None).contains("shut"));
    }

    #[test]
    fn a_secret_in_a_text_of_one_line_is_found() {
        let texts = [
            "kind: ConfigMap\ndata:\n  a: '{\"kind\":\"Secret\",\"data\":{\"a\":\"shut\"}}'\n",
            "kind: ConfigMap\ndata:\n  a: \"{kind: Secret, data: {a: shut}}\"\n",
            "kind: ConfigMap\ndata:\n  a: \"kind: Secret\\ndata: {a: shut}\\n\"\n",
        ];
        for text in texts {
            let covered = Secrets::find(text).cover(text, None);
            assert!(!covered.contains("shut"), "{covered}");
        }
    }

    #[test]
    fn no_mistake_and_no_template_opens_a_secret() {
        let texts = [
            "{kind: Secret, metadata: {name: a}, stringData: {a: shut}, x: [}\n",
            "items:\n- {kind: Secret, stringData: {a: shut}}\nx: [\n",
            "kind: !!str Secret\ndata:\n  a: shut\nx: [\n",
            "kind: &k Secret\ndata:\n  a: shut\nx: [\n",
            "kind:\n  Secret\ndata:\n  a: shut\nx: [\n",
            "kind: {{ \"Secret\" }}\ndata:\n  a: shut\n",
            "kind: {{ .kind | default \"Secret\" }}\ndata:\n  a: shut\n",
            "kind: Secret\n{{ if .x }}data:\n  a: shut{{ end }}\n",
            "kind: Secret\ndata:\n  a: {{ .x }}shut{{ .y }}\n",
            "{{- $a := \"shut\" }}\nkind: Secret\ndata:\n  a: {{ $a }}\n",
            "{{ if .x }}\nkind: Secret\ndata:\n  a: |\n{{ \"shut\" | indent 4 }}\n{{ end }}\n",
            "{{ if .x }}\nkind: Secret\ndata:\n{{ range $k, $v := dict \"a\" \"shut\" }}\n  {{ $k }}: {{ $v }}\n{{ end }}\n{{ end }}\n",
        ];
        for text in texts {
            let covered = Secrets::find(text).cover(text, None);
            assert!(!covered.contains("shut"), "{covered}");
        }
        let copy = format!("kind: Secret\nmetadata:\n  annotations:\n    {LAST_APPLIED}: 'shut'\nx: [\n");
        assert!(!Secrets::find(&copy).cover(&copy, None).contains("shut"));
    }

    #[test]
    fn words_that_quote_a_value_are_not_said() {
        let text = "kind: Secret\ndata:\n  a: *hunter2-marker\n";
        assert_eq!(unless_quoted(text, "there is no anchor 'hunter2-marker'"), None);
        assert_eq!(unless_quoted(text, "there is no anchor 'b'").as_deref(), Some("there is no anchor 'b'"));
        assert_eq!(unless_quoted("a: *hunter2", "no 'hunter2'").as_deref(), Some("no 'hunter2'"));
    }

    #[test]
    fn a_secret_that_only_points_or_names_is_none() {
        assert_eq!(found("spec:\n  valuesFrom:\n  - kind: Secret\n    name: values\n"), [""; 0]);
        assert_eq!(found("# kind: Secret\nkind: ConfigMap\ndata: {a: Secret}\n"), [""; 0]);
    }

    #[test]
    fn a_template_is_judged_by_its_lines() {
        let text = "{{- if .Values.on }}\napiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  \
                    named: {{ .Values.password | b64enc }}\n  default: {{ .Values.p | default \"hunter2\" }}\n  plain: \
                    cGFzcw==\n  {{- range .Values.more }}\n  {{ .key }}: x{{ .value }}\n  {{- end }}\n  block: |\n    \
                    one {{ .x }}\ntype: Opaque\n{{- end }}\n";
        let values = ["{{ .Values.p | default \"hunter2\" }}", "cGFzcw==", "x{{ .value }}", "one {{ .x }}"];
        assert_eq!(found(text), values);
        assert_eq!(found("{{ if }}\nkind: ConfigMap\ndata:\n  a: open\n{{ end }}\n"), [""; 0]);
        let named = "kind: Secret\ndata:\n  a: {{ .Values.a }}\n  b: \"{{ .Values.b }}\"\n";
        assert_eq!(found(named), [""; 0], "the names of values are no values");
    }

    #[test]
    fn no_action_of_a_template_ends_a_secret_or_says_its_values() {
        let of = |lines: &str| {
            format!("{{{{ if .x }}}}\nkind: Secret\ndata:\n  a: {{{{ .a }}}}\n{lines}\n{{{{ end }}}}\n")
        };
        for lines in [
            "{{ .a }}{{ .b }}\n  b: shut",
            "{{- if .y }}  b: shut{{ end }}\n  c: shut",
            "{{- if .y }}shut{{ end }}",
            "{{ printf \"shut: %s\" .y }}{{ printf \"x: shut\" }}\n  b: shut",
            "{{- with \"shut\" }}\n  b: {{ . }}\n{{- end }}",
            "{{- if .y }}\n  b: {{ .y }}\n{{- else with `shut` }}\n  b: {{ . }}\n{{- end }}",
            "{{ range list \"shut\" \"shut too\" }}\n  {{ . }}: {{ . }}\n{{ end }}",
            "  {{ include \"n\" (dict \"password\" \"shut\") }}",
            "{{ include \"n\" (dict\n\"password\" \"shut\"\n) }}\n  b: shut",
        ] {
            let covered = Secrets::find(&of(lines)).cover(&of(lines), None);
            assert!(!covered.contains("shut"), "{covered}");
        }
        let either = "kind: Secret\n{{ if .x }}data{{ else }}stringData{{ end }}:\n  a: shut\n";
        assert!(!Secrets::find(either).cover(either, None).contains("shut"));
        let around = "{{ with \"shut\" }}\nkind: Secret\ndata:\n  a: {{ . }}\n{{ end }}\n";
        assert!(!Secrets::find(around).cover(around, None).contains("shut"));
        for lines in [
            "  {{- include \"chart.data\" . | nindent 2 }}",
            "{{- template \"chart.data\" . }}{{ include \"chart.more\" . }}",
            "{{ .b }} {{ .c }}\ntype: Opaque",
        ] {
            assert_eq!(found(&of(lines)), [""; 0], "{lines}");
        }
        let behind = of("{{ .b }}{{ .c }}\ntype: {{ .type | default \"Opaque\" }}");
        assert_eq!(found(&behind), [""; 0]);
    }

    #[test]
    fn a_secret_in_json_with_a_mistake_is_covered_to_its_end() {
        let text = "{\"kind\": \"Secret\",\n \"data\": {\"a\": \"shut\",\n  \"b\": \"shut too\"\n";
        let covered = Secrets::find(text).cover(text, None);
        assert!(!covered.contains("shut"), "{covered}");
        let line = "{{ if }}{\"kind\":\"Secret\",\"data\":{\"a\":\"shut\"}}{{ end }}";
        assert!(!Secrets::find(line).cover(line, None).contains("shut"));
    }

    #[test]
    fn a_secret_inside_a_text_is_found() {
        let text = "kind: ResourceSet\nspec:\n  resourcesTemplate: |\n    kind: Secret\n    stringData:\n      a: shut\n";
        assert_eq!(found(text), ["shut"]);
    }

    #[test]
    fn what_sops_encrypted_is_open_and_what_it_left_is_not() {
        let encrypted = "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]";
        let text = format!("kind: Secret\ndata:\n  a: {encrypted}\n  b: plain\nsops:\n  mac: m\n");
        assert_eq!(found(&text), ["plain"]);
        assert!(Secrets::find(&text).sops && !Secrets::find("kind: Secret\n").sops);
        let whole = Secrets::find(&format!("{{\"data\": \"{encrypted}\", \"sops\": {{}}}}"));
        assert!(whole.sops && whole.is_empty());
    }

    #[test]
    fn a_text_made_to_keep_us_busy_is_judged_by_its_lines() {
        let many = "  a: b\n".repeat(3000);
        let merges = "- <<: *x\n".repeat(3000);
        let text = format!("x: &x\n{many}y:\n{merges}z:\n  kind: Secret\n  data:\n    a: shut\n");
        assert_eq!(found(&text), ["shut"]);
        let patch = "- {op: add, path: /a, value: b}\n  ".repeat(3000);
        let targets = "    k: v\n".repeat(3000);
        let entries = "- {target: *t, patch: *p}\n".repeat(3000);
        let text = format!(
            "p: &p |\n  {patch}\nt: &t\n{targets}\npatches:\n{entries}- target: {{kind: Secret}}\n  patch: '- shut'\n"
        );
        assert_eq!(found(&text), ["'- shut'"]);
        let deep = format!("{}kind: Secret\ndata:\n  a: shut\n", "- ".repeat(5000));
        assert!(!Secrets::find(&deep).is_empty());
    }

    #[test]
    fn a_covered_text_keeps_its_lines_and_one_value_can_be_revealed() {
        let text = "kind: Secret\ndata:\n  a: |\n    one\n    two\n  b: three\n";
        let secrets = Secrets::find(text);
        assert_eq!(secrets.cover(text, None).lines().count(), text.lines().count());
        assert_eq!(
            secrets.cover(text, secrets.value_at(text.find("two").unwrap())),
            "kind: Secret\ndata:\n  a: |\n    one\n    two\n  b: (hidden)\n"
        );
        assert_eq!(secrets.value_at(0), None);
    }

    #[test]
    fn a_tree_is_covered_by_the_same_rule() {
        let mut tree = json!({"kind": "List", "items": [
            {"kind": "Secret", "metadata": {"annotations": {LAST_APPLIED: "{}", "b": "c"}}, "data": {"a": "shut"}},
            {"kind": "ConfigMap", "data": {"a": "open"}}]});
        mask(&mut tree);
        assert_eq!(tree["items"][0]["data"]["a"], HIDDEN);
        assert_eq!(tree["items"][0]["metadata"]["annotations"], json!({LAST_APPLIED: HIDDEN, "b": "c"}));
        assert_eq!(tree["items"][1]["data"]["a"], "open");
    }
}
