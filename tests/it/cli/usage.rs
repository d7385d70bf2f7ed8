//! What is typed wrongly is refused before anything is asked, with words and exit code 2.

use super::{Ran, fake::Fake, run};
use fluxscope::cli::{self, args, output::Console};
use std::io::{self, Write};

async fn refused(line: &str, words: &str) {
    let ran: Ran = run(Fake::default(), line).await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
    assert!(ran.err.contains(words), "{line}: {}", ran.err);
}

#[tokio::test]
async fn bad_usage_names_what_is_wrong_and_exits_2() {
    refused("get pods", "there is no kind \"pods\"").await;
    refused("get pods", "ocirepo, helmrepo, hc, ea, ks, hr, sources, all").await;
    refused("get kustomizatoin", "did you mean ks?").await;
    refused("get gitrepo", "GitRepository is not listed").await;
    refused("get ks/a b", "one name at a time").await;
    refused("get ks a -l app=web", "cannot be used together").await;
    refused("get -l a=b=c", "not a label selector").await;
    refused("get ks -n a -A", "-n").await;
    refused("-n a get ks -A", "cannot be used together").await;
    refused("-n ../kube-system get ks", "not the name of a namespace").await;
    refused("get -o csv", "possible values: table, wide, json, yaml, name").await;
    refused("tags", "REPOSITORY").await;
    refused("tags ks/a", "names no repository").await;
    refused("tags oci://registry.test/a/b:1.0", "leave the tag").await;
    refused("tags oci://", "a repository name must be specified").await;
    refused("tags ocirepo/a -A", "use -n instead of -A").await;
    refused("tags hc/a --filter-regex x", "a HelmChart has no semverFilter").await;
    refused("reconcile ks", "needs KIND/NAME").await;
    refused("reconcile ks/a -A", "use -n instead of -A").await;
    refused("reconcile ks/a --timeout soon", "needs a duration").await;
    refused("--request-timeout -1s get", "").await;
    let commands = "get, tags, history, outdated, match, inspect, files, cat, pull, diff, cache, reconcile, version or completion";
    refused("", commands).await;
}

#[tokio::test]
async fn nothing_typed_reaches_the_terminal_unescaped() {
    for line in ["get a\u{1b}[2J", "get ks a\u{1b}[2J", "tags a\u{202e}/b", "reconcile ks/\u{9b}m"] {
        let ran = run(Fake::default(), line).await;
        assert!(ran.code == 2 && super::is_safe(&ran.err), "{:?}", ran.err);
    }
}

#[test]
fn kubectl_options_are_understood_on_both_sides_of_the_command() {
    let line = "--context a --cluster b --user c --as me --as-group x --as-group y --request-timeout 1m30s \
                --registry-ca f --insecure-registry h:1 --insecure-registry i get ks -n shop --demo";
    let typed = args::parse(super::words(line)).unwrap();
    let place = &typed.global.cluster;
    assert_eq!(place.context.as_deref(), Some("a"));
    assert_eq!(place.namespace.as_deref(), Some("shop"));
    assert_eq!(place.as_groups, ["x", "y"]);
    assert_eq!(place.request_timeout, Some(std::time::Duration::from_secs(90)));
    assert_eq!(typed.global.registry.insecure, ["h:1", "i"]);
    assert!(typed.global.program.demo && !typed.global.program.write);
}

#[test]
fn a_plugin_is_called_as_its_host_calls_it() {
    for (program, usage) in [
        ("/usr/bin/flux-scope", "Usage: flux scope get"),
        ("kubectl-fluxscope", "Usage: kubectl fluxscope get"),
        ("./fluxscope", "Usage: fluxscope get"),
    ] {
        let error = args::parse([program, "get", "--help"].map(Into::into)).unwrap_err();
        assert!(error.to_string().contains(usage), "{error}");
    }
}

#[tokio::test]
async fn help_version_and_completion_are_data_and_ask_nobody() {
    let ran = run(Fake::default(), "get --help").await;
    assert!(ran.code == 0 && ran.out.contains("fluxscope get ocirepo -A --newest") && ran.err.is_empty());
    let ran = run(Fake::default(), "version -o json").await;
    assert_eq!(ran.json()["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (ran.json()["apiVersion"].as_str(), ran.json()["kind"].as_str()),
        (Some("fluxscope/v1"), Some("Version"))
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(Fake::default(), &format!("completion {shell}")).await;
        assert!(ran.code == 0 && ran.out.contains("reconcile"), "{shell}");
    }
}

struct Failing(io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written_to(kind: io::ErrorKind) -> (i32, String) {
    let (mut out, mut err) = (Failing(kind), Vec::new());
    let typed = args::parse(super::words("completion bash")).unwrap();
    let code = cli::run_alone(&typed, &mut Console::new(&mut out, &mut err)).unwrap();
    (code, String::from_utf8(err).unwrap())
}

#[test]
fn a_reader_that_goes_away_ends_the_output_quietly_and_a_full_disk_does_not() {
    assert_eq!(written_to(io::ErrorKind::BrokenPipe), (0, String::new()));
    let (code, words) = written_to(io::ErrorKind::StorageFull);
    assert!(code == 2 && words.starts_with("error: write the answer"), "{words}");
}
