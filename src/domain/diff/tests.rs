//! Two sides, and what is said of them: one case a line where that can be.

use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

fn side(files: &[(&str, &str)]) -> Side {
    let mut files: Vec<File> = files.iter().map(|(path, text)| file(path, text.as_bytes())).collect();
    files.sort_by(|one, two| one.path.cmp(&two.path));
    Side { files }
}

fn file(path: &str, bytes: &[u8]) -> File {
    File {
        path: path.into(),
        size: bytes.len() as u64,
        sha256: None,
        executable: false,
        bytes: Some(Bytes::copy_from_slice(bytes)),
    }
}

fn config(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  a: one\n  b: two\n  c: {value}\n"
    )
}

fn run(from: &Side, to: &Side) -> Diff {
    compare(from, to, &|| true)
}

/// Everything that a diff says, a line each.
fn said(diff: &Diff) -> Vec<String> {
    let mut said = Vec::new();
    for file in &diff.files {
        let from = file.from.as_ref().filter(|from| *from.path != *file.path());
        let from = from.map_or(String::new(), |from| format!(" from {}", from.path));
        said.push(format!("file {}{from}: {}", file.path(), file.change.word()));
    }
    for object in &diff.objects {
        let fields: Vec<String> = object.fields.iter().map(|field| field.path.to_string()).collect();
        let key = &object.found().unwrap().key;
        said.push(format!("{key}: {} {}", object.change.word(), fields.join(" ")).trim().to_owned());
    }
    for odd in &diff.oddities {
        let what = match &odd.what {
            Odd::Broken(broken) => format!("broken in line {}", broken.line),
            Odd::NoObject { line } => format!("no object in line {line}"),
            Odd::Doubled { key, line } => format!("{key} doubled, line {line}"),
            Odd::Limit(broken) => format!("limit in line {}: {}", broken.line, broken.why),
            Odd::Cut(why) => why.to_string(),
        };
        said.push(format!("{:?} {}: {what}", odd.which, odd.path));
    }
    said
}

#[track_caller]
fn check(from: &[(&str, &str)], to: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(said(&run(&side(from), &side(to))), expected);
}

#[test]
fn files_are_gone_new_renamed_changed_or_written_differently() {
    check(
        &[("a.txt", "x"), ("b", "y")],
        &[("a.txt", "z"), ("c", "w")],
        &["file a.txt: changed", "file b: removed", "file c: added"],
    );
    check(
        &[("x/a", "1"), ("x/b", "1"), ("e", "")],
        &[("y/b", "1"), ("y/c", "1"), ("f", "")],
        &["file e: removed", "file f: added", "file y/b from x/b: renamed", "file y/c from x/a: renamed"],
    );
    let written =
        "# why\nkind: ConfigMap\napiVersion: 'v1'\ndata: {b: two, a: \"one\", c: x}\nmetadata:\n  name: a\n";
    check(
        &[("a.yaml", &config("a", "x"))],
        &[("a.yaml", written)],
        &["file a.yaml: formatting only", "ConfigMap a: formatting only"],
    );
    let values = ("c/values.yaml", "a: 1 # one\nb: [x]\n");
    let chart = ("c/Chart.yaml", "name: c\nversion: 1.0.0\n");
    check(
        &[chart, values],
        &[chart, ("c/values.yaml", "b:\n- x\na: 1\n")],
        &["file c/values.yaml: formatting only"],
    );
    check(
        &[chart, ("c/templates/a.yaml", "a: 1\n")],
        &[chart, ("c/templates/a.yaml", "a:  1\n")],
        &["file c/templates/a.yaml: changed"],
    );
}

#[test]
fn a_list_and_its_items_apart_say_the_same() {
    let item = |name: &str| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}");
    let list = |items: &[&str]| {
        let items: String = items.iter().map(|name| ["- ", &item(name), "\n"].concat()).collect();
        format!("apiVersion: v1\nkind: List\nitems:\n{items}")
    };
    let apart = format!("{}\n---\n{}\n", item("a"), item("b"));
    check(&[("a.yaml", &list(&["a", "b"]))], &[("a.yaml", &apart)], &["file a.yaml: formatting only"]);
    check(&[("a.yaml", &apart)], &[("a.yaml", &list(&["b", "a"]))], &["file a.yaml: formatting only"]);
    check(
        &[("a.yaml", &list(&["a"]))],
        &[("a.yaml", &apart)],
        &["file a.yaml: changed", "ConfigMap a: formatting only", "ConfigMap b: added"],
    );
}

