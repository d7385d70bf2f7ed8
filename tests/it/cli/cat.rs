//! `cat`: whose bytes are printed, how, and what is not printed without being asked for by name.

use super::{
    HOSTILE, Ran,
    fake::{Fake, Handle},
    is_safe, run, run_raw,
    sealed::{File, file, holding, opened, refused, with_layer},
};
use fluxscope::{cli::output::Terminals, domain::tree::Fate};
use std::sync::Arc;

const REF: &str = "oci://registry.test/a/b:1";
const TERMINAL: Terminals = Terminals { out: true, err: false };

async fn cat(files: Vec<File>, path: &str) -> Ran {
    run(holding(files), &format!("cat {REF} {path}")).await
}

async fn bytes_of(file: File, terminals: Terminals) -> Vec<u8> {
    let path = file.entry.path.to_string();
    let world = Handle(Arc::new(holding(vec![file])));
    let (code, out, err) = run_raw(&world, &format!("cat {REF} {path}"), terminals).await;
    assert_eq!(code, 0, "{err}");
    out
}

#[tokio::test]
async fn a_pipe_gets_the_bytes_and_a_terminal_text_that_cannot_act_on_it() {
    let bytes = [HOSTILE.as_bytes(), b"\xff\x00\tend"].concat();
    assert_eq!(bytes_of(file("a", bytes.clone()), Terminals::default()).await, bytes);
    let shown = String::from_utf8(bytes_of(file("a", bytes), TERMINAL).await).unwrap();
    assert!(is_safe(&shown), "{shown:?}");
    assert_eq!(shown, "bad\\x1b[2J\\u{202e}\\u{e0041}\\x9b31m\nsecond\\xff\\x00    end\n");
    assert_eq!(bytes_of(file("a", "a: b\n"), TERMINAL).await, b"a: b\n");
    assert_eq!(bytes_of(file("empty", ""), TERMINAL).await, b"");
}

