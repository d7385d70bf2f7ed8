//! Artifacts under way: what is asked of the port, told as news. It keeps the last layers that were opened, because
//! the way back to their bytes is no message.

use crate::{
    app::shelf::artifacts::{Content, FileId, FileObject, Hidden, Hit, Hits, LayerId, News},
    domain::{
        artifact::{Artifact, Target},
        object,
        plain::Plain,
        problem::{Cause, Problem},
        secret::{Rule, Secrets, decoded},
        tree::Tree,
    },
    port::{Artifacts, Opened, Opening, sealed},
};
use futures::{Stream, StreamExt, stream::BoxStream};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// Layers that are held open: the compressed bytes of each may lie in memory.
const HELD: usize = 4;

/// Hits of one search that are kept, and characters of a line that are shown around one.
const MOST_HITS: usize = 10_000;
const AROUND: usize = 200;

/// The layers that were opened last.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<VecDeque<(LayerId, Opened)>>>);

impl Held {
    fn keep(&self, id: LayerId, opened: Opened) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(other, _)| *other != id);
        held.push_front((id, opened));
        held.truncate(HELD);
    }

    fn get(&self, id: &LayerId) -> Option<Opened> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().find(|(other, _)| other == id).map(|(_, opened)| opened.clone())
    }
}

pub(super) async fn inspect(port: Arc<dyn Artifacts>, target: Target) -> News {
    let answer = port.inspect(target.clone()).await.map(Arc::new);
    News::Inspected(target, answer)
}

pub(super) async fn referrers(port: Arc<dyn Artifacts>, artifact: Arc<Artifact>) -> News {
    let answer = port.referrers(&artifact).await.map(Arc::new);
    News::Referred(artifact.target.clone(), answer)
}

/// Progress, then the tree.
pub(super) fn open(
    port: &Arc<dyn Artifacts>,
    held: Held,
    artifact: &Artifact,
    layer: usize,
) -> impl Stream<Item = News> + Send + 'static {
    let id = LayerId { target: artifact.target.clone(), layer };
    port.open(artifact, layer).map(move |opening| match opening {
        Ok(Opening::Progress { bytes, of, from_cache }) => {
            News::Progress { id: id.clone(), bytes, of, from_cache }
        }
        Ok(Opening::Opened(opened)) => {
            let answer = Ok((opened.tree.clone(), opened.verified));
            held.keep(id.clone(), opened);
            News::Opened(id.clone(), answer)
        }
        Err(problem) => News::Opened(id.clone(), Err(problem)),
    })
}

pub(super) async fn read_file(
    port: Arc<dyn Artifacts>,
    held: Held,
    artifact: Arc<Artifact>,
    id: FileId,
) -> News {
    let answer = match opened(&port, &held, &artifact, &id.layer).await {
        Ok(opened) => read_one(&opened, id.entry).await.map(Arc::new),
        Err(problem) => Err(problem),
    };
    News::Read(id, answer)
}

async fn read_one(opened: &Opened, entry: usize) -> Result<Content, Problem> {
    let Some(read) = opened.contents.read(vec![entry]).next().await else {
        return Err(Problem::new(Cause::Invalid, "read the file", "the archive does not hold it any more"));
    };
    let (_, bytes) = read?;
    Ok(match rule(&opened.tree, &sealed(opened).await, entry) {
        Rule::Whole => as_text(&decoded(&bytes), Rule::Whole),
        rule => content(&bytes, rule),
    })
}

/// What of a file is secret.
fn rule(tree: &Tree, sealed: &BTreeSet<Box<str>>, entry: usize) -> Rule {
    let Some(entry) = tree.entries.get(entry) else { return Rule::Said };
    let is_chart = |folder: &str| {
        let mut paths = tree.stored().map(|entry| entry.path.strip_prefix(folder));
        paths.any(|rest| rest == Some("Chart.yaml"))
    };
    let folder = entry.path.strip_suffix("values.yaml");
    let folder = folder.filter(|folder| folder.is_empty() || folder.ends_with('/'));
    match folder {
        _ if sealed.contains(&entry.path) => Rule::Whole,
        Some(folder) if is_chart(folder) => Rule::Named,
        Some(_) | None => Rule::Said,
    }
}

/// As text where it is one. Secret values are found here, so that a screen never holds them in the open by mistake.
fn content(bytes: &[u8], rule: Rule) -> Content {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => as_text(text, rule),
        Ok(_) | Err(_) => as_secret_text(bytes).unwrap_or_else(|| Content::Binary(bytes.to_vec())),
    }
}

/// Bytes in hexadecimal would tell the values of a Secret that another encoding or a stray byte makes no text.
fn as_secret_text(bytes: &[u8]) -> Option<Content> {
    let text = decoded(bytes);
    (!Secrets::find(&text).is_empty()).then(|| as_text(&text, Rule::Said))
}