#[test]
fn a_file_that_can_be_executed_is_another() {
    let (one, mut two) = (side(&[("run.sh", "x")]), side(&[("run.sh", "x")]));
    two.files[0].executable = true;
    assert_eq!(said(&run(&one, &two)), ["file run.sh: changed"]);
}

#[test]
fn a_file_that_was_not_read_is_judged_by_its_digest() {
    let of = |digit: char| {
        let digest = Digest::parse(&format!("sha256:{}", String::from(digit).repeat(64))).unwrap();
        Side { files: vec![File { bytes: None, size: 9, sha256: Some(digest), ..file("a.bin", b"") }] }
    };
    assert_eq!(said(&run(&of('a'), &of('b'))), ["file a.bin: changed"]);
    assert_eq!(run(&of('a'), &of('a')).same_files, 1);
}

#[test]
fn objects_are_the_same_in_whatever_file_and_version() {
    let (a, b) = (config("a", "x"), config("b", "y"));
    check(
        &[("1.yaml", &format!("{a}---\n{b}"))],
        &[("1.yaml", &a), ("2.yaml", &b)],
        &["file 1.yaml: changed", "file 2.yaml: added", "ConfigMap b: moved"],
    );
    check(
        &[("1.yaml", &a)],
        &[("2.yaml", &config("a", "z"))],
        &["file 1.yaml: removed", "file 2.yaml: added", "ConfigMap a: changed data.c"],
    );
    let policy = |version: &str| {
        format!(
            "apiVersion: policy/{version}\nkind: PodDisruptionBudget\nmetadata: {{name: a, namespace: n}}\n"
        )
    };
    check(
        &[("p.yaml", &policy("v1beta1"))],
        &[("p.yaml", &policy("v1"))],
        &["file p.yaml: changed", "PodDisruptionBudget n/a: changed apiVersion"],
    );
}

#[test]
fn items_of_a_list_are_objects_of_their_own() {
    let list = |c: &str| {
        let item = |name: &str, c: &str| {
            format!("- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: {name}}}\n  data: {{c: {c}}}\n")
        };
        format!("apiVersion: v1\nkind: List\nitems:\n{}{}", item("a", "x"), item("b", c))
    };
    check(
        &[("l.yaml", &list("x"))],
        &[("l.yaml", &list("y"))],
        &["file l.yaml: changed", "ConfigMap b: changed data.c"],
    );
    assert_eq!(run(&side(&[("l.yaml", &list("x"))]), &side(&[("l.yaml", &list("y"))])).same_objects, 1);
}

#[test]
fn renamed_objects_are_found_by_their_hash_or_by_what_they_say() {
    check(
        &[("a.yaml", &config("cm-7g9hk2", "x"))],
        &[("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm-6ct58987ht}\ndata: {z: new}\n")],
        &[
            "file a.yaml: changed",
            "ConfigMap cm-6ct58987ht: renamed metadata.name data.z data.a data.b data.c",
        ],
    );
    check(
        &[("a.yaml", &config("old", "x"))],
        &[("a.yaml", &config("new", "y"))],
        &["file a.yaml: changed", "ConfigMap new: renamed metadata.name data.c"],
    );
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\ndata: {z: new}\n";
    check(
        &[("a.yaml", &config("old", "x"))],
        &[("a.yaml", other)],
        &["file a.yaml: changed", "ConfigMap new: added", "ConfigMap old: removed"],
    );
    let named = |name: &str| {
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{a: b}}}}\n")
    };
    check(
        &[("n.yaml", &named("one"))],
        &[("n.yaml", &named("two"))],
        &["file n.yaml: changed", "Namespace one: removed", "Namespace two: added"],
    );
    let spaced = config("a", "x").replace("  name: a\n", "  name: a\n  namespace: n\n");
    check(
        &[("a.yaml", &config("a", "x"))],
        &[("a.yaml", &spaced)],
        &["file a.yaml: changed", "ConfigMap n/a: renamed metadata.namespace"],
    );
}

#[test]
fn too_many_to_compare_each_with_each_are_said_and_renamed_by_hash_all_the_same() {
    let many = |word: &str| -> String {
        (0..60)
            .map(|n| config(&format!("{word}{n}"), &format!("{word}{n}")).replace("one", word) + "---\n")
            .collect()
    };
    let diff = run(&side(&[("a.yaml", &many("old"))]), &side(&[("a.yaml", &many("new"))]));
    assert_eq!(diff.objects.len(), 120);
    assert!(said(&diff)[121].contains("60 ConfigMap gone and 60 new: too many"));
}

