//! What a consumer sees of an artifact, how its values are composed, and what is never handed to a tool.

use bytes::Bytes;
use fluxscope::domain::{
    diff::{File, Side},
    lens::{Config, ConfigKind, ConfigRef, KustomizationLens, Lens, ReleaseLens, ValuesState},
    problem::{Cause, Problem},
};
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(crate) fn side(files: &[(&str, &str)]) -> Side {
    let mut files: Vec<File> = files.iter().map(|(path, text)| file(path, text.as_bytes())).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Side { files }
}

pub(crate) fn file(path: &str, bytes: &[u8]) -> File {
    File {
        path: path.into(),
        size: bytes.len() as u64,
        sha256: None,
        executable: false,
        bytes: Some(Bytes::copy_from_slice(bytes)),
    }
}

pub(crate) fn consumer(kind: &str, spec: &Value) -> Lens {
    Lens::read(&json!({"kind": kind, "metadata": {"namespace": "shop", "name": "web"}, "spec": spec}))
        .unwrap()
}

fn kustomization(spec: &Value) -> KustomizationLens {
    match consumer("Kustomization", spec) {
        Lens::Kustomization(lens) => *lens,
        other => panic!("{other:?}"),
    }
}

fn release(spec: &Value) -> ReleaseLens {
    match consumer("HelmRelease", spec) {
        Lens::Release(lens) => *lens,
        other => panic!("{other:?}"),
    }
}