fn as_text(text: &str, rule: Rule) -> Content {
    let secrets = Secrets::by(rule, text);
    let mut pieces = secrets.pieces.iter().peekable();
    let (mut lines, mut hidden) = (Vec::new(), Vec::new());
    let mut start = 0;
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        let end = start + whole.trim_end_matches(['\n', '\r']).len();
        let mut line = String::with_capacity(whole.len());
        let mut done = start;
        while let Some(piece) = pieces.next_if(|piece| piece.at.start < start + whole.len()) {
            line.push_str(Plain::block(&text[done..piece.at.start]).as_str());
            let from = line.len();
            line.push_str(Plain::block(&text[piece.at.clone()]).as_str());
            hidden.push(Hidden { line: number, start: from, end: line.len(), value: piece.value });
            done = piece.at.end;
        }
        line.push_str(Plain::block(text.get(done..end).unwrap_or_default()).as_str());
        lines.push(line);
        start += whole.len();
    }
    Content::Text { lines, hidden, sops: secrets.sops }
}

/// The objects of all files that may hold some.
pub(super) async fn scan(port: Arc<dyn Artifacts>, held: Held, artifact: Arc<Artifact>, id: LayerId) -> News {
    let named = |path: &str| [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end));
    let answer = match opened(&port, &held, &artifact, &id).await {
        Ok(opened) => {
            let mut contents = opened.contents.read(files(&opened.tree, named));
            let mut found = Vec::new();
            loop {
                match contents.next().await {
                    None => break Ok(found),
                    Some(Err(problem)) => break Err(problem),
                    Some(Ok((entry, bytes))) => {
                        let objects = object::scan(&decoded(&bytes));
                        found.extend(objects.into_iter().map(|named| FileObject { entry, named }));
                    }
                }
            }
        }
        Err(problem) => Err(problem),
    };
    let answer = answer.map(|mut found| {
        found.sort_by_key(|object| (object.entry, object.named.line));
        Arc::new(found)
    });
    News::Scanned(id, answer)
}

/// Files with bytes whose path passes.
fn files(tree: &Tree, passes: impl Fn(&str) -> bool) -> Vec<usize> {
    let entries = tree.entries.iter().enumerate();
    let files = entries.filter(|(_, entry)| entry.at.is_some() && passes(&entry.path));
    files.map(|(at, _)| at).collect()
}

/// All lines that hold the text, without regard to case.
pub(super) async fn search(
    port: Arc<dyn Artifacts>,
    held: Held,
    artifact: Arc<Artifact>,
    id: LayerId,
    text: Box<str>,
) -> News {
    let answer = match opened(&port, &held, &artifact, &id).await {
        Ok(opened) => collect(&opened, &text).await,
        Err(problem) => Err(problem),
    };
    News::Searched((id, text), answer.map(Arc::new))
}

async fn collect(opened: &Opened, text: &str) -> Result<Hits, Problem> {
    let of_secrets = sealed(opened).await;
    let rule = |entry: usize| rule(&opened.tree, &of_secrets, entry);
    find_lines(opened.contents.read(files(&opened.tree, |_| true)), rule, text).await
}

async fn find_lines(
    mut contents: BoxStream<'static, Result<(usize, bytes::Bytes), Problem>>,
    rule: impl Fn(usize) -> Rule,
    text: &str,
) -> Result<Hits, Problem> {
    let needle = text.to_lowercase();
    let mut hits = Hits::default();
    'files: while let Some(file) = contents.next().await {
        let (entry, bytes) = file?;
        if bytes.contains(&0) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        // a hit must not tell what is hidden
        let secrets = Secrets::by(rule(entry), &text);
        let text = secrets.cover(&text, None);
        for (number, line) in text.lines().enumerate() {
            let Some(at) = line.to_lowercase().find(&needle) else { continue };
            if hits.found.len() >= MOST_HITS {
                hits.cut = true;
                break 'files;
            }
            let before = line.char_indices().map(|(start, _)| start).take_while(|start| *start <= at).count();
            let text: String = line.chars().skip(before.saturating_sub(AROUND / 4)).take(AROUND).collect();
            hits.found.push(Hit { entry, line: number + 1, text: text.into() });
        }
    }
    hits.found.sort_by_key(|hit| (hit.entry, hit.line));
    Ok(hits)
}

