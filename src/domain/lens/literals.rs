//! What a chart says by itself inside of Secrets: the text beside the actions of a template, and the texts in quotes within
//! them. Names of fields, functions and templates are none of it, so that what Helm says of a failure stays readable.

use super::Plan;
use crate::domain::secret::Secrets;
use std::ops::Range;

/// A shorter word is found in any text.
const SHORTEST: usize = 4;

/// What stands between the words of an error.
const BETWEEN: &str = "\"'`,;:=()[]{}<>";

/// Helm and Go's templates say these of any chart: they tell nothing of this one.
const ORDINARY: [&str; 61] = [
    "argument",
    "arguments",
    "beginning",
    "called",
    "calling",
    "cannot",
    "cause",
    "chart",
    "charts",
    "command",
    "converting",
    "could",
    "define",
    "defined",
    "entry",
    "error",
    "evaluate",
    "evaluating",
    "executing",
    "execution",
    "expected",
    "expression",
    "failed",
    "field",
    "file",
    "files",
    "find",
    "function",
    "helm",
    "include",
    "input",
    "integer",
    "interface",
    "invalid",
    "json",
    "line",
    "missing",
    "nesting",
    "operand",
    "parse",
    "pointer",
    "reference",
    "release",
    "render",
    "required",
    "string",
    "structure",
    "template",
    "templates",
    "toyaml",
    "type",
    "undefined",
    "unexpected",
    "unmarshal",
    "values",
    "value",
    "variable",
    "warning",
    "with",
    "wrong",
    "yaml",
];

/// Functions whose first argument is a name, or what is said of a failure.
const NAMING: [&str; 6] = ["include", "template", "define", "block", "required", "fail"];

/// Functions that are given names of fields.
const PICKING: [&str; 4] = ["index", "get", "hasKey", "lookup"];

/// They stand before a command.
const KEYWORDS: [&str; 5] = ["if", "else", "with", "range", "return"];

impl Plan {
    /// Words of Helm that say what the chart says by itself inside of a Secret, as far as its files tell. Go cuts what it
    /// quotes, so that a part is enough.
    pub fn quotes_a_literal(&self, words: &str) -> bool {
        let words: Vec<&str> = words
            .split(|c: char| c.is_whitespace() || BETWEEN.contains(c))
            .map(|word| word.trim_matches(['.', '…', '!', '?']))
            .filter(|word| word.chars().count() >= SHORTEST)
            .filter(|word| !ORDINARY.contains(&&*word.to_lowercase()))
            .collect();
        !words.is_empty()
            && self.secrets().any(|(text, secrets)| {
                let literals = literals(&text, &secrets);
                literals.iter().any(|literal| words.iter().any(|word| literal.contains(word)))
            })
    }
}

/// Of the values that were found in the text.
fn literals<'t>(text: &'t str, secrets: &Secrets) -> Vec<&'t str> {
    let actions = actions(text);
    let mut found = Vec::new();
    for piece in secrets.pieces.iter().filter(|piece| !piece.comment) {
        let mut from = piece.at.start;
        let first = actions.partition_point(|action| action.at.end <= from);
        for action in actions[first..].iter().take_while(|action| action.at.start < piece.at.end) {
            found.push(from..action.at.start.max(from));
            let within = |quoted: &&Range<usize>| quoted.start >= from && quoted.end <= piece.at.end;
            found.extend(action.quoted.iter().filter(within).cloned());
            from = action.at.end.min(piece.at.end);
        }
        found.push(from..piece.at.end);
    }
    found.into_iter().filter_map(|at| text.get(at)).map(behind_key).collect()
}

/// Without the name of a field that a line begins with.
fn behind_key(line: &str) -> &str {
    let is_key = |key: &str| key.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    match line.trim_start_matches(['-', ' ']).split_once(':') {
        Some((key, rest)) if is_key(key) && (rest.is_empty() || rest.starts_with(' ')) => rest,
        Some(_) | None => line,
    }
}

/// `{{ … }}`.
struct Action {
    at: Range<usize>,
    /// Texts in quotes that are no names.
    quoted: Vec<Range<usize>>,
}

fn actions(text: &str) -> Vec<Action> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("{{").map(|at| from + at) {
        let mut scan = Scan { text, at: start + 2, calls: vec![Call::default()], quoted: Vec::new() };
        scan.run();
        from = scan.at;
        found.push(Action { at: start..scan.at, quoted: scan.quoted });
    }
    found
}

/// A function and what it is given.
#[derive(Clone, Copy, Default)]
struct Call<'t> {
    function: Option<&'t str>,
    arguments: usize,
    /// It stands itself where a name is expected.
    is_name: bool,
}