fn seen(spec: &Value, files: &[(&str, &str)]) -> (Vec<String>, usize, Vec<String>) {
    let seen = consumer("Kustomization", spec).look(&side(files));
    let paths = seen.side.files.iter().map(|file| file.path.to_string()).collect();
    (paths, seen.left_out, seen.notes)
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";

fn overlay(text: &str) -> String {
    format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{text}")
}

// ---- the spec

#[test]
fn a_field_of_another_type_is_named() {
    let read = |spec: Value| {
        let object = json!({"kind": "Kustomization", "metadata": {"name": "web"}, "spec": spec});
        Lens::read(&object).unwrap_err().why
    };
    assert_eq!(read(json!({"path": 1})), "spec.path: it is not a text");
    assert_eq!(read(json!({"patches": {}})), "spec.patches: it is not a list");
    assert_eq!(read(json!({"prune": "yes"})), "spec.prune: it is neither true nor false");
    assert_eq!(read(json!([])), "spec: it is not a map");
    let object = json!({"kind": "HelmRelease", "metadata": {"name": "web"}, "spec": {"valuesFrom": [{"kind": "Pod"}]}});
    let problem = Lens::read(&object).unwrap_err();
    assert_eq!(problem.why, "spec.valuesFrom[0].kind: \"Pod\" is neither ConfigMap nor Secret");
    assert_eq!(Lens::read(&json!({"kind": "Pod"})).unwrap_err().cause, Cause::Usage);
}

#[test]
fn nothing_of_a_spec_has_to_be_there() {
    let lens = kustomization(&Value::Null);
    assert_eq!((&*lens.path, lens.prune, lens.on_top.len()), ("", false, 0));
    let lens = release(&json!({}));
    assert_eq!((&*lens.release_name, &*lens.target_namespace), ("web", "shop"));
    assert_eq!((&*lens.upgrade_crds, &lens.values), ("Create", &json!({})));
}

#[test]
fn what_applies_on_top_is_said_in_few_words() {
    let lens = kustomization(&json!({
        "path": "./deploy/", "prune": true, "targetNamespace": "apps", "namePrefix": "a-",
        "patches": [{}, {}], "images": [{}], "components": ["../c"], "commonMetadata": {"labels": {"a": "b"}},
        "postBuild": {"substitute": {}}, "decryption": {"provider": "sops"},
    }));
    assert_eq!(&*lens.path, "deploy");
    assert!(lens.post_build);
    assert_eq!(
        lens.on_top.join(", "),
        "1 component, targetNamespace \"apps\", namePrefix \"a-\", 2 patches, 1 image, decryption, \
         postBuild substitution, commonMetadata"
    );
}

#[test]
fn a_release_is_named_as_helm_controller_names_it() {
    assert_eq!(&*release(&json!({"targetNamespace": "apps"})).release_name, "apps-web");
    assert_eq!(&*release(&json!({"releaseName": "own", "targetNamespace": "apps"})).release_name, "own");
    let long = "some-front-appended-namespace-release-with-a-much-too-long-name";
    let short = release(&json!({"releaseName": long})).release_name;
    // the example of helm-controller's own tests
    assert_eq!(short.len(), 53);
    assert!(short.starts_with("some-front-appended-namespace-release-wi-"), "{short}");
}

// ---- what of an artifact

#[test]
fn without_a_kustomization_file_all_yaml_below_the_path_is_applied() {
    let (paths, left_out, notes) = seen(
        &json!({"path": "deploy"}),
        &[
            ("deploy/a.yaml", MAP),
            ("deploy/sub/b.yml", MAP),
            ("deploy/readme.md", "x"),
            ("deploy/c.json", "{}"),
            ("deploy-old/d.yaml", MAP),
        ],
    );
    assert_eq!(paths, ["deploy/a.yaml", "deploy/sub/b.yml"]);
    assert_eq!((left_out, notes.len()), (3, 0));
}

#[test]
fn a_folder_with_a_kustomization_file_of_its_own_is_entered_by_it_only() {
    let (paths, left_out, _) = seen(
        &json!({}),
        &[
            ("a.yaml", MAP),
            ("sub/kustomization.yml", &overlay("resources: [b.yaml]\n")),
            ("sub/b.yaml", MAP),
            ("sub/c.yaml", MAP),
            ("sub/deep/d.yaml", MAP),
            ("sub-2/e.yaml", MAP),
        ],
    );
    assert_eq!(paths, ["a.yaml", "sub-2/e.yaml", "sub/b.yaml", "sub/kustomization.yml"]);
    assert_eq!(left_out, 2);
}

#[test]
fn everything_that_kustomization_files_name_is_followed_also_out_of_the_path() {
    let top = overlay(
        "resources: [../base, one.yaml]\ncomponents: [../part]\n\
         patches:\n- path: patch.yaml\n- patch: |\n    kind: X\n\
         patchesStrategicMerge:\n- merge.yaml\n- |\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: inline\n\
         configMapGenerator:\n- name: c\n  files: [key=files/a.txt]\n  envs: [files/b.env]\n\
         secretGenerator:\n- name: s\n  env: files/c.env\n\
         replacements:\n- path: replace.yaml\nconfigurations: [conf.yaml]\ncrds: [crd.json]\nopenapi:\n  path: api.json\n",
    );
    let named = [
        "app/one.yaml",
        "app/patch.yaml",
        "app/merge.yaml",
        "app/files/a.txt",
        "app/files/b.env",
        "app/files/c.env",
        "app/replace.yaml",
        "app/conf.yaml",
        "app/crd.json",
        "app/api.json",
        "base/x.yaml",
        "part/y.yaml",
    ];
    let base = overlay("bases: [../base2]\nresources: [x.yaml]\n");
    let part = overlay("resources: [y.yaml]\n");
    let mut files: Vec<(&str, &str)> = named.iter().map(|path| (*path, MAP)).collect();
    files.extend([("app/kustomization.yaml", &*top), ("base/kustomization.yaml", &*base)]);
    files.extend([
        ("part/Kustomization", &*part),
        ("base2/kustomization.yaml", "resources: []"),
        ("other.yaml", MAP),
    ]);
    let (paths, left_out, notes) = seen(&json!({"path": "app"}), &files);
    assert_eq!(left_out, 1, "{paths:?}");
    assert_eq!(notes, ["5 files outside of spec.path are used too, from \"base\" and 2 more folders"]);
}

#[test]
fn a_cycle_ends() {
    let (paths, ..) = seen(
        &json!({"path": "a"}),
        &[
            ("a/kustomization.yaml", "resources: [../b]"),
            ("b/kustomization.yaml", "resources: [../a, ../b, .]"),
        ],
    );
    assert_eq!(paths, ["a/kustomization.yaml", "b/kustomization.yaml"]);
}

#[test]
fn a_path_that_is_not_there_and_what_is_not_in_the_artifact_is_said() {
    let (paths, left_out, notes) = seen(&json!({"path": "./deploy"}), &[("a.yaml", MAP)]);
    assert_eq!((paths.len(), left_out), (0, 1));
    assert_eq!(notes, ["spec.path \"deploy\" is not in the artifact: Flux would fail"]);
    let (_, _, notes) = seen(
        &json!({}),
        &[(
            "kustomization.yaml",
            "resources:\n- gone.yaml\n- https://example.com/x.yaml\n- ../../etc/passwd\n",
        )],
    );
    assert_eq!(
        notes,
        [
            "kustomization.yaml:2 (resources[0]) names \"gone.yaml\", which is not there: Flux would fail",
            "kustomization.yaml:3 (resources[1]) names \"https://example.com/x.yaml\", which is not in the artifact but \
         remote: what it holds is not compared",
            "kustomization.yaml:4 (resources[2]) names \"../../etc/passwd\", which lies outside of the artifact: Flux \
         would fail",
        ]
    );
}

#[test]
fn a_kustomization_file_that_cannot_be_read_takes_its_whole_folder_along() {
    let (paths, _, notes) = seen(&json!({}), &[("kustomization.yaml", "resources: [\n"), ("a.yaml", MAP)]);
    assert_eq!(paths, ["a.yaml", "kustomization.yaml"]);
    assert!(notes[0].starts_with("kustomization.yaml cannot be read: line "), "{notes:?}");
}

#[test]
fn components_of_the_spec_are_part_of_it_unless_they_may_be_missing_and_are() {
    let files: [(&str, &str); 3] =
        [("app/a.yaml", MAP), ("part/kustomization.yaml", "resources: [b.yaml]"), ("part/b.yaml", MAP)];
    let (paths, ..) = seen(&json!({"path": "app", "components": ["../part"]}), &files);
    assert_eq!(paths.len(), 3);
    let (.., notes) = seen(&json!({"path": "app", "components": ["../gone"]}), &files);
    assert_eq!(notes, ["spec.components[0] names \"../gone\", which is not there: Flux would fail"]);
    let spec = json!({"path": "app", "components": ["../gone"], "ignoreMissingComponents": true});
    assert!(seen(&spec, &files).2.is_empty());
}

#[test]
fn a_release_sees_its_chart() {
    let chart = side(&[
        ("podinfo/Chart.yaml", "name: podinfo"),
        ("podinfo/charts/sub/Chart.yaml", "name: sub"),
        ("podinfo/values.yaml", ""),
        ("index.txt", ""),
    ]);
    let seen = consumer("HelmRelease", &json!({})).look(&chart);
    assert_eq!((seen.side.files.len(), seen.left_out), (3, 1));
    let none = consumer("HelmRelease", &json!({})).look(&side(&[("a.yaml", MAP)]));
    assert_eq!(none.notes, ["there is no Chart.yaml: a HelmRelease cannot use this artifact"]);
}

// ---- values

fn config(kind: ConfigKind, name: &str, data: &[(&str, &str)]) -> (ConfigRef, Result<Config, Problem>) {
    let data = data.iter().map(|(key, text)| ((*key).into(), text.as_bytes().to_vec())).collect();
    (ConfigRef { kind, namespace: "shop".into(), name: name.into() }, Ok(Config(data)))
}

fn filled(spec: &Value, answers: &[(ConfigRef, Result<Config, Problem>)]) -> ReleaseLens {
    let mut lens = consumer("HelmRelease", spec);
    lens.fill(answers);
    match lens {
        Lens::Release(lens) => *lens,
        other => panic!("{other:?}"),
    }
}

use ConfigKind::{ConfigMap, Secret};

#[test]
fn what_values_from_names_is_merged_in_its_order_and_under_the_values_of_the_spec() {
    let spec = json!({
        "values": {"a": {"x": 3}},
        "valuesFrom": [{"kind": "ConfigMap", "name": "one"}, {"kind": "Secret", "name": "two", "valuesKey": "v"}],
    });
    let one = config(ConfigMap, "one", &[("values.yaml", "a: {x: 1, w: 1}\nb: [1, 2]\nc: 1\n")]);
    let two = config(Secret, "two", &[("v", "a: {z: 2}\nb: [3]\nc: null\n")]);
    let lens = filled(&spec, &[one, two]);
    assert_eq!(lens.values, json!({"a": {"x": 3, "w": 1, "z": 2}, "b": [3], "c": null}));
    for (path, secret) in [
        (vec!["a", "z"], true),
        (vec!["a"], true),
        (vec!["b"], true),
        (vec!["c"], true),
        (vec!["a", "w"], false),
        (vec!["a", "x"], false),
        (vec!["d"], false),
    ] {
        assert_eq!(lens.from_secrets.covers(&path), secret, "{path:?}");
    }
}

#[test]
fn what_the_spec_says_after_a_secret_is_no_secret() {
    let spec = json!({"values": {"a": {"x": 3}}, "valuesFrom": [{"kind": "Secret", "name": "one"}]});
    let lens = filled(&spec, &[config(Secret, "one", &[("values.yaml", "a: {x: 1}")])]);
    assert!(lens.from_secrets.is_empty());
}

#[test]
fn secrets_are_asked_for_only_when_that_was_asked() {
    let spec = json!({"valuesFrom": [
        {"kind": "Secret", "name": "s"}, {"kind": "ConfigMap", "name": "c"}, {"kind": "ConfigMap", "name": "c"},
    ]});
    let lens = consumer("HelmRelease", &spec);
    let names = |asked| lens.needs(asked).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(false), ["ConfigMap shop/c"]);
    assert_eq!(names(true), ["ConfigMap shop/c", "Secret shop/s"]);
    let filled = filled(&spec, &[config(ConfigMap, "c", &[("values.yaml", "")])]);
    assert_eq!(filled.values_from[0].state, ValuesState::NotRead);
    assert!(Lens::Release(Box::new(filled)).is_blind());
}