#[test]
fn what_stands_twice_is_said_and_each_is_compared_with_its_like() {
    let (a, b) = (config("a", "x"), config("a", "y"));
    let twice = format!("{a}---\n{b}");
    check(
        &[("1.yaml", &twice)],
        &[("1.yaml", &b)],
        &["file 1.yaml: changed", "From 1.yaml: ConfigMap a doubled, line 1"],
    );
    check(
        &[("1.yaml", &b)],
        &[("1.yaml", &b), ("2.yaml", &a)],
        &["file 2.yaml: added", "To 1.yaml: ConfigMap a doubled, line 1"],
    );
    check(
        &[("base.yaml", &a), ("patch.yaml", &b)],
        &[("base.yaml", &config("a", "z")), ("patch.yaml", &b)],
        &[
            "file base.yaml: changed",
            "ConfigMap a: changed data.c",
            "Both base.yaml: ConfigMap a doubled, line 1",
        ],
    );
    check(
        &[("prod.yaml", &a), ("test.yaml", &a)],
        &[("prod.yaml", &config("a", "p")), ("test.yaml", &config("a", "t"))],
        &[
            "file prod.yaml: changed",
            "file test.yaml: changed",
            "ConfigMap a: changed data.c",
            "ConfigMap a: changed data.c",
            "Both prod.yaml: ConfigMap a doubled, line 1",
        ],
    );
    check(&[("1.yaml", &twice)], &[("1.yaml", &twice)], &["Both 1.yaml: ConfigMap a doubled, line 1"]);
}

#[test]
fn a_broken_document_removes_nothing_and_the_rest_goes_on() {
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {a: [}\n";
    let (a, b) = (config("a", "x"), config("b", "x"));
    check(
        &[("1.yaml", &format!("{a}---\n{b}"))],
        &[("1.yaml", &format!("{broken}---\n{}", config("b", "y")))],
        &["file 1.yaml: changed", "ConfigMap b: changed data.c", "To 1.yaml: broken in line 5"],
    );
    // nobody can say which object this was, nor where it should have ended
    let broken = "a: [\n";
    let diff = run(&side(&[("1.yaml", broken)]), &side(&[("1.yaml", broken)]));
    assert!(diff.objects.is_empty() && matches!(diff.oddities[..], [Oddity { what: Odd::Broken(_), .. }]));
    // but what is therefore called neither gone nor new is named
    let unknown = "{{ broken\n";
    for (one, two, fate) in
        [(&*a, unknown, "From 1.yaml: not called gone"), (unknown, &*a, "To 1.yaml: not called new")]
    {
        let diff = run(&side(&[("1.yaml", one)]), &side(&[("1.yaml", two)]));
        assert!(diff.objects.is_empty() && diff.oddities.len() == 2);
        let told = said(&diff);
        let named = told.iter().any(|line| line.starts_with(fate) && line.ends_with(": ConfigMap a"));
        assert!(named, "{told:?}");
    }
    check(
        &[("1.yaml", "a: 1\n")],
        &[("1.yaml", "\n---\na: 1\n")],
        &["file 1.yaml: formatting only", "Both 1.yaml: no object in line 3"],
    );
}

#[test]
fn json_that_cannot_be_read_is_named_where_it_seems_to_hold_an_object() {
    let whole =
        "{\n  \"apiVersion\": \"v1\", \"kind\": \"ConfigMap\",\n  \"metadata\": {\"name\": \"j\"}\n}\n";
    let cut = whole.strip_suffix("}\n").unwrap();
    check(
        &[("j.json", whole)],
        &[("j.json", cut)],
        &[
            "file j.json: changed",
            "From j.json: not called gone, because j.json:4 of the other side, which cannot be read, may hold it: ConfigMap j",
            "To j.json: broken in line 4",
        ],
    );
    check(
        &[("j.json", cut)],
        &[("j.json", "{\"apiVersion\": [\"kind\": ")],
        &["file j.json: changed", "Both j.json: broken in line 1"],
    );
    // what was an object is named even if nothing of it is left
    let told = said(&run(&side(&[("j.json", whole)]), &side(&[("j.json", "{")])));
    assert_eq!(told.last().unwrap(), "To j.json: broken in line 1");
    // configuration of something else, with comments
    check(&[("t.json", "{ // a\n}")], &[("t.json", "{ // b\n}")], &["file t.json: changed"]);
}

#[test]
fn bytes_that_are_no_text_and_text_of_two_bytes_a_letter_are_read_as_what_they_are() {
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(config("a", "y").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let from = side(&[("a.yaml", &config("a", "x")), ("b.png", "x")]);
    let to = Side { files: vec![file("a.yaml", &wide), file("b.png", b"\xff\x00")] };
    assert_eq!(
        said(&run(&from, &to)),
        ["file a.yaml: changed", "file b.png: changed", "ConfigMap a: changed data.c"]
    );
    let rubbish = Side { files: vec![file("a.yaml", b"a: \xff\n"), file("b.png", b"x")] };
    let gone = "From a.yaml: not called gone, because a.yaml:1 of the other side, which cannot be read, may hold it: ConfigMap a";
    assert_eq!(said(&run(&from, &rubbish)), ["file a.yaml: changed", gone, "To a.yaml: broken in line 1"]);
}

#[test]
fn a_chart_beside_plain_manifests_is_files_against_objects() {
    let chart = [
        ("Chart.yaml", "name: c\n"),
        ("templates/a.yaml", "{{ x }}\n"),
        (
            "crds/x.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.y}\n",
        ),
    ];
    check(
        &chart,
        &[("a.yaml", &config("a", "x"))],
        &[
            "file Chart.yaml: removed",
            "file a.yaml: added",
            "file crds/x.yaml: removed",
            "file templates/a.yaml: removed",
            "ConfigMap a: added",
            "CustomResourceDefinition x.y: removed",
        ],
    );
}

#[test]
fn what_kustomize_reads_itself_is_no_object_and_fluxs_own_kustomization_is() {
    let own = |path: &str| {
        format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [{path}]\n")
    };
    check(
        &[("kustomization.yaml", &own("a"))],
        &[("kustomization.yaml", &own("b"))],
        &["file kustomization.yaml: changed"],
    );
    let flux = |path: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: a}}\nspec: {{path: {path}}}\n"
        )
    };
    check(
        &[("a.yaml", &flux("a"))],
        &[("a.yaml", &flux("b"))],
        &["file a.yaml: changed", "Kustomization a: changed spec.path"],
    );
}

