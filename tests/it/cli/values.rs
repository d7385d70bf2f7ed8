//! `diff` for a HelmRelease whose values come from elsewhere: what is said of those that were not read, and that nothing
//! of those that were is printed.

use super::{
    Ran,
    diff::{Desk, external, run_with},
    fake::{Fake, id},
};
use crate::render::Bench;
use fluxscope::{
    cli::output::{Surroundings, Terminals},
    domain::{
        identity::Kind,
        lens::{Config, ConfigKind, ConfigRef},
        problem::{Cause, Problem},
    },
    render::Limits,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Prints the templates with two values in them, as Helm would.
const HELM: &str = "if [ \"$1\" = version ]; then echo v4.2.2+g1; exit; fi\n\
                    sed -e 's/ONE/hunter2-secret/' -e 's/TWO/other-secret/' templates/all.yaml";

/// `content`: what its templates say.
fn chart(version: &str, content: &str) -> Vec<(&'static str, String)> {
    let map = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: z-{name}\n  namespace: {name}\ndata:\n  {name}: {content}\n---\n"
        )
    };
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: ONE\n    image: acme/web:{content}\n"
    );
    vec![
        ("web/Chart.yaml", format!("apiVersion: v2\nname: web\nversion: {version}\n")),
        ("web/templates/all.yaml", [map("ONE"), map("TWO"), pod].concat()),
    ]
}

fn texts<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    files.iter().map(|(path, text)| (*path, &**text)).collect()
}

/// `secret`: what the API server says to whoever reads the Secret.
async fn diff(options: &str, secret: Result<&str, Problem>, surroundings: Surroundings) -> Ran {
    let desk = Desk::with(&texts(&chart("1.0.0", "1.0.0")), &texts(&chart("1.1.0", "1.1.0")));
    ran(&desk, options, secret, surroundings).await
}

async fn ran(desk: &Desk, options: &str, secret: Result<&str, Problem>, surroundings: Surroundings) -> Ran {
    let raw = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"chartRef": {"kind": "OCIRepository", "name": "web"}, "valuesFrom": [
            {"kind": "Secret", "name": "shut"}, {"kind": "Secret", "name": "shut", "targetPath": "z"}]},
    });
    let config = ConfigRef { kind: ConfigKind::Secret, namespace: "shop".into(), name: "shut".into() };
    let held = secret.map(|text| Config([("values.yaml".into(), text.as_bytes().to_vec())].into()));
    let fake = Fake {
        raws: [(id(Kind::HelmRelease, "shop/web"), raw)].into(),
        configs: [(config, held)].into(),
        ..Fake::default()
    };
    let bench = Bench::new(&[("helm", HELM)]);
    let tools = Arc::new(bench.tools(Limits::default()));
    let line = desk.line(&format!("--consumer hr/web -n shop {options}"));
    run_with(&line, surroundings, Terminals::default(), fake, tools).await
}

async fn plain(options: &str, secret: Result<&str, Problem>) -> Ran {
    diff(options, secret, Surroundings::default()).await
}

const SAID: &str = "one: hunter2-secret\ntwo: other-secret\n";

#[tokio::test]
async fn what_secrets_say_is_in_no_name_of_any_format_and_names_stay_told_apart() {
    for format in ["text", "json", "yaml", "markdown"] {
        let ran = plain(&format!("--read-secrets --objects --impact -o {format}"), Ok(SAID)).await;
        let all = ran.out.clone() + &ran.err;
        assert_eq!(ran.code, 1, "{all}");
        assert!(!all.contains("hunter2") && !all.contains("other-secret"), "{format}: {all}");
        let unescaped = all.replace('\\', "");
        for word in [
            "z-(hidden)",
            "z-(hidden-2)",
            "container (hidden): acme/web 1.0.0",
            "with the Secrets of valuesFrom",
        ] {
            assert!(unescaped.contains(word), "{format}, {word}: {all}");
        }
        assert!(!all.contains("(valuesFrom not read)"), "{all}");
    }
    let document = plain("--read-secrets -o json", Ok(SAID)).await.json();
    let objects = document["objects"].as_array().unwrap();
    let names: Vec<(&Value, &Value, &Value)> =
        objects.iter().map(|object| (&object["change"], &object["namespace"], &object["name"])).collect();
    let changed = json!("changed");
    assert_eq!(
        names,
        [
            (&changed, &Value::Null, &json!("web")),
            (&changed, &json!("(hidden)"), &json!("z-(hidden)")),
            (&changed, &json!("(hidden-2)"), &json!("z-(hidden-2)")),
        ]
    );
    let ran = diff("--read-secrets --objects", Ok(SAID), external("cat-all.sh")).await;
    assert!(ran.out.contains("== TO/v1.ConfigMap.(hidden-2).z-(hidden-2)\n"), "{}", ran.out);
    assert!(!ran.out.contains("hunter2") && !ran.out.contains("other-secret"), "{}", ran.out);
}

#[tokio::test]
async fn secrets_that_nobody_asked_for_leave_a_mark_on_every_verdict() {
    let ran = plain("", Ok(SAID)).await;
    let tier = "built, both sides rendered by helm v4.2.2; without the Secrets of valuesFrom\n";
    let note = "valuesFrom: Secret shut was not read: Shift-V or --read-secrets reads what they say\n";
    assert!(ran.out.contains(tier) && ran.out.contains(note), "{}", ran.out);
    assert!(ran.out.contains("acme/web 1.0.0 → 1.1.0 (valuesFrom not read)\n"), "{}", ran.out);
    let document = plain("-o json", Ok(SAID)).await.json();
    let states: Vec<&Value> =
        document["valuesFrom"].as_array().unwrap().iter().map(|from| &from["state"]).collect();
    assert_eq!(states, ["not-asked", "not-asked"]);
}

#[tokio::test]
async fn a_secret_that_may_not_be_read_says_so_once_in_every_format() {
    for format in ["text", "json", "markdown"] {
        let forbidden = Problem::new(Cause::Forbidden, "read Secret shop/shut", "403 Forbidden");
        let ran = plain(&format!("--read-secrets -o {format}"), Err(forbidden)).await;
        let note = "valuesFrom: could not read Secret shop/shut: 403 Forbidden";
        assert_eq!(ran.out.matches(note).count(), 1, "{format}: {}", ran.out);
        if format == "json" {
            let from = ran.json()["valuesFrom"][1].clone();
            assert_eq!((&from["state"], &from["targetPath"]), (&json!("forbidden"), &json!("z")));
            assert_eq!(from["problem"]["why"], json!("403 Forbidden"));
        }
    }
    let gone = Problem::new(Cause::NotFound, "read Secret shop/shut", "404 Not Found");
    let ran = plain("--read-secrets", Err(gone)).await;
    let note =
        "valuesFrom: Secret shop/shut is not there: helm-controller would fail on that, it is not optional\n";
    assert!(ran.out.contains(note), "{}", ran.out);
}

#[tokio::test]
async fn what_was_rendered_without_all_values_is_not_called_the_same() {
    let desk = Desk::with(&texts(&chart("1.0.0", "a")), &texts(&chart("1.1.0", "a")));
    let plain = Surroundings::default;
    let ran_with = ran(&desk, "--objects --read-secrets", Ok(SAID), plain()).await;
    assert_eq!(ran_with.code, 0, "{}", ran_with.out);
    let without = ran(&desk, "--objects", Ok(SAID), plain()).await;
    assert_eq!(without.code, 2, "{}", without.out);
    assert!(without.err.contains("no object differs that was seen"), "{}", without.err);
}
