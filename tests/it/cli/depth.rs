//! Documents as deep as they are read, through everything that walks values, on stacks smaller than any that a thread of
//! the program has. What is deeper is said to be so, and nobody is said to fail on it.

use super::{
    Ran,
    diff::{Desk, run_with},
    fake::Fake,
};
use fluxscope::{
    app::page::{self, Form, PageId, Subject},
    cli::output::{Surroundings, Terminals},
    domain::{
        artifact::{Origin, Target},
        comparison::{Comparison, Question},
        diff::{apply, fields},
        source::LayerSelector,
    },
    port::{Comparing, NoTools, Sides, compare},
    registry::{OciRegistry, Settings},
};
use futures::StreamExt;
use std::{collections::BTreeSet, fmt::Write as _, sync::Arc, thread};

/// Mappings and lists in each other, the outermost mapping of the document included.
const DEEPEST: usize = 512;
/// Bytes; threads have 2 MiB.
const STACK: usize = 5 << 18;

fn head(kind: &str, name: &str) -> String {
    format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n")
}

fn block(levels: usize, margin: usize, leaf: &str) -> String {
    let mut text = String::new();
    for level in 0..levels - 1 {
        let _ = writeln!(text, "{}a{level}:", " ".repeat(margin + level));
    }
    let _ = writeln!(text, "{}a: {leaf}", " ".repeat(margin + levels - 1));
    text
}

fn json(levels: usize, leaf: &str) -> String {
    format!("{}\"{leaf}\"{}", "{\"a\":".repeat(levels), "}".repeat(levels))
}

fn schema(levels: usize, leaf: &str) -> String {
    let (open, close) = ("{type: object, properties: {a: ".repeat(levels), "}}".repeat(levels));
    format!("{open}{{type: {leaf}}}{close}")
}