/// The way back to the bytes; a layer that is not held any more is opened again.
async fn opened(
    port: &Arc<dyn Artifacts>,
    held: &Held,
    artifact: &Artifact,
    id: &LayerId,
) -> Result<Opened, Problem> {
    if let Some(opened) = held.get(id) {
        return Ok(opened);
    }
    let mut opening = port.open(artifact, id.layer);
    while let Some(step) = opening.next().await {
        if let Opening::Opened(opened) = step? {
            held.keep(id.clone(), opened.clone());
            return Ok(opened);
        }
    }
    Err(Problem::new(Cause::Other, "open the layer again", "it ended without an answer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::tree::{Entry, Fate},
        port::Contents,
    };
    use bytes::Bytes;
    use futures::stream;

    struct Files(Vec<&'static str>);

    impl Contents for Files {
        fn read(&self, entries: Vec<usize>) -> BoxStream<'static, Result<(usize, Bytes), Problem>> {
            let files: Vec<_> =
                entries.into_iter().map(|at| Ok((at, Bytes::from_static(self.0[at].as_bytes())))).collect();
            stream::iter(files).boxed()
        }
    }

    fn layer(files: &[(&str, &'static str)]) -> Opened {
        let entry = |(at, (path, text)): (usize, &(&str, &str))| Entry {
            path: (*path).into(),
            size: text.len() as u64,
            sha256: None,
            fate: Fate::Written,
            note: None,
            at: Some(at as u64),
            executable: false,
        };
        let entries = files.iter().enumerate().map(entry).collect();
        let tree = Arc::new(Tree { entries, complete: true, ..Tree::default() });
        let contents = Arc::new(Files(files.iter().map(|(_, text)| *text).collect()));
        Opened { tree, verified: true, contents }
    }

    #[tokio::test]
    async fn a_file_that_a_kustomization_makes_a_secret_of_is_hidden_and_not_searched() {
        let kustomization = "secretGenerator:\n- name: a\n  envs: [prod.env]\n\
                             patches:\n- {path: patch.json, target: {kind: Secret}}\n";
        let opened = layer(&[
            ("app/kustomization.yaml", kustomization),
            ("app/prod.env", "TOKEN=hunter2\nUSER=root\n"),
            ("prod.env", "TOKEN=hunter2\n"),
            ("app/patch.json", "[{\"op\": \"add\", \"path\": \"/data/a\", \"value\": \"hunter2\"}]\n"),
        ]);
        let shown = |content: Content| match content {
            Content::Text { lines, hidden, .. } => (lines.len(), hidden.len()),
            Content::Binary(_) => (0, 0),
        };
        assert_eq!(shown(read_one(&opened, 1).await.unwrap()), (2, 2), "all of it");
        assert_eq!(shown(read_one(&opened, 2).await.unwrap()), (1, 0), "another of this name");
        assert_eq!(shown(read_one(&opened, 3).await.unwrap()), (1, 1), "a patch of a Secret");
        let hits = collect(&opened, "hunter").await.unwrap().found;
        assert_eq!(hits.iter().map(|hit| (hit.entry, hit.line)).collect::<Vec<_>>(), [(2, 1)]);
    }

    #[test]
    fn secret_values_are_found_in_the_safe_lines() {
        let text = "kind: Secret\r\n# \u{202e}\nstringData:\n  a: b\n  token: \u{1b}[2Jabc\n";
        let Content::Text { lines, hidden, .. } = content(text.as_bytes(), Rule::Said) else {
            panic!("text")
        };
        assert_eq!(lines.len(), 5);
        assert!(lines.iter().all(|line| !line.chars().any(crate::domain::plain::is_deceptive)));
        let found = hidden.iter().find(|hidden| hidden.line == 4).unwrap();
        assert_eq!(&lines[4][found.start..found.end], "\\x1b[2Jabc");
        assert_eq!(content(b"a\0b", Rule::Said), Content::Binary(b"a\0b".to_vec()));
    }

    #[test]
    fn a_secret_in_another_encoding_is_not_told_in_hexadecimal() {
        let text = "apiVersion: v1\nkind: Secret\nstringData:\n  token: open-sesame\n";
        let wide: Vec<u8> =
            [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let latin = [b"# caf\xe9\n", text.as_bytes()].concat();
        let nul = format!("# \0\n{text}").into_bytes();
        for bytes in [wide, latin, nul] {
            let Content::Text { lines, hidden, .. } = content(&bytes, Rule::Said) else { panic!("text") };
            let [one] = hidden[..] else { panic!("{hidden:?}") };
            assert_eq!(&lines[one.line][one.start..one.end], "open-sesame");
        }
    }

    #[test]
    fn only_the_defaults_of_a_chart_are_judged_by_names() {
        let at = |paths: &[&str], entry: usize| {
            let stored = |path: &&str| Entry {
                path: (*path).into(),
                size: 1,
                sha256: None,
                fate: Fate::Written,
                note: None,
                at: Some(0),
                executable: false,
            };
            let tree = Tree { entries: paths.iter().map(stored).collect(), ..Tree::default() };
            rule(&tree, &BTreeSet::from(["sealed".into()]), entry)
        };
        let chart = ["c/Chart.yaml", "c/values.yaml", "values.yaml", "c/more-values.yaml", "sealed"];
        let rules: Vec<Rule> = (0..chart.len()).map(|entry| at(&chart, entry)).collect();
        assert_eq!(rules, [Rule::Said, Rule::Named, Rule::Said, Rule::Said, Rule::Whole]);
    }

    #[tokio::test]
    async fn hits_are_told_in_the_order_of_the_tree_not_of_the_archive() {
        let files = [(2, "x\nhere"), (0, "here"), (1, "here\nhere")];
        let files = files.map(|(at, text)| Ok((at, bytes::Bytes::from_static(text.as_bytes()))));
        let hits = find_lines(stream::iter(files).boxed(), |_| Rule::Said, "HERE").await.unwrap();
        let places: Vec<_> = hits.found.iter().map(|hit| (hit.entry, hit.line)).collect();
        assert_eq!(places, [(0, 1), (1, 1), (1, 2), (2, 2)]);
    }
}