impl Call<'_> {
    /// What comes next is a name.
    fn names(&self) -> bool {
        let first = self.arguments == 0;
        let asks = |function| (first && NAMING.contains(&function)) || PICKING.contains(&function);
        self.is_name || self.function.is_some_and(asks)
    }
}

/// Goes through one action, as far as its end.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// The innermost is the last; never empty.
    calls: Vec<Call<'t>>,
    quoted: Vec<Range<usize>>,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn run(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            match c {
                '}' if self.rest().starts_with("}}") => {
                    self.at += 2;
                    return;
                }
                '/' if self.rest().starts_with("/*") => {
                    self.at += self.rest().find("*/").map_or(self.rest().len(), |end| end + 2);
                }
                '"' | '`' | '\'' => self.quote(c),
                '(' => self.open(),
                ')' => self.close(),
                '|' | '=' => self.begin(),
                _ if is_of_word(c) => self.word(),
                _ => self.at += c.len_utf8(),
            }
        }
    }

    fn quote(&mut self, quote: char) {
        let inside = self.at + 1;
        let mut escaped = false;
        let ends = |c: char| {
            let ends = (c == quote && !escaped) || (c == '\n' && quote != '`');
            escaped = quote != '`' && c == '\\' && !escaped;
            ends
        };
        let length = self.text[inside..].find(ends).unwrap_or(self.text.len() - inside);
        if !self.top().names() {
            self.quoted.push(inside..inside + length);
        }
        self.top().arguments += 1;
        self.at = (inside + length + 1).min(self.text.len());
    }

    fn word(&mut self) {
        let rest = self.rest();
        let word = &rest[..rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())];
        self.at += word.len();
        let top = self.top();
        match top.function {
            None if KEYWORDS.contains(&word) => {}
            None => top.function = Some(word),
            Some(_) => top.arguments += 1,
        }
    }

    fn open(&mut self) {
        self.at += 1;
        let is_name = self.top().names();
        self.calls.push(Call { is_name, ..Call::default() });
    }

    fn close(&mut self) {
        self.at += 1;
        if self.calls.len() > 1 {
            self.calls.pop();
        }
        self.top().arguments += 1;
    }

    /// The next command of a pipeline.
    fn begin(&mut self) {
        self.at += 1;
        let is_name = self.top().is_name;
        *self.top() = Call { is_name, ..Call::default() };
    }

    fn top(&mut self) -> &mut Call<'t> {
        if self.calls.is_empty() {
            self.calls.push(Call::default());
        }
        let last = self.calls.len() - 1;
        &mut self.calls[last]
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "._$".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<&str> {
        literals(text, &Secrets::find(text))
            .into_iter()
            .map(str::trim)
            .filter(|text| text.len() >= SHORTEST)
            .collect()
    }

    #[test]
    fn literals_are_what_is_no_action_and_no_name() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ include \"c.fullname\" . }}\nstringData:\n  \
                    plain: hunter-one\n  mixed: pre-{{ .Values.a | default \"hunter-two\" }}-post\n  \
                    named: {{ include \"c.password\" (dict \"a\" `hunter-three`) | quote }}\n  \
                    asked: {{ required \"say which token\" (.Values.token | default \"hunter-four\") }}\n  \
                    {{- /* a comment here */}}\n  \
                    picked: {{ index .Values.map \"the-key\" }}\n  {{- $x := \"hunter-five\" }}\n  \
                    {{- fail (printf \"no %s there\" .Values.a) }}\n  last: {{ $x | b64enc }}\n  \
                    settings.yaml: |\n    password: hunter-six\n    - token:\n";
        assert_eq!(
            said(text),
            [
                "hunter-one",
                "pre-",
                "hunter-two",
                "-post",
                "hunter-three",
                "hunter-four",
                "hunter-five",
                "hunter-six"
            ]
        );
    }

    #[test]
    fn a_template_that_is_broken_off_ends_the_search_for_its_end() {
        for end in
            ["{{", "{{ \"", "{{ `", "{{ (", "{{ )))", "{{ /*", "{{ \"a\\", "{{ é\"é", "{{ \"open-\n  b: c"]
        {
            let text =
                format!("kind: Secret\nmetadata: {{name: a}}\nstringData:\n  a: hunter-one\n  b: {end}");
            assert_eq!(said(&text).first(), Some(&"hunter-one"), "{end}");
        }
        assert_eq!(actions(&"{{ \"".repeat(50_000)).len(), 1);
    }
}
