//! Files in meanings, by syntect: only the lines that are looked at, with the parser's state kept every few lines.
//! Scopes become our own meanings, so the theme's palette holds and no colours of others come in.

use super::theme::Meaning;
use std::{collections::BTreeMap, sync::LazyLock};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

/// A state is kept at each multiple of this.
const STRIDE: usize = 50;

/// Jumping further than this ahead starts anew at a top-level key instead of parsing all lines between.
const REACH: usize = 150;

/// A line longer than this stays plain: it would take longer than a frame.
const LONG: usize = 4096;

/// Pieces of one line: (end byte, meaning).
pub type Pieces = Vec<(usize, Meaning)>;

/// All that is known; loaded when the first file is looked at.
static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

pub struct Highlighter {
    start: Option<ParseState>,
    states: BTreeMap<usize, (ParseState, ScopeStack)>,
    lines: BTreeMap<usize, Pieces>,
}

impl Highlighter {
    /// By the name of the file; one that is not known stays plain.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = match name.rsplit('.').next().unwrap_or_default() {
            "yml" | "tpl" | "lock" | "yaml" => "yaml",
            // the nearest that there is: keys, values, comments with #
            "toml" | "ini" | "env" | "properties" => "properties",
            other => other,
        };
        let start = SYNTAXES.find_syntax_by_extension(extension).map(ParseState::new);
        Self { start, states: BTreeMap::new(), lines: BTreeMap::new() }
    }

    /// Makes sure that these lines are known.
    pub fn reach(&mut self, text: &[String], first: usize, last: usize) {
        let last = last.min(text.len());
        if (first..last).all(|at| self.lines.contains_key(&at)) {
            return;
        }
        let Some((mut at, mut state, mut stack)) = self.resume(text, first) else { return };
        while at < last {
            if at % STRIDE == 0 {
                self.states.insert(at, (state.clone(), stack.clone()));
            }
            let pieces = parse(&text[at], &mut state, &mut stack);
            self.lines.insert(at, pieces);
            at += 1;
        }
    }

    /// What is known of a line; empty before [`Highlighter::reach`].
    pub fn line(&self, at: usize) -> &[(usize, Meaning)] {
        self.lines.get(&at).map_or(&[], Vec::as_slice)
    }

    fn resume(&self, text: &[String], first: usize) -> Option<(usize, ParseState, ScopeStack)> {
        let kept = self.states.range(..=first).next_back();
        if let Some((&at, (state, stack))) = kept
            && first - at <= REACH
        {
            return Some((at, state.clone(), stack.clone()));
        }
        let from = first.saturating_sub(REACH);
        let top = (from..=first).find(|&at| text.get(at).is_some_and(|line| is_top_level(line)));
        Some((top.unwrap_or(from), self.start.clone()?, ScopeStack::new()))
    }
}

fn parse(line: &str, state: &mut ParseState, stack: &mut ScopeStack) -> Pieces {
    if line.len() > LONG {
        return Pieces::new();
    }
    let with_end = format!("{line}\n");
    let Ok(operations) = state.parse_line(&with_end, &SYNTAXES) else { return Pieces::new() };
    let mut pieces = Pieces::new();
    let mut done = 0;
    for (at, operation) in operations {
        let at = at.min(line.len());
        if at > done {
            pieces.push((at, meaning(stack)));
            done = at;
        }
        if stack.apply(&operation).is_err() {
            return pieces;
        }
    }
    if done < line.len() {
        pieces.push((line.len(), meaning(stack)));
    }
    pieces
}

/// A block scalar's lines are indented, so a key at the margin is safe to start from.
fn is_top_level(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn meaning(stack: &ScopeStack) -> Meaning {
    if stack.as_slice().iter().any(|scope| scope.build_string().starts_with(JSON_KEY)) {
        return Meaning::YamlKey;
    }
    stack.as_slice().iter().rev().find_map(|scope| known(*scope)).unwrap_or(Meaning::Plain)
}

/// In JSON a key is a string in this.
const JSON_KEY: &str = "meta.structure.dictionary.key";

fn known(scope: Scope) -> Option<Meaning> {
    const TABLE: [(&str, Meaning); 7] = [
        ("comment", Meaning::YamlComment),
        ("entity.name.tag", Meaning::YamlKey),
        ("constant.numeric", Meaning::YamlNumber),
        ("constant.language", Meaning::YamlNumber),
        ("keyword", Meaning::YamlNumber),
        ("string", Meaning::YamlText),
        ("punctuation", Meaning::Muted),
    ];
    let name = scope.build_string();
    TABLE.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn keys_texts_numbers_and_comments_are_told_apart() {
        let text = lines("kind: Kustomization # why\nreplicas: 3\n");
        let mut yaml = Highlighter::of("a.yaml");
        yaml.reach(&text, 0, 2);
        let meanings = |at| yaml.line(at).iter().map(|(_, m)| *m).collect::<Vec<_>>();
        assert_eq!(yaml.line(0).first(), Some(&(4, Meaning::YamlKey)));
        assert!(meanings(0).contains(&Meaning::YamlText) && meanings(0).contains(&Meaning::YamlComment));
        assert!(meanings(1).contains(&Meaning::YamlNumber));
    }

    #[test]
    fn json_has_keys_too_and_an_unknown_file_stays_plain() {
        let key = |path: &str, text: &str| {
            let lines = lines(text);
            let mut file = Highlighter::of(path);
            file.reach(&lines, 0, 1);
            file.line(0).iter().any(|(_, meaning)| *meaning == Meaning::YamlKey)
        };
        assert!(key("values.schema.json", "{\"type\": 1}"));
        assert!(!key("NOTES", "type: 1"));
    }

    #[test]
    fn a_far_jump_parses_only_what_is_near() {
        let mut text = lines("spec:\n");
        text.extend((0..5_000).map(|n| format!("  - id: apps_{n}_apps_Deployment")));
        text.push("status: {}".to_owned());
        let mut yaml = Highlighter::of("a.yaml");
        yaml.reach(&text, 4_990, 5_002);
        assert!(yaml.lines.len() < 2 * REACH, "{}", yaml.lines.len());
        assert_eq!(yaml.line(5_001).first(), Some(&(6, Meaning::YamlKey)));
    }
}