#[test]
fn somebody_who_does_not_wait_gets_what_is_known() {
    let diff =
        compare(&side(&[("a.yaml", &config("a", "x"))]), &side(&[("a.yaml", &config("a", "y"))]), &|| false);
    assert_eq!(said(&diff), ["file a.yaml: changed", "Both : it was ended before everything was compared"]);
}

#[test]
fn secret_values_are_marked_wherever_they_stand() {
    let secret = |value: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{a: {value}, b: same}}\n")
    };
    let of = |from: &str, to: &str| {
        run(&side(&[("s.yaml", from)]), &side(&[("s.yaml", to)])).objects.remove(0).fields
    };
    let fields = of(&secret("one"), &secret("other"));
    assert_eq!(
        fields.iter().map(|f| (f.path.to_string(), f.secret)).collect::<Vec<_>>(),
        [("stringData.a".to_owned(), true)]
    );
    assert_eq!(fields[0].shown(false), (Shown::Masked { length: 3 }, Shown::Masked { length: 5 }));
    assert!(!format!("{fields:?}").contains("other"));
    let bare = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
    let added: Vec<(String, bool)> =
        of(bare, &secret("one")).iter().map(|f| (f.path.to_string(), f.secret)).collect();
    assert_eq!(
        added,
        [
            ("stringData".to_owned(), false),
            ("stringData.a".to_owned(), true),
            ("stringData.b".to_owned(), true)
        ]
    );
    let set = |inner: &str| {
        format!("apiVersion: x/v1\nkind: ResourceSet\nmetadata: {{name: s}}\nspec:\n  resources: [{inner}]\n")
    };
    let nested = "{kind: Secret, metadata: {name: x}, stringData: {a: b}}";
    assert!(of(&set(""), &set(nested)).iter().all(|field| field.secret));
    let sops = |n: u8| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: s}}\ndata: {{a: 'ENC[AES256_GCM,data:{n},iv:y,tag:z,type:str]'}}\n"
        )
    };
    assert!(of(&sops(1), &sops(2))[0].secret);
}