#[test]
fn what_is_missing_is_absent_if_it_is_optional_and_a_failure_otherwise() {
    let spec = json!({"valuesFrom": [
        {"kind": "ConfigMap", "name": "gone", "optional": true},
        {"kind": "ConfigMap", "name": "keyless", "optional": true},
        {"kind": "ConfigMap", "name": "keyless"},
        {"kind": "ConfigMap", "name": "gone"},
        {"kind": "ConfigMap", "name": "broken"},
        {"kind": "Secret", "name": "forbidden", "optional": true},
    ]});
    let gone = |name: &str, kind, cause| {
        (
            ConfigRef { kind, namespace: "shop".into(), name: name.into() },
            Err(Problem::new(cause, "read", "no")),
        )
    };
    let lens = filled(
        &spec,
        &[
            gone("gone", ConfigMap, Cause::NotFound),
            config(ConfigMap, "keyless", &[("other", "")]),
            config(ConfigMap, "broken", &[("values.yaml", "- 1\n")]),
            gone("forbidden", Secret, Cause::Forbidden),
        ],
    );
    let states: Vec<String> = lens
        .values_from
        .iter()
        .map(|from| match &from.state {
            ValuesState::Failed(problem) => problem.to_string(),
            state => format!("{state:?}"),
        })
        .collect();
    assert_eq!(
        states,
        [
            "Absent",
            "Absent",
            "NoKey",
            "Missing",
            "take key \"values.yaml\" of ConfigMap shop/broken as values: it is not a map",
            "read: no",
        ]
    );
}

