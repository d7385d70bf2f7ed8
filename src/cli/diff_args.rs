//! The words of `diff`. They ask nothing.

use super::subject::{Named, named};
use crate::domain::{identity::Kind, reference::Reference};
use clap::{Args, ValueEnum};

pub(super) const DIFF_HELP: &str = "\
Compares what Flux would store of two artifacts: files, the Kubernetes objects
in them field by field, and what the change means, the most dangerous first.
FROM and TO are what `fluxscope inspect --help` says, also two folders on this
machine: then neither a cluster nor a registry is asked. A folder is read as
`flux build artifact` packs it.

A diff of two artifacts is a source diff: what kustomize builds, postBuild puts
in and Helm renders is not in it. With --consumer it holds what concerns this
Kustomization (its path) or this HelmRelease (its values), and both sides are
rendered where kustomize, flux or helm is on PATH and the files may be rendered.
The first lines always say which of the two it is. ConfigMaps of valuesFrom are
read, Secrets only with --read-secrets.

--files, --objects and --impact leave the other parts out, in every format.
Files come with their text; without --files only those that hold no objects do.
What stands in Secrets is masked: *** (before), *** (after). What SOPS encrypted
is shortened.

Exit codes:
  0  the same; files that are only formatted otherwise are the same, but for --files
  1  they differ; with --files or --objects: in what is shown
  2  not answered: bad usage, refused by Flux, could not be asked, or not all was
     read and what was read is the same; with --objects also: no object differs
     that was seen, but files that kustomize or Helm makes objects of, or that
     cannot be read

With KUBECTL_EXTERNAL_DIFF set, the text is that of this program: it gets two
folders of masked files, one per object, and options made of letters, digits,
- and = only, as in kubectl. Its exit code 0 or 1 is ours; where a file differs
that is no text, and so is not given to it, 0 becomes 1.

Examples:
  fluxscope diff ./before ./after
  fluxscope diff oci://ghcr.io/acme/app:1.2.0 oci://ghcr.io/acme/app:1.3.0
  fluxscope diff ks/podinfo ocirepo/podinfo:6.10.0 -n shop --consumer ks/podinfo
  fluxscope diff hr/podinfo ocirepo/podinfo-chart:6.10.0 -n shop --consumer hr/podinfo --impact
  fluxscope diff ./main ./branch -o markdown > comment.md
  KUBECTL_EXTERNAL_DIFF='dyff between' fluxscope diff ./before ./after";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct DiffArgs {
    /// What is there before, e.g. ks/NAME, oci://HOST/REPOSITORY:TAG or ./FOLDER
    #[arg(value_name = "FROM", value_parser = reference)]
    pub from: Reference,
    /// What would be there after
    #[arg(value_name = "TO", value_parser = reference)]
    pub to: Reference,
    /// Only what concerns this Kustomization or HelmRelease: ks/NAME or hr/NAME
    #[arg(long, value_name = "KIND/NAME", value_parser = consumer)]
    pub consumer: Option<Named>,
    /// Read the Secrets that the HelmRelease names in valuesFrom; their values are not printed
    #[arg(long, requires = "consumer")]
    pub read_secrets: bool,
    /// Insist on rendering both sides: what cannot be rendered is an error
    #[arg(long, requires = "consumer", conflicts_with = "no_build")]
    pub build: bool,
    /// Render nothing: compare the files as they are stored
    #[arg(long)]
    pub no_build: bool,
    /// Show the files, with their text
    #[arg(long)]
    pub files: bool,
    /// Show the Kubernetes objects, field by field
    #[arg(long)]
    pub objects: bool,
    /// Show what the change means
    #[arg(long)]
    pub impact: bool,
    /// Print the values of Secrets
    #[arg(long)]
    pub reveal: bool,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Shape,
}

/// How a comparison is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    Text,
    Json,
    Yaml,
    /// For a comment on a pull request
    Markdown,
}

fn reference(text: &str) -> Result<Reference, String> {
    Reference::parse(text).map_err(|error| error.to_string())
}

fn consumer(text: &str) -> Result<Named, String> {
    let named = named(text)?;
    match named.kind {
        Kind::Kustomization | Kind::HelmRelease => Ok(named),
        Kind::OciRepository
        | Kind::HelmRepository
        | Kind::HelmChart
        | Kind::ExternalArtifact
        | Kind::GitRepository
        | Kind::Bucket => Err(format!("{} applies nothing: ks/NAME or hr/NAME", named.kind)),
    }
}
