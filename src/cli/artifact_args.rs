//! The words of the commands that look inside an artifact. They ask nothing.

use super::args::Summary;
use crate::domain::reference::Reference;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(super) const INSPECT_HELP: &str = "\
Forms of REF, for every command that names an artifact:
  oci://HOST/REPOSITORY:TAG, oci://HOST/REPOSITORY@sha256:…   (latest without either, as Flux does)
  ocirepo/NAME, hc/NAME, hr/NAME, ks/NAME                     what the object runs
  ocirepo/NAME:TAG, ocirepo/NAME@sha256:…                     another one, with the selector of this source
  oci-layout:PATH, oci-layout:PATH:TAG                        an OCI image layout on this machine
  FILE.tgz, FILE.tar.gz, ./FOLDER                             judged as the one layer of an artifact

An index is followed to the child that Flux takes (linux/amd64). The layer that
Flux takes is marked, with the rule that chose it, or the failure that Flux
would give.

Examples:
  fluxscope inspect oci://ghcr.io/stefanprodan/manifests/podinfo:6.9.1
  fluxscope inspect ks/podinfo -n shop
  fluxscope inspect ocirepo/podinfo:6.10.0 -n shop -o json";

pub(super) const FILES_HELP: &str = "\
The files as Flux would store them: what is skipped, emptied or ignored is left
out, unless --all is given. If Flux would refuse the layer, its words are said,
and what was read is listed with the entry that it refuses.

REF is what `fluxscope inspect --help` says.

Examples:
  fluxscope files ks/podinfo -n shop
  fluxscope files oci://ghcr.io/stefanprodan/manifests/podinfo:6.9.1 --all
  fluxscope files ./podinfo-6.9.1.tgz -o name";

pub(super) const CAT_HELP: &str = "\
A terminal gets the text with what could act on it written out; a pipe or a file
gets the file's own bytes. What holds a Kubernetes Secret is printed with
--reveal only; what SOPS encrypted is not secret.

REF is what `fluxscope inspect --help` says.

Examples:
  fluxscope cat ks/podinfo deploy/deployment.yaml -n shop
  fluxscope cat oci://ghcr.io/stefanprodan/charts/podinfo:6.9.1 podinfo/values.yaml | less";

pub(super) const PULL_HELP: &str = "\
Writes what Flux would store, and nothing else: an artifact that Flux refuses is
not written. Files get mode 0600 (0700 if executable). Nothing that is there is
overwritten without --force, no symbolic link in DIR is followed, and an
interrupted pull leaves whole files only.

REF is what `fluxscope inspect --help` says.

Example:
  fluxscope pull ks/podinfo -n shop -d ./podinfo";

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Which artifact, e.g. oci://HOST/REPOSITORY:TAG, ks/NAME or ./FILE.tgz
    #[arg(value_name = "REF", value_parser = reference)]
    pub of: Reference,
    /// Judge as with this layerSelector.mediaType; empty is none: Flux takes the first layer
    #[arg(long, value_name = "TYPE")]
    pub layer_media_type: Option<String>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Summary,
}

#[derive(Debug, Args)]
pub struct FilesArgs {
    /// Which artifact, e.g. oci://HOST/REPOSITORY:TAG, ks/NAME or ./FILE.tgz
    #[arg(value_name = "REF", value_parser = reference)]
    pub of: Reference,
    /// Look into this layer instead of the one that Flux takes; the first is 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub layer: Option<u32>,
    /// Judge as with this layerSelector.mediaType; empty is none: Flux takes the first layer
    #[arg(long, value_name = "TYPE")]
    pub layer_media_type: Option<String>,
    /// List what Flux does not write too
    #[arg(long)]
    pub all: bool,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Listing,
    /// Leave the table's header out
    #[arg(long)]
    pub no_header: bool,
}

#[derive(Debug, Args)]
pub struct CatArgs {
    /// Which artifact, e.g. oci://HOST/REPOSITORY:TAG, ks/NAME or ./FILE.tgz
    #[arg(value_name = "REF", value_parser = reference)]
    pub of: Reference,
    /// Which file, as `fluxscope files` lists it
    #[arg(value_name = "PATH")]
    pub path: String,
    /// Look into this layer instead of the one that Flux takes; the first is 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub layer: Option<u32>,
    /// Print it although it holds a Secret
    #[arg(long)]
    pub reveal: bool,
}

#[derive(Debug, Args)]
pub struct PullArgs {
    /// Which artifact, e.g. oci://HOST/REPOSITORY:TAG, ks/NAME or ./FILE.tgz
    #[arg(value_name = "REF", value_parser = reference)]
    pub of: Reference,
    /// The folder to write to; made if it is not there
    #[arg(short, long = "directory", value_name = "DIR")]
    pub directory: PathBuf,
    /// Overwrite files that are there
    #[arg(long)]
    pub force: bool,
    /// How to print the summary
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Summary,
}

#[derive(Debug, Args)]
pub struct CacheArgs {
    /// info is meant if nothing is said
    #[command(subcommand)]
    pub deed: Option<CacheDeed>,
    /// How to print
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "table")]
    pub output: Summary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum CacheDeed {
    /// Where it is, how much it holds and may hold
    Info,
    /// Remove everything that is kept
    Clear,
}

/// How a list of files is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    Table,
    Json,
    Yaml,
    /// Paths, one per line
    Name,
}

fn reference(text: &str) -> Result<Reference, String> {
    Reference::parse(text).map_err(|error| error.to_string())
}