#[tokio::test]
async fn a_path_may_begin_with_a_dot() {
    for path in ["deploy/a.yaml", "./deploy/a.yaml", "/deploy/a.yaml"] {
        assert_eq!(cat(vec![file("deploy/a.yaml", "a")], path).await.out, "a", "{path}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_names_the_nearest_and_exits_1() {
    let files = || vec![file("deploy/app.yaml", "a"), file("deploy/b.yaml", "b")];
    let ran = cat(files(), "app.yaml").await;
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.contains("app.yaml is not in layer 1 of 1") && ran.err.contains("try: deploy/app.yaml"),
        "{}",
        ran.err
    );
    let ran = cat(files(), "deploy/nothing-like-it").await;
    assert!(ran.code == 1 && ran.err.contains("try: what is in deploy/"), "{}", ran.err);
    let ran = cat(files(), "deploy").await;
    assert!(ran.code == 1 && ran.err.contains("deploy is a folder of 2 files"), "{}", ran.err);
    let cut = opened(files(), |tree| (tree.complete, tree.cut) = (false, Some("--max-entries".into())));
    let ran = run(with_layer(cut), &format!("cat {REF} z.yaml")).await;
    assert!(
        ran.code == 2 && ran.err.contains("--max-entries"),
        "it may be in what was not read: {}",
        ran.err
    );
}

const SECRET: &str = "kind: Secret\nstringData:\n  password: hunter2\n";

#[tokio::test]
async fn a_file_that_holds_a_secret_needs_to_be_revealed() {
    let json = r#"{"kind":"Secret","data":{"a":"aHVudGVyMg=="}}"#;
    let list = "kind: List\nitems:\n- kind: Secret\n  data: {a: aHVudGVyMg==}\n";
    let behind = format!("kind: ConfigMap\n---\n{SECRET}");
    let template = format!("{{{{- if .Values.on }}}}\n{SECRET}{{{{- end }}}}\n");
    let wide: Vec<u8> =
        [0xfeff].into_iter().chain(SECRET.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (name, bytes) in [
        ("s.yaml", SECRET.as_bytes().to_vec()),
        ("s.json", json.into()),
        ("list.yaml", list.into()),
        ("behind.yaml", behind.into()),
        ("templates/s.yaml", template.into()),
        ("no-ending", SECRET.into()),
        ("wide.yaml", wide),
    ] {
        let world = Handle(Arc::new(holding(vec![file(name, bytes.clone())])));
        let (code, out, err) = run_raw(&world, &format!("cat {REF} {name}"), Terminals::default()).await;
        assert_eq!((code, out.as_slice()), (2, &b""[..]), "{name}");
        assert!(
            err.contains(&format!("print {name}: it holds 1 secret value")) && err.contains("--reveal"),
            "{err}"
        );
        assert!(!err.contains("hunter2") && !err.contains("aHVudGVyMg"));
        let (code, out, _) =
            run_raw(&world, &format!("cat {REF} {name} --reveal"), Terminals::default()).await;
        assert_eq!((code, out), (0, bytes), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_a_kustomization_makes_a_secret_of_needs_to_be_revealed() {
    let kustomization = "secretGenerator:\n- name: a\n  files: [token.bin]\n  envs: [./prod.env]\n";
    let files = || {
        vec![
            file("app/kustomization.yaml", kustomization),
            file("app/prod.env", "TOKEN=hunter2\n"),
            file("app/token.bin", "\0hunter2"),
            file("prod.env", "TOKEN=open\n"),
        ]
    };
    for name in ["app/prod.env", "app/token.bin"] {
        let ran = cat(files(), name).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{name}");
        assert!(ran.err.contains("a kustomization puts it, or may put it, into a Secret"), "{}", ran.err);
        assert!(ran.err.contains("--reveal") && !ran.err.contains("hunter2"), "{}", ran.err);
    }
    assert_eq!(cat(files(), "app/prod.env --reveal").await.out, "TOKEN=hunter2\n");
    assert_eq!(cat(files(), "prod.env").await.out, "TOKEN=open\n");
}

#[tokio::test]
async fn what_sops_encrypted_and_what_only_points_to_a_secret_is_printed() {
    let sops = "kind: Secret\ndata:\n  a: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops:\n  mac: m\n";
    let points = "valuesFrom:\n- kind: Secret\n  name: values\n";
    for text in [sops, points] {
        assert_eq!(cat(vec![file("a.yaml", text)], "a.yaml").await.out, text);
    }
}

#[tokio::test]
async fn what_flux_makes_of_the_file_is_said_beside_it() {
    let ignored = cat(vec![file("a.png", "png").fate(Fate::Ignored, "*.png")], "a.png").await;
    assert_eq!((ignored.code, ignored.out.as_str()), (0, "png"));
    assert_eq!(ignored.err, "Flux does not store it (ignored): *.png\n");
    let emptied = cat(vec![file("h", "").hollow().fate(Fate::Emptied, "a hard link to a")], "h").await;
    assert_eq!((emptied.code, emptied.out.as_str()), (0, ""));
    assert_eq!(emptied.err, "Flux writes an empty file here: a hard link to a\n");
    let link = cat(vec![file("l", "").hollow().fate(Fate::Skipped, "a symbolic link to a")], "l").await;
    assert!(link.code == 1 && link.err.contains("a symbolic link to a"), "{}", link.err);
    let layer =
        opened(vec![file("a", "a")], |tree| tree.error = Some(refused("a name leads out", "tar contained")));
    let ran = run(with_layer(layer), &format!("cat {REF} a")).await;
    assert!(ran.code == 0 && ran.out == "a" && ran.err.contains("a name leads out"), "{}", ran.err);
}

#[tokio::test]
async fn without_a_layer_there_is_no_file() {
    let mut sealed = holding(vec![file("a", "a")]).sealed;
    sealed.artifact.as_mut().unwrap().taken = Err("no layers found in artifact".into());
    let world = Handle(Arc::new(Fake { sealed, ..Fake::default() }));
    let ran = super::run_on(&world, &format!("cat {REF} a")).await;
    assert!(ran.code == 2 && ran.err.contains("Flux would fail: no layers found in artifact"), "{}", ran.err);
    assert_eq!(super::run_on(&world, &format!("cat {REF} a --layer 1")).await.out, "a");
}