#[test]
fn what_is_not_known_of_the_values_says_why_and_each_object_once() {
    let entry = |kind: &str, name: &str| json!({"kind": kind, "name": name});
    let spec = json!({"valuesFrom": [
        entry("Secret", "shut"), entry("Secret", "other"), entry("Secret", "shut"), entry("ConfigMap", "gone"),
        entry("ConfigMap", "keyless"), entry("ConfigMap", "broken"),
        {"kind": "ConfigMap", "name": "may-miss", "optional": true},
    ]});
    let problem = |kind, name: &str, cause, why: &str| {
        let config = ConfigRef { kind, namespace: "shop".into(), name: name.into() };
        let problem = Problem::new(cause, format!("read {config}"), why).with_hint("the verb get is missing");
        (config, Err(problem))
    };
    let open = [
        problem(ConfigMap, "gone", Cause::NotFound, "404"),
        problem(ConfigMap, "may-miss", Cause::NotFound, "404"),
        config(ConfigMap, "keyless", &[("other", "")]),
        config(ConfigMap, "broken", &[("values.yaml", "- 1\n")]),
    ];
    let release = |answers: &[_]| Lens::Release(Box::new(filled(&spec, answers)));
    let unasked = release(&open);
    let rest = [
        "valuesFrom: ConfigMap shop/gone is not there: helm-controller would fail on that, it is not optional",
        "valuesFrom: ConfigMap shop/keyless has no key \"values.yaml\": helm-controller would fail on that, it is not \
         optional",
        "valuesFrom: could not take key \"values.yaml\" of ConfigMap shop/broken as values: it is not a map",
    ];
    let asks = "valuesFrom: Secret shut and Secret other were not read: Shift-V or --read-secrets reads what they say";
    assert_eq!(unasked.unread_notes(), [&[asks], &rest[..]].concat());
    let mut answers = vec![
        problem(Secret, "shut", Cause::Forbidden, "403 Forbidden"),
        config(Secret, "other", &[("values.yaml", "a: hunter2")]),
    ];
    answers.extend(open);
    let asked = release(&answers);
    let forbidden = "valuesFrom: could not read Secret shop/shut: 403 Forbidden (the verb get is missing)";
    assert_eq!(asked.unread_notes(), [&[forbidden], &rest[..]].concat());
    let Lens::Release(asked) = asked else { panic!("{asked:?}") };
    assert_eq!(
        asked.unread_names(),
        [
            "Secret shut (forbidden)",
            "ConfigMap gone (not there)",
            "ConfigMap keyless (without the key)",
            "ConfigMap broken (unreadable)"
        ]
    );
    let words: Vec<&str> = asked.values_from.iter().map(|from| from.state.word()).collect();
    assert_eq!(words, ["forbidden", "read", "forbidden", "not-found", "no-key", "unreadable", "absent"]);
}

#[test]
fn it_is_said_with_which_values_it_was_looked() {
    let spec = json!({"valuesFrom": [
        {"kind": "ConfigMap", "name": "open"}, {"kind": "Secret", "name": "one"},
        {"kind": "Secret", "name": "two"},
    ]});
    let open = || config(ConfigMap, "open", &[("values.yaml", "")]);
    let secret = |name: &str| config(Secret, name, &[("values.yaml", "")]);
    let words = |answers: &[_]| Lens::Release(Box::new(filled(&spec, answers))).values_words();
    assert_eq!(words(&[open()]), Some("without the Secrets of valuesFrom"));
    assert_eq!(words(&[open(), secret("one")]), Some("not all of valuesFrom was read"));
    assert_eq!(words(&[open(), secret("one"), secret("two")]), Some("with the Secrets of valuesFrom"));
    assert_eq!(words(&[secret("one"), secret("two")]), Some("not all of valuesFrom was read"));
    assert_eq!(consumer("HelmRelease", &json!({})).values_words(), None);
}