#[test]
fn a_hundred_thousand_documents_and_twenty_thousand_files_are_compared() {
    let mut many = String::new();
    for n in 0..100_000 {
        let _ = write!(many, "apiVersion: v1\nkind: A\nmetadata: {{name: a{n}}}\n---\n");
    }
    let to = many.replace("name: a5}", "name: a5, labels: {a: b}}");
    let diff = run(&side(&[("a.yaml", &many)]), &side(&[("a.yaml", &to)]));
    assert_eq!((diff.same_objects, diff.objects.len(), diff.oddities.len()), (99_999, 1, 0));
    let folder = |extra: &str| Side {
        files: (0..20_000)
            .map(|n| {
                file(
                    &format!("d/{n:05}.yaml"),
                    format!("{}{extra}", config(&format!("c{n}"), "x")).as_bytes(),
                )
            })
            .collect(),
    };
    let diff = run(&folder(""), &folder(""));
    assert_eq!((diff.same_files, diff.same_objects), (20_000, 20_000));
    let moved = Side {
        files: folder("")
            .files
            .into_iter()
            .map(|file| File { path: file.path.replace("d/", "e/").into(), ..file })
            .collect(),
    };
    let diff = run(&folder(""), &moved);
    assert!(diff.objects.iter().all(|object| object.change == Change::Moved) && diff.objects.len() == 20_000);
}

#[test]
fn long_lines_and_bombs_of_aliases_end() {
    let long = |last: &str| format!("{}  d: {}{last}\n", config("a", "x"), "x".repeat(10_000_000));
    let diff = run(&side(&[("a.yaml", &long("y"))]), &side(&[("a.yaml", &long("z"))]));
    assert_eq!(said(&diff), ["file a.yaml: changed", "ConfigMap a: changed data.d"]);
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    for n in 1..40 {
        let _ = writeln!(bomb, "a{n}: &a{n} [*a{0}, *a{0}, *a{0}]", n - 1);
    }
    let diff = run(
        &side(&[("a.yaml", &bomb), ("b.yaml", &config("b", "x"))]),
        &side(&[("b.yaml", &config("b", "y"))]),
    );
    assert_eq!(diff.objects.len(), 1);
    assert!(matches!(diff.oddities[0].what, Odd::Limit(_)), "kustomize writes them all out");
}

#[test]
fn what_sops_encrypted_again_is_said_to_be_so() {
    let sops = |n: u8, open: &str| {
        let value = format!("ENC[AES256_GCM,data:{n},iv:y,tag:z,type:str]");
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, labels: {{a: {open}}}}}\ndata: {{a: '{value}', b: '{value}'}}\nsops: {{lastmodified: t{n}, mac: '{value}'}}\n"
        )
    };
    let run = |from: &str, to: &str| said(&run(&side(&[("s.yaml", from)]), &side(&[("s.yaml", to)])));
    let again = run(&sops(1, "x"), &sops(2, "x"));
    assert!(again[2].contains("Secret s: every value that SOPS encrypted differs"), "{again:?}");
    let edited = run(&sops(1, "x"), &sops(2, "y"));
    assert!(edited.iter().all(|line| !line.contains("SOPS")), "{edited:?}");
}

fn texts() -> impl Strategy<Value = Vec<(String, String)>> {
    let document = prop_oneof![
        ("[a-c]", "[x-z]").prop_map(|(name, value)| config(&name, &value)),
        ("[a-c]", "[x-z]").prop_map(|(name, value)| format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{c: {value}}}}}\n"
        )),
        Just("a: [\n".to_owned()),
        Just("a: 1\n".to_owned()),
        Just("# c\n".to_owned()),
    ];
    let stream = proptest::collection::vec(document, 0..4).prop_map(|documents| documents.join("---\n"));
    proptest::collection::btree_map("[p-s](\\.yaml|\\.json|)", stream, 0..4)
        .prop_map(|files| files.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_side_is_like_itself_and_two_are_compared_the_same_way_twice(from in texts(), to in texts()) {
        let side = |files: &[(String, String)]| side(&files.iter().map(|(a, b)| (&**a, &**b)).collect::<Vec<_>>());
        let (from, to) = (side(&from), side(&to));
        let same = run(&from, &from);
        prop_assert!(same.is_same() && same.files.is_empty() && same.objects.is_empty(), "{:?}", said(&same));
        prop_assert!(same.oddities.iter().all(|odd| odd.which == Which::Both));
        let (one, two) = (run(&from, &to), run(&from, &to));
        prop_assert_eq!(said(&one), said(&two));
        for object in &one.objects {
            if let (Some(from), Some(to), Change::Changed | Change::Renamed) = (&object.from, &object.to, object.change) {
                prop_assert_eq!(&apply(&from.value, &object.fields), &*to.value);
            }
        }
    }
}