/// One side, `below` levels under the margin.
fn files(below: usize, side: &str, leaf: &str, kind: &str) -> Vec<(String, String)> {
    let lists = format!("{}{leaf}{}", "[{a: ".repeat(below / 2), "}]".repeat(below / 2));
    let secret = head("Secret", "shut") + "data:\n" + &block(below, 1, leaf);
    let inner = format!("    {}\n", secret.trim_end().replace('\n', "\n    "));
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: xs.g.io}\nspec:\n  \
                      group: g.io\n  names: {kind: X, plural: xs}\n  scope: Namespaced\n  versions:\n  - name: v1\n    \
                      served: true\n    storage: true\n    schema:\n      openAPIV3Schema: ";
    let release =
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r}\nspec:\n  values:\n";
    let object = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{{\"name\":\"j\"}},\"spec\":{}}}",
        json(below, leaf)
    );
    [
        ("m/block.yaml", head("X", "block") + "spec:\n" + &block(below, 1, leaf)),
        ("m/flow.yaml", head("X", "flow") + "spec: " + &lists + "\n"),
        ("m/secret.yaml", secret),
        ("m/inner.yaml", head("ConfigMap", "inner") + "data:\n  a: |\n" + &inner),
        ("m/crd.yaml", format!("{definition}{}\n", schema((below - 6) / 2, kind))),
        ("m/release.yaml", release.to_owned() + &block(below - 1, 3, leaf)),
        (
            &format!("m/{side}.yaml"),
            head("X", &format!("renamed-{side}")) + "spec:\n" + &block(below, 1, "same"),
        ),
        ("m/j.json", object),
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n".to_owned()),
        ("c/values.yaml", block(below, 0, leaf)),
        ("c/values.schema.json", format!("{{\"properties\":{}}}", json(below, leaf))),
        (
            "k/kustomization.yaml",
            format!("secretGenerator:\n- literals: [a={leaf}]\nx:\n{}", block(below, 1, leaf)),
        ),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into()
}

fn desk(below: usize) -> Desk {
    let (from, to) = (files(below, "from", "one", "string"), files(below, "to", "two", "integer"));
    let from: Vec<(&str, &str)> = from.iter().map(|(path, text)| (&**path, &**text)).collect();
    let to: Vec<(&str, &str)> = to.iter().map(|(path, text)| (&**path, &**text)).collect();
    Desk::with(&from, &to)
}

/// On small stacks, whatever it starts.
fn cramped(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

fn within<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().thread_stack_size(STACK).build().unwrap().block_on(work)
}

async fn printed(desk: &Desk, options: &str) -> Ran {
    let (surroundings, terminals) = (Surroundings::default(), Terminals::default());
    run_with(&desk.line(options), surroundings, terminals, Fake::default(), Arc::new(NoTools)).await
}

async fn compared(desk: &Desk) -> Arc<Comparison> {
    let target = |side| Target {
        origin: Origin::Directory(desk.side(side)),
        selector: LayerSelector::default(),
        ignore: None,
    };
    let question = Question {
        from: target("from"),
        to: target("to"),
        consumer: None,
        read_secrets: false,
        build: false,
    };
    let artifacts = Arc::new(OciRegistry::new(Settings::default()).unwrap());
    let sides = Sides { artifacts, renderer: Arc::new(NoTools), cluster: None };
    let mut steps = compare(sides, question);
    while let Some(step) = steps.next().await {
        if let Comparing::Done(comparison) = step.unwrap() {
            return comparison;
        }
    }
    panic!("no last word");
}

#[test]
fn documents_as_deep_as_they_are_read_are_compared_shown_and_printed_on_small_stacks() {
    cramped(|| {
        let desk = desk(DEEPEST - 1);
        let comparison = within(compared(&desk));
        let diff = comparison.diff();
        assert!(diff.oddities.is_empty(), "{:?}", diff.oddities);
        assert_eq!(diff.objects.len(), 8);
        for object in &diff.objects {
            let (Some(from), Some(to)) = (&object.from, &object.to) else { panic!("{object:?}") };
            let fields = fields(&from.value, &to.value);
            assert_eq!(apply(&from.value, &fields.changes), *to.value);
        }
        let read = |subject| {
            for form in [Form::Fields, Form::Text] {
                let question = Arc::new(comparison.question.clone());
                let id = PageId { question, subject, form, revealed: BTreeSet::new() };
                let page = page::read(&comparison, &id);
                assert!(!page.rows.is_empty());
            }
        };
        (0..diff.objects.len()).for_each(|at| read(Subject::Object(at)));
        (0..diff.files.len()).for_each(|at| read(Subject::File(at)));
        for options in ["", "-o json", "-o yaml", "-o markdown", "--files"] {
            let ran = within(printed(&desk, options));
            assert_eq!(ran.code, 1, "{options}: {}", ran.err);
            assert!(!ran.out.contains("document-broken"), "{options}");
        }
    });
}

#[test]
fn what_is_deeper_is_a_limit_of_ours_and_no_danger() {
    let deep = |leaf| {
        let yaml = head("X", "deep") + "spec:\n" + &block(DEEPEST, 1, leaf);
        let json = json(DEEPEST, leaf);
        (yaml, format!("{{\"apiVersion\":\"v1\",\"kind\":\"X\",\"spec\":{json}}}"))
    };
    let (from, to) = (deep("one"), deep("two"));
    let desk =
        Desk::with(&[("d.yaml", &from.0), ("j.json", &from.1)], &[("d.yaml", &to.0), ("j.json", &to.1)]);
    let ran = within(printed(&desk, ""));
    assert!(!ran.out.contains("document-broken") && !ran.out.contains("fails"), "{}", ran.out);
    for odd in [
        "both  cut        d.yaml:516: nested deeper than 512: more than",
        "both  cut        j.json:1: nested",
    ] {
        assert!(ran.out.contains(odd), "{odd} is not in {}", ran.out);
    }
    assert!(ran.out.contains("a: two"), "its text is compared");
}