#[test]
fn what_a_secret_holds_is_in_no_failure() {
    let spec = json!({"valuesFrom": [{"kind": "Secret", "name": "s"}]});
    let lens = filled(&spec, &[config(Secret, "s", &[("values.yaml", "hunter2: [\n")])]);
    assert!(!format!("{:?}", lens.values_from[0].state).contains("hunter2"));
}

#[test]
fn what_a_secret_said_is_not_in_what_was_rendered() {
    let spec =
        json!({"valuesFrom": [{"kind": "Secret", "name": "s"}], "values": {"open": "word-of-the-spec"}});
    let said = "password: \"hunter22'\\\"x\"\nuser: postgres\nlist: [item-one]\nkey: |\n  -----BEGIN\n  abcdef\nshort: ab\n";
    let lens = filled(&spec, &[config(Secret, "s", &[("values.yaml", said)])]);
    let rendered = "kind: A\nmetadata:\n  name: postgres\n  labels: {app: postgres}\ndata:\n  a: 'hunter22''\"x'\n  \
                    b: \"hunter22'\\\"x\"\n  c: word-of-the-spec ab item-one\n  d: |\n    -----BEGIN\n    abcdef\n  e: \
                    x-cG9zdGdyZXM=\n";
    let covered = lens.covered(rendered.into());
    assert_eq!(
        std::str::from_utf8(&covered).unwrap(),
        "kind: A\nmetadata:\n  name: (hidden-4)\n  labels: {app: (hidden-4)}\ndata:\n  a: '(hidden-3)'\n  b: \
         \"(hidden-3)\"\n  c: word-of-the-spec ab (hidden-2)\n  d: |\n    (hidden)\n    (hidden-5)\n  e: x-(hidden-9)\n"
    );
}

#[test]
fn names_with_what_a_secret_said_are_covered_and_stay_told_apart() {
    let spec = json!({"valuesFrom": [{"kind": "Secret", "name": "s"}], "targetNamespace": "production"});
    let said = "a: hunter2-secret\nb: other-secret\nc: hidden\nd: production\ne: Deployment\nf: 123456\n";
    let lens = filled(&spec, &[config(Secret, "s", &[("values.yaml", said)])]);
    let rendered = "apiVersion: v1\nkind: Deployment\nmetadata:\n  name: z-hunter2-secret\n  namespace: production\n---\n\
                    metadata:\n  name: z-other-secret\n  namespace: other-secret\nspec:\n- name: 'hidden'\n- name: n-123456\n\
                    hunter2-secret: a\nother-secret: b\nstage: production\n";
    let covered = lens.covered(rendered.into());
    assert_eq!(
        std::str::from_utf8(&covered).unwrap(),
        "apiVersion: v1\nkind: Deployment\nmetadata:\n  name: z-(hidden)\n  namespace: production\n---\n\
         metadata:\n  name: z-(hidden-2)\n  namespace: (hidden-2)\nspec:\n- name: '(hidden-3)'\n- name: n-(hidden-6)\n\
         (hidden): a\n(hidden-2): b\nstage: (hidden-4)\n"
    );
    assert_eq!(lens.covered_words("hidden is not hunter2-secret"), "(hidden-3) is not (hidden)");
    assert!(lens.cover_note().is_some_and(|note| note.contains("shorter than 5 characters")));
    assert_eq!(filled(&json!({}), &[]).cover_note(), None);
}

/// A target path, what is there before, the value, and what becomes of it.
type Set = (&'static str, &'static str, &'static str, Value);

#[test]
fn a_target_path_is_read_as_helm_reads_set() {
    let cases: &[Set] = &[
        ("a.b", "{}", "x", json!({"a": {"b": "x"}})),
        ("a.b", "{a: {c: 1}}", "2", json!({"a": {"b": 2, "c": 1}})),
        (r"a\.b/c", "{}", "true", json!({"a.b/c": true})),
        ("a[1].b", "{}", "x", json!({"a": [null, {"b": "x"}]})),
        ("a[0]", "{a: [1, 2]}", "null", json!({"a": [null, 2]})),
        ("a[0][1]", "{}", "x", json!({"a": [[null, "x"]]})),
        ("a", "{}", "'12'", json!({"a": "12"})),
        ("a", "{}", "\"true\"", json!({"a": "true"})),
        ("a", "{}", "012", json!({"a": "012"})),
        ("a", "{}", "0", json!({"a": 0})),
        ("a", "{}", "-7", json!({"a": -7})),
        ("a", "{}", "1.5", json!({"a": "1.5"})),
        ("a", "{}", "", json!({"a": ""})),
        ("a", "{}", "x,b=y", json!({"a": "x", "b": "y"})),
        ("a", "{}", "{x,y}", json!({"a": ["x", "y"]})),
        ("a", "{}", r"x\,y", json!({"a": "x,y"})),
        ("a", "{}", "line\nbreak", json!({"a": "line\nbreak"})),
    ];
    for (path, before, value, after) in cases {
        let spec = json!({"valuesFrom": [
            {"kind": "ConfigMap", "name": "before"}, {"kind": "ConfigMap", "name": "c", "targetPath": path},
        ]});
        let before = config(ConfigMap, "before", &[("values.yaml", before)]);
        let lens = filled(&spec, &[before, config(ConfigMap, "c", &[("values.yaml", value)])]);
        assert_eq!(lens.values, *after, "{path}={value}: {:?}", lens.values_from[1].state);
    }
}

#[test]
fn a_literal_is_taken_as_it_is() {
    let spec = json!({"valuesFrom": [
        {"kind": "ConfigMap", "name": "c", "targetPath": r"a\.b.c", "literal": true},
    ]});
    let text = r#"{"a": [1, "x=\y"]}, true"#;
    let lens = filled(&spec, &[config(ConfigMap, "c", &[("values.yaml", text)])]);
    assert_eq!(lens.values, json!({"a.b": {"c": text}}));
}

#[test]
fn a_target_path_that_does_not_fit_is_a_failure_with_its_reason() {
    for (path, value, why) in [
        ("a.b", "x", "what is there is no map"),
        ("a[0]", "x", "what is there is no list"),
        ("b[-1]", "x", "a negative index is not allowed"),
        ("b[x]", "x", "error parsing index"),
        ("b[70000]", "x", "index of 70000 is greater than 65536"),
        ("b", "{x", "list must terminate with '}'"),
        ("b", "x,y", "a key has no value"),
        ("b", &format!("x,c{}=1", "[0]".repeat(100_000)), "it is nested too deep"),
        (
            "b",
            &format!("x{}", (0..100).fold(String::new(), |all, n| format!("{all},c{n}[65536]=1"))),
            "its lists are too long",
        ),
    ] {
        let spec = json!({"values": {"a": 1}, "valuesFrom": [{"kind": "ConfigMap", "name": "c", "targetPath": path}]});
        let lens = filled(&spec, &[config(ConfigMap, "c", &[("values.yaml", value)])]);
        let ValuesState::Failed(problem) = &lens.values_from[0].state else { panic!("{path}") };
        assert_eq!(problem.why, why, "{path}={value}");
    }
}

/// helm-controller merges `spec.values` again after a target path was set: below a map that only the spec has, both are
/// the same map, and what was set stays; elsewhere the spec wins.
#[test]
fn a_target_path_stands_over_the_values_of_the_spec_only_where_go_shares_the_map() {
    let spec = |values: Value, path: &str| json!({"values": values, "valuesFrom": [{"kind": "ConfigMap", "name": "c", "targetPath": path}]});
    let two = || config(ConfigMap, "c", &[("values.yaml", "2")]);
    assert_eq!(filled(&spec(json!({"a": {"b": 1}}), "a.b"), &[two()]).values, json!({"a": {"b": 2}}));
    assert_eq!(filled(&spec(json!({"a": 1}), "a"), &[two()]).values, json!({"a": 1}));
}

/// Numbers as the other side reads them.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

#[test]
fn values_are_composed_as_helm_controller_was_seen_to_compose_them() {
    let observed: Value = serde_json::from_str(include_str!("fixtures/values_observed.json")).unwrap();
    let mut wrong = Vec::new();
    for case in observed["cases"].as_array().unwrap() {
        let mut spec = json!({"values": case["values"], "valuesFrom": []});
        let mut answers = Vec::new();
        for (place, from) in case["from"].as_array().unwrap().iter().enumerate() {
            let name = format!("c{place}");
            answers.push(config(ConfigMap, &name, &[("values.yaml", from["value"].as_str().unwrap())]));
            let entry = json!({
                "kind": "ConfigMap", "name": name, "targetPath": from["path"], "literal": from["literal"],
            });
            spec["valuesFrom"].as_array_mut().unwrap().push(entry);
        }
        let lens = filled(&spec, &answers);
        let fails = lens.values_from.iter().any(|from| matches!(from.state, ValuesState::Failed(_)));
        let same = case["fails"] == true || plain(&lens.values) == plain(&case["merged"]);
        if fails != (case["fails"] == true) || !same {
            wrong.push(format!("{case}\n  here: fails {fails}, {}", lens.values));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

// ---- what is handed to a tool

fn planned(spec: &Value, files: &[(&str, &str)]) -> Result<String, Problem> {
    let plan = kustomization(spec).plan(&side(files))?;
    let mut out = String::new();
    for (path, bytes) in &plan.files {
        let _ = write!(out, "{path}: {}", String::from_utf8_lossy(bytes));
    }
    Ok(out)
}

#[test]
fn what_is_remote_or_runs_a_program_is_not_rendered_and_the_place_is_said() {
    let plugin = "generators:\n- |\n  apiVersion: example.com/v1\n  kind: Fetch\n  metadata:\n    name: x\n";
    let function = "transformers:\n- |\n  apiVersion: builtin\n  kind: LabelTransformer\n  metadata:\n    name: x\n    \
                    annotations:\n      config.kubernetes.io/function: 'exec: {path: ./run}'\n";
    let charts = "generators:\n- |\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata:\n    name: x\n";
    let cases: &[(&str, &str)] = &[
        (
            "resources:\n- https://example.com/a.yaml\n",
            "kustomization.yaml:2 (resources[0]) names \"https://example.com/a.yaml\"",
        ),
        ("resources:\n- github.com/a/b?ref=v1\n", "kustomization.yaml:2 (resources[0]) names"),
        ("RESOURCES:\n- git::x.org/a\n", "kustomization.yaml:2 (resources[0]) names"),
        ("reſources:\n- ssh://x.org/a\n", "kustomization.yaml:2 (resources[0]) names"),
        ("bases: ['git@github.com:a/b']\n", "kustomization.yaml:1 (bases[0]) names"),
        ("components: [file:///etc]\n", "kustomization.yaml:1 (components[0]) names"),
        ("patches:\n- path: HTTPS://x.org/p\n", "kustomization.yaml:2 (patches[0].path) names"),
        (
            "patchesStrategicMerge:\n- 'http://x.org/a: b'\n",
            "kustomization.yaml:2 (patchesStrategicMerge[0]) names",
        ),
        (
            "configMapGenerator:\n- name: a\n  files: ['k=https://x.org']\n",
            "kustomization.yaml:3 (configMapGenerator[0].files[0])",
        ),
        ("openapi: {path: https://x.org}\n", "kustomization.yaml:1 (openapi.path) names"),
        (
            "resources: [/etc/passwd]\n",
            "kustomization.yaml:1 (resources[0]) names \"/etc/passwd\", which lies outside",
        ),
        (
            "resources: [../x.yaml]\n",
            "kustomization.yaml:1 (resources[0]) names \"../x.yaml\", which lies outside",
        ),
        ("crds: [gone.yaml]\n", "kustomization.yaml:1 (crds[0]) names \"gone.yaml\", which is not there"),
        ("helmCharts:\n- name: x\n", "kustomization.yaml (helmCharts[0]) renders Helm charts"),
        (
            "helmChartInflationGenerator:\n- chartName: x\n",
            "kustomization.yaml (helmChartInflationGenerator[0])",
        ),
        (plugin, "kustomization.yaml (generators[0]) runs the plugin \"example.com/v1 Fetch\""),
        (function, "kustomization.yaml (transformers[0]) runs the plugin \"builtin LabelTransformer\""),
        (charts, "kustomization.yaml (generators[0]) renders Helm charts"),
    ];
    for (text, place) in cases {
        let problem = planned(&json!({}), &[("kustomization.yaml", text)]).unwrap_err();
        assert_eq!(problem.cause, Cause::Refused, "{text}");
        assert!(problem.why.starts_with(place), "{text}: {}", problem.why);
    }
}

#[test]
fn what_a_base_or_the_configuration_of_a_plugin_reaches_for_counts_as_well() {
    let base = planned(
        &json!({"path": "app"}),
        &[
            ("app/kustomization.yaml", "resources: [../base]"),
            ("base/kustomization.yaml", "resources: [github.com/a/b]"),
        ],
    );
    assert!(base.unwrap_err().why.starts_with("base/kustomization.yaml:1 (resources[0])"));
    let config = "apiVersion: builtin\nkind: PatchTransformer\nmetadata:\n  name: x\npath: https://x.org/p\n";
    let patch = planned(&json!({}), &[("kustomization.yaml", "transformers: [t.yaml]"), ("t.yaml", config)]);
    assert!(patch.unwrap_err().why.starts_with("t.yaml:5 (path) names \"https://x.org/p\""));
    let config = "apiVersion: example.com/v1\nkind: Run\nmetadata:\n  name: x\n";
    let folder = planned(
        &json!({}),
        &[
            ("kustomization.yaml", "validators: [v]"),
            ("v/kustomization.yaml", "resources: [run.yaml]"),
            ("v/run.yaml", config),
        ],
    );
    assert!(folder.unwrap_err().why.starts_with("v/run.yaml runs the plugin \"example.com/v1 Run\""));
}

#[test]
fn a_remote_component_of_the_spec_is_not_rendered_either() {
    let problem = planned(&json!({"components": ["https://x.org/c"]}), &[("a.yaml", MAP)]).unwrap_err();
    assert!(problem.why.starts_with("spec.components[0] names"), "{}", problem.why);
}

#[test]
fn tools_read_the_kustomization_file_as_it_was_judged_with_the_spec_in_it() {
    let text = "resources: [a.yaml]\nReSources: [a.yaml]\nunknown: 1\nimages:\n- name: app\n  newTag: '1'\n  digest: sha256:0\n";
    let spec = json!({
        "targetNamespace": "apps",
        "images": [{"name": "app", "newTag": "2"}, {"name": "other", "newName": "x"}],
        "patches": [{"patch": "p", "target": {"kind": "Pod"}, "path": "/etc/passwd"}],
        "commonMetadata": {"labels": {"a": "b"}},
    });
    let plan =
        planned(&spec, &[("kustomization.yaml", text), ("a.yaml", MAP), ("unused.yaml", "x")]).unwrap();
    assert!(!plan.contains("unused") && !plan.contains("unknown") && !plan.contains("passwd"), "{plan}");
    let (_, json) = plan.split_once("kustomization.yaml: ").unwrap();
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["namespace"], "apps");
    assert_eq!(
        json["images"],
        json!([
            {"name": "app", "newTag": "2", "digest": ""}, {"name": "other", "newName": "x"},
        ])
    );
    assert_eq!(json["patches"], json!([{"patch": "p", "target": {"kind": "Pod"}}]));
    assert!(json["transformers"][0].as_str().unwrap().contains("LabelTransformer"));
}

#[test]
fn labels_and_annotations_are_texts_however_they_are_called() {
    let text = "resources: [a.yaml]\ncommonLabels: {count: 1, create: true}\ncommonAnnotations: {index: 1.50}\n\
                labels:\n- includeSelectors: true\n  pairs: {immutable: no}\nreplicas:\n- {name: a, count: 3}\n";
    let plan = planned(&json!({}), &[("kustomization.yaml", text), ("a.yaml", MAP)]).unwrap();
    let (_, json) = plan.split_once("kustomization.yaml: ").unwrap();
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["commonLabels"], json!({"count": "1", "create": "true"}));
    assert_eq!(json["commonAnnotations"], json!({"index": "1.5"}));
    assert_eq!(json["labels"], json!([{"includeSelectors": true, "pairs": {"immutable": "false"}}]));
    assert_eq!(json["replicas"], json!([{"name": "a", "count": 3}]));
}

#[test]
fn without_a_kustomization_file_one_is_written_that_names_what_flux_would() {
    let plan = planned(
        &json!({"path": "d"}),
        &[("d/a.yaml", MAP), ("d/s/kustomization.yaml", "resources: [b.yaml]"), ("d/s/b.yaml", MAP)],
    );
    assert!(plan.unwrap().contains(r#"d/kustomization.yaml: {"resources":["./a.yaml","./s"]"#));
    let empty = planned(&json!({}), &[("readme.md", "")]).unwrap();
    assert!(empty.contains(r#""namespace":"_placeholder""#), "{empty}");
}

#[test]
fn values_files_stand_in_for_the_defaults_of_the_chart() {
    let files = [
        ("Chart.yaml", "name: c"),
        ("values.yaml", "a: 1\n"),
        ("one.yaml", "b: {x: 1}\n"),
        ("two.yaml", "b: {z: 2}\n"),
    ];
    let spec = json!({"chart": {"spec": {"valuesFiles": ["one.yaml", "./two.yaml"]}}});
    let plan = release(&spec).plan(&side(&files)).unwrap();
    let (_, values) = plan.files.iter().find(|(path, _)| &**path == "values.yaml").unwrap();
    assert_eq!(serde_json::from_slice::<Value>(values).unwrap(), json!({"b": {"x": 1, "z": 2}}));
}

#[test]
fn schemas_are_checked_only_if_that_fetches_nothing() {
    let checked = |schema: &str, more: Option<(&str, &str)>| {
        let mut files = vec![("Chart.yaml", "name: c"), ("values.schema.json", schema)];
        files.extend(more);
        release(&json!({})).plan(&side(&files)).unwrap()
    };
    let draft = "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"$ref\": \"#/definitions/a\"}";
    assert!(checked(draft, None).checks_schema);
    for far in [
        "{\"properties\": {\"a\": [{\"$ref\": \"https://example.com/a.json\"}]}}",
        "{\"$ref\": \"file:///etc/passwd\"}",
        "{\"$schema\": \"https://example.com/draft\"}",
        "{",
    ] {
        let plan = checked(far, None);
        assert!(!plan.checks_schema, "{far}");
        assert!(
            plan.notes.contains(&"values are not checked against the chart's values.schema.json".to_owned())
        );
    }
    assert!(!checked(draft, Some(("charts/sub-1.0.0.tgz", ""))).checks_schema, "nobody looked into it");
}

#[test]
fn what_a_rendering_cannot_know_is_said() {
    let files = [
        ("Chart.yaml", "name: c"),
        ("templates/tls.yaml", "{{ genCA \"x\" 1 }}"),
        ("templates/old.yaml", "{{ lookup \"v1\" \"Secret\" \"a\" \"b\" }}"),
    ];
    let notes = release(&json!({})).plan(&side(&files)).unwrap().notes;
    assert_eq!(
        notes,
        [
            "which APIs the cluster serves is not known to the templates",
            "\"templates/tls.yaml\" makes values of chance or of the time: they differ in every rendering",
            "\"templates/old.yaml\" looks into the cluster, which is not there while it is rendered",
        ]
    );
}
