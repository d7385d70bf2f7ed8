//! The argument grammar of the whole program: what may be asked, and with which words. It asks nothing itself.

use super::{
    artifact_args::{CAT_HELP, FILES_HELP, INSPECT_HELP, PULL_HELP},
    diff_args::DIFF_HELP,
    duration::duration,
    subject::{Named, Subject, TagsOf, named, selector, subject, tags_of},
};
pub use super::{
    artifact_args::{CacheArgs, CacheDeed, CatArgs, FilesArgs, InspectArgs, Listing, PullArgs},
    diff_args::{DiffArgs, Shape},
};
use crate::domain::{
    identity::{Kind, is_dns_name},
    plain::Plain,
    reference::Reference,
    selector::Selector,
    upgrade::Carriers,
};
use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    error::{Error, ErrorKind},
};
use clap_complete::Shell;
use std::{ffi::OsString, path::Path, path::PathBuf, time::Duration};

const ABOUT: &str = "Flux's OCI sources and the registry beside them, on one screen";

const LONG_ABOUT: &str = "\
Flux's OCI sources and the registry beside them, on one screen.

Without a command the board opens in this terminal. It is read-only unless --write is given. The commands answer the \
same questions without a screen: data on stdout, everything else on stderr.";

const AFTER_HELP: &str = "\
Exit codes:
  0  answered
  1  the answer is no: nothing of that name, no tag chosen, it differs, not Ready afterwards
  2  not answered: bad usage, refused, timeout, or a part that could not be asked

Examples:
  fluxscope                                   the board, all namespaces
  fluxscope --demo                            a small recorded world: no cluster, no network
  fluxscope get all -A                        every source and consumer
  fluxscope tags ocirepo/podinfo -n shop      what the registry holds for this source
  fluxscope files ks/podinfo -n shop          the files that this Kustomization applied
  fluxscope diff ks/podinfo ocirepo/podinfo:6.10.0 -n shop   what that tag would change
  fluxscope outdated -A --fail-on major       how far every source is behind
  fluxscope reconcile ks/podinfo -n shop --with-source";

const GET_HELP: &str = "\
Kinds: ocirepo, helmrepo, hc, ea, ks, hr (or their full names and plurals),
sources (OCIRepository, HelmRepository of type oci, HelmChart and
ExternalArtifact), all (sources, Kustomizations and HelmReleases).

Only the cluster is asked, unless --newest is given. Sources in other namespaces
are read where that is allowed, to tell whether a consumer is stale. Failing
objects do not change the exit code.

Examples:
  fluxscope get -A                            everything, in all namespaces
  fluxscope get ks podinfo -n shop            one Kustomization (ks/podinfo works as well)
  fluxscope get ocirepo -A --newest           with the newest tag of each repository
  fluxscope get hr -l team=web -o json        for a script
  fluxscope get all -A -w -o json             one object per line, as they change";

const TAGS_HELP: &str = "\
Newest first by version; tags that are no versions follow. Signatures and
invalid names are counted, and listed with --all. Each tag has a verdict, with
the rule that decided, exactly as source-controller decides: chosen, in-range,
pre-release, out-of-range, filtered-out, not-a-version, not-followed. A plain
oci:// without --semver is listed only (not-judged). The running tag is marked.
Digest and creation time are asked for the chosen, the running and the newest
tag (-o wide, -o json). The credentials are those of this workstation, not the
cluster's.

Exit code 1 if Flux would choose nothing.

Examples:
  fluxscope tags oci://ghcr.io/stefanprodan/manifests/podinfo
  fluxscope tags oci://ghcr.io/stefanprodan/manifests/podinfo --semver '6.9.x'
  fluxscope tags ocirepo/podinfo -n shop -o json
  fluxscope tags ocirepo/podinfo -n shop --semver '>=7.0.0-0' --filter-regex 'rc'
  fluxscope tags hc/shop-podinfo -n shop";

const HISTORY_HELP: &str = "\
Newest first, as Flux keeps it: of a Kustomization up to five pairs of content
and outcome (what builds the same again only counts up), of a HelmRelease the
last release and the last good one. Of a source (ocirepo/NAME, hc/NAME) it is
what it holds and what its consumers ran. `moved`: the same tag stands there
with another digest. Only the cluster is asked; REFERENCE (-o wide, -o name,
-o json) is what diff, files and the others take.

Exit code 1 if there is no such object.

Examples:
  fluxscope history ks/podinfo -n shop
  fluxscope history hr/podinfo -n shop -o json
  fluxscope diff $(fluxscope history ks/podinfo -n shop -o name | head -2 | tac)";

const OUTDATED_HELP: &str = "\
For each source: what runs, what Flux would choose now (IN RANGE, it comes by
itself), the newest beyond the range (it needs a change of the object), how far
that is, and whether the running tag was moved. What matters most comes first.
Each repository is asked for its tags once, however many sources share it, and
each running tag once for its digest.

Without --fail-on the exit code is 0 as soon as the cluster has answered; what
could not be asked is unknown. 2 is for a cluster that did not answer.

Examples:
  fluxscope outdated -A                                         every source, what matters first
  fluxscope outdated -A --fail-on major --fail-on moved         for a gate
  fluxscope outdated -n shop --timeout 2m -o markdown           for a comment on a pull request
  fluxscope outdated -A -o json | jq '.items[] | select(.moved)'";

const MATCH_HELP: &str = "\
Versions are read leniently (a `v`, missing parts and leading zeros are fine);
where Flux would skip one as a tag the reason says so. Exit code 0 if any
matches, 1 if none does, 2 if the constraint cannot be read.

Examples:
  fluxscope match '6.9.x' 6.9.4 7.0.0
  fluxscope tags oci://ghcr.io/acme/app -o name | fluxscope match '>=1.0.0-0 <2.0.0-0' -";

const RECONCILE_HELP: &str = "\
Naming the command is the consent: --write is not needed and nothing is asked.
The exact patch is printed on stderr before it is sent, then the steps as they
happen; the summary goes to stdout. Suspended objects are refused.

Exit code 0 only if the object is Ready afterwards, 1 if it is not, 2 if it was
refused, timed out or got lost.

Examples:
  fluxscope reconcile ks/podinfo -n shop
  fluxscope reconcile hr/podinfo -n shop --with-source --timeout 10m
  fluxscope reconcile ocirepo/podinfo -n shop --dry-run";

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "fluxscope", version, about = ABOUT, long_about = LONG_ABOUT, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// None: the board.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that hold for every command and for the board.
#[derive(Debug, Clone, Args)]
pub struct Global {
    #[command(flatten)]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
    #[command(flatten)]
    pub program: ProgramArgs,
}

/// Which cluster, as whom and where: the words of kubectl.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// Kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Cluster of the kubeconfig to use instead of the context's
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub cluster: Option<String>,
    /// User of the kubeconfig to use instead of the context's
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub user: Option<String>,
    /// Namespace to look in [default: commands the context's, the board all]
    #[arg(short, long, global = true, value_name = "NAME", value_parser = namespace)]
    pub namespace: Option<String>,
    /// Look in all namespaces
    #[arg(short = 'A', long, global = true)]
    pub all_namespaces: bool,
    /// User to impersonate
    #[arg(long = "as", global = true, value_name = "USER", hide_short_help = true)]
    pub as_user: Option<String>,
    /// Group to impersonate (repeatable)
    #[arg(long = "as-group", global = true, value_name = "GROUP", hide_short_help = true)]
    pub as_groups: Vec<String>,
    /// Longest wait for one answer of the API server, e.g. 30s or 1m30s; 0 waits for ever
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, hide_short_help = true)]
    pub request_timeout: Option<Duration>,
}

/// How registries are asked, and when to stop reading.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registry")]
pub struct RegistryArgs {
    /// PEM file with certificate authorities to trust besides the system's
    #[arg(long = "registry-ca", global = true, value_name = "FILE", hide_short_help = true)]
    pub ca: Option<PathBuf>,
    /// HOST or HOST:PORT that may be asked over plain HTTP, its certificate unchecked (repeatable)
    #[arg(long = "insecure-registry", global = true, value_name = "HOST", hide_short_help = true)]
    pub insecure: Vec<String>,
    /// Longest wait for one answer of a registry; 0 waits for ever
    #[arg(long = "registry-timeout", global = true, value_name = "DURATION", value_parser = duration,
          default_value = "30s", hide_short_help = true)]
    pub timeout: Duration,
    /// Requests under way to one registry at the same time
    #[arg(long = "registry-concurrency", global = true, value_name = "N", default_value_t = 6,
          value_parser = clap::value_parser!(u16).range(1..=64), hide_short_help = true)]
    pub concurrency: u16,
    /// Requests per second to one registry; the pages of one list follow each other without a wait
    #[arg(long = "registry-rate", global = true, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u16).range(1..=1000), hide_short_help = true)]
    pub rate: u16,
    /// Tags of one repository after which the list is cut
    #[arg(long, global = true, value_name = "N", default_value_t = 200_000,
          value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true)]
    pub max_tags: u32,
    /// Pages of one tag list after which it is cut
    #[arg(long, global = true, value_name = "N", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true)]
    pub max_tag_pages: u32,
    /// Largest manifest that is read
    #[arg(long, global = true, value_name = "BYTES", default_value_t = 4 << 20,
          value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    pub max_manifest_bytes: u64,
    /// Largest layer that is downloaded
    #[arg(long, global = true, value_name = "BYTES", default_value_t = 256 << 20,
          value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    pub max_layer_bytes: u64,
    /// Bytes of a layer, unpacked, after which its tree is cut
    #[arg(long, global = true, value_name = "BYTES", default_value_t = 256 << 20,
          value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    pub max_unpacked_bytes: u64,
    /// Largest file of a layer whose contents are shown
    #[arg(long, global = true, value_name = "BYTES", default_value_t = 32 << 20,
          value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    pub max_file_bytes: u64,
    /// Entries of a layer after which its tree is cut
    #[arg(long, global = true, value_name = "N", default_value_t = 100_000,
          value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true)]
    pub max_entries: u32,
    /// Largest extended header of a layer that is read
    #[arg(long, global = true, value_name = "BYTES", default_value_t = 1 << 20,
          value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    pub max_header_bytes: u64,
    /// Unpacked bytes per byte of a layer after which its tree is cut
    #[arg(long, global = true, value_name = "N", default_value_t = 200,
          value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true)]
    pub max_ratio: u32,
    /// Keep and look for nothing on disk
    #[arg(long, global = true, hide_short_help = true)]
    pub no_cache: bool,
    /// Folder for manifests and blobs, kept by digest between runs [default: fluxscope in the user's cache folder]
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub cache_dir: Option<PathBuf>,
    /// Size of that folder; what was not used for longest goes first
    #[arg(long, global = true, value_name = "BYTES", default_value_t = 512_000_000,
          value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    pub max_cache_bytes: u64,
}

/// The program itself.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Program")]
pub struct ProgramArgs {
    /// Show a small recorded world instead of a cluster: no network, no files
    #[arg(long, global = true)]
    pub demo: bool,
    /// Let the board write (`reconcile` as a command needs no permission)
    #[arg(long, global = true, hide_short_help = true)]
    pub write: bool,
    /// Colours on the board and in `diff`; auto honours $NO_COLOR and what the terminal says
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_short_help = true)]
    pub color: Color,
    /// Draw with ASCII characters only
    #[arg(long, global = true, hide_short_help = true)]
    pub ascii: bool,
    /// What is written to the log file
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn", hide_short_help = true)]
    pub log_level: LogLevel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    /// As the log's filter spells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// One question or one deed.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List objects and where they stand
    #[command(after_help = GET_HELP)]
    Get(GetArgs),
    /// List the tags of a repository
    #[command(after_help = TAGS_HELP)]
    Tags(TagsArgs),
    /// List the revisions that ran, of a consumer or of a source
    #[command(after_help = HISTORY_HELP)]
    History(HistoryArgs),
    /// Tell how far every source is behind its registry
    #[command(after_help = OUTDATED_HELP)]
    Outdated(OutdatedArgs),
    /// Judge versions by a range, as Flux does; asks nobody
    #[command(after_help = MATCH_HELP)]
    Match(MatchArgs),
    /// Show what an artifact is: manifest, layers, what refers to it, and which layer Flux takes
    #[command(after_help = INSPECT_HELP)]
    Inspect(InspectArgs),
    /// List the files of an artifact as Flux would store them
    #[command(after_help = FILES_HELP)]
    Files(FilesArgs),
    /// Print one file of an artifact
    #[command(after_help = CAT_HELP)]
    Cat(CatArgs),
    /// Write the files of an artifact into a folder
    #[command(after_help = PULL_HELP)]
    Pull(PullArgs),
    /// Show what would change between two artifacts: files, Kubernetes objects, and what that means
    #[command(after_help = DIFF_HELP)]
    Diff(DiffArgs),
    /// Make Flux reconcile an object now, and follow it until it landed
    #[command(after_help = RECONCILE_HELP)]
    Reconcile(ReconcileArgs),
    /// Look at or empty the cache of manifests and layers on this machine
    Cache(CacheArgs),
    /// Print the version of this program; asks nobody
    Version(VersionArgs),
    /// Print a completion script, e.g. `source <(fluxscope completion bash)`
    Completion {
        /// The shell it is for
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub struct GetArgs {
    /// Kind, `sources` or `all`; KIND/NAME works as well
    #[arg(value_name = "KIND", default_value = "all", value_parser = subject)]
    pub subject: Subject,
    /// Only the object of this name
    #[arg(value_name = "NAME", value_parser = object_name)]
    pub name: Option<String>,
    /// Only objects whose labels match, e.g. app=web,env!=dev
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = selector)]
    pub selector: Option<Selector>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Format,
    /// Go on printing what changes
    #[arg(short, long)]
    pub watch: bool,
    /// Leave the table's header out
    #[arg(long)]
    pub no_header: bool,
    /// Ask the registries what Flux would take and what is newest, each repository once
    #[arg(long)]
    pub newest: bool,
}

#[derive(Debug, Args)]
pub struct TagsArgs {
    /// oci://HOST/REPOSITORY, or ocirepo/NAME or hc/NAME for the repository of a source
    #[arg(value_name = "REPOSITORY", value_parser = tags_of)]
    pub of: TagsOf,
    /// Judge by this range instead of the source's own; empty is no range: Flux takes `latest`
    #[arg(long, value_name = "RANGE")]
    pub semver: Option<String>,
    /// Judge by this semverFilter (a Go regular expression) instead of the source's own
    #[arg(long, value_name = "PATTERN")]
    pub filter_regex: Option<String>,
    /// Judge as with this layerSelector.mediaType: Helm's chart layer maps `_` to `+`
    #[arg(long, value_name = "TYPE")]
    pub layer_media_type: Option<String>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Format,
    /// List signatures and invalid names too
    #[arg(long)]
    pub all: bool,
    /// Leave the table's header out
    #[arg(long)]
    pub no_header: bool,
}

#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// ks/NAME, hr/NAME, ocirepo/NAME or hc/NAME
    #[arg(value_name = "KIND/NAME", value_parser = named)]
    pub of: Named,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Format,
    /// Leave the table's header out
    #[arg(long)]
    pub no_header: bool,
}

#[derive(Debug, Args)]
pub struct OutdatedArgs {
    /// Exit with 1 if any source is that far behind (patch < minor < major), was moved, or is not known (repeatable)
    #[arg(long, value_name = "WHAT")]
    pub fail_on: Vec<FailOn>,
    /// Longest wait for the whole run, e.g. 90s or 5m; what was not reached by then says so
    #[arg(long, value_name = "DURATION", value_parser = some_time, default_value = "10m")]
    pub timeout: Duration,
    /// Tags looked at to name the one behind a digest pin, newest first; 0 asks for none
    #[arg(long, value_name = "N", default_value_t = Carriers::MOST)]
    pub look_at: usize,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Report,
}

#[derive(Debug, Args)]
pub struct MatchArgs {
    /// A range as in spec.ref.semver, e.g. '>=1.0.0 <2.0.0'
    #[arg(value_name = "CONSTRAINT", allow_hyphen_values = true)]
    pub constraint: String,
    /// Versions to judge; `-` reads them from stdin, one a line. Without any only the range is checked
    #[arg(value_name = "VERSION")]
    pub versions: Vec<String>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Summary,
}

#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// KIND/NAME, e.g. ks/podinfo
    #[arg(value_name = "KIND/NAME", value_parser = named)]
    pub target: Named,
    /// Reconcile what it takes from first
    #[arg(long)]
    pub with_source: bool,
    /// Longest wait for the whole chain, e.g. 90s or 5m
    #[arg(long, value_name = "DURATION", value_parser = some_time, default_value = "5m")]
    pub timeout: Duration,
    /// Print what would be sent and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to print the summary
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Summary,
}

#[derive(Debug, Args)]
pub struct VersionArgs {
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Summary,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    /// The table with more columns, nothing shortened
    Wide,
    Json,
    Yaml,
    /// kind.group/name (or tags), one per line
    Name,
}

/// How a single answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Summary {
    Table,
    Json,
    Yaml,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    Table,
    Json,
    /// A table for a comment on a pull request
    Markdown,
}

/// What makes `outdated` exit with 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A patch or more behind, in range or beyond it
    Patch,
    /// A minor version or more behind
    Minor,
    /// A major version behind
    Major,
    /// The running tag names something else now
    Moved,
    /// Not comparable, or could not be asked
    Unknown,
}

impl FailOn {
    pub const ALL: [Self; 5] = [Self::Patch, Self::Minor, Self::Major, Self::Moved, Self::Unknown];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Moved => "moved",
            Self::Unknown => "unknown",
        }
    }
}

/// Reads the arguments; the first one decides how usage is printed. `--help` and `--version` are errors too, which
/// [`super::explain`] prints where they belong.
pub fn parse(argv: impl IntoIterator<Item = OsString>) -> Result<Cli, Error> {
    let argv: Vec<OsString> = argv.into_iter().collect();
    let mut grammar = Cli::command().bin_name(called_as(argv.first()));
    let cli =
        grammar.try_get_matches_from_mut(argv).and_then(|mut found| Cli::from_arg_matches_mut(&mut found));
    let cli = cli.map_err(|error| error.format(&mut grammar))?;
    match clash(&cli) {
        None => Ok(cli),
        Some((kind, words)) => {
            let grammar = match &cli.command {
                Some(command) => grammar.find_subcommand_mut(command.name()).cloned().unwrap_or(grammar),
                None => grammar,
            };
            Err(grammar.clone().error(kind, words))
        }
    }
}

impl TagsArgs {
    /// Flags that have no meaning for what is asked about.
    fn clash(&self) -> Option<&'static str> {
        let chart = matches!(&self.of, TagsOf::Object(named) if named.kind == Kind::HelmChart);
        let odd = self.filter_regex.is_some() || self.layer_media_type.is_some();
        (chart && odd).then_some(
            "a HelmChart has no semverFilter and no layerSelector: --filter-regex and --layer-media-type are for \
             ocirepo/NAME and oci://…",
        )
    }
}

impl Command {
    const fn name(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Tags(_) => "tags",
            Self::History(_) => "history",
            Self::Outdated(_) => "outdated",
            Self::Match(_) => "match",
            Self::Inspect(_) => "inspect",
            Self::Files(_) => "files",
            Self::Cat(_) => "cat",
            Self::Pull(_) => "pull",
            Self::Diff(_) => "diff",
            Self::Cache(_) => "cache",
            Self::Reconcile(_) => "reconcile",
            Self::Version(_) => "version",
            Self::Completion { .. } => "completion",
        }
    }
}

/// Combinations that the grammar alone does not see, because global options may stand on both sides of a command.
fn clash(cli: &Cli) -> Option<(ErrorKind, String)> {
    let cluster = &cli.global.cluster;
    if cluster.namespace.is_some() && cluster.all_namespaces {
        let words = "--namespace (-n) and --all-namespaces (-A) cannot be used together";
        return Some((ErrorKind::ArgumentConflict, words.to_owned()));
    }
    let object = |named: &Named| Some(format!("{}/{}", named.kind.short(), named.name));
    let artifact = |of: &Reference| (!of.stands_alone()).then(|| of.to_string());
    let needs_one = match &cli.command {
        Some(Command::Get(args)) => return args.clash(),
        Some(Command::Tags(args)) => {
            if let Some(words) = args.clash() {
                return Some((ErrorKind::ArgumentConflict, words.to_owned()));
            }
            match &args.of {
                TagsOf::Object(named) => object(named),
                TagsOf::Repository(_) => None,
            }
        }
        Some(Command::History(args)) => object(&args.of),
        Some(Command::Reconcile(args)) => object(&args.target),
        Some(Command::Inspect(args)) => artifact(&args.of),
        Some(Command::Files(args)) => artifact(&args.of),
        Some(Command::Cat(args)) => artifact(&args.of),
        Some(Command::Pull(args)) => artifact(&args.of),
        Some(Command::Diff(args)) => args
            .consumer
            .as_ref()
            .and_then(object)
            .or_else(|| artifact(&args.from))
            .or_else(|| artifact(&args.to)),
        Some(
            Command::Outdated(_)
            | Command::Match(_)
            | Command::Cache(_)
            | Command::Version(_)
            | Command::Completion { .. },
        )
        | None => None,
    }?;
    cluster.all_namespaces.then(|| {
        let words = format!("{needs_one} stands in one namespace: use -n instead of -A");
        (ErrorKind::ArgumentConflict, Plain::line(&words).into_string())
    })
}

impl GetArgs {
    /// The one name that was given, in whichever form.
    pub fn wanted(&self) -> Option<&str> {
        self.subject.name.as_deref().or(self.name.as_deref())
    }

    fn clash(&self) -> Option<(ErrorKind, String)> {
        if let (Some(first), Some(second)) = (&self.subject.name, &self.name) {
            let words = format!("one name at a time: {first} or {second}");
            return Some((ErrorKind::TooManyValues, Plain::line(&words).into_string()));
        }
        (self.wanted().is_some() && self.selector.is_some()).then(|| {
            let words = "a name and a selector (-l) cannot be used together".to_owned();
            (ErrorKind::ArgumentConflict, words)
        })
    }
}

/// How the user called us: as a plugin of flux or kubectl, or by our own name.
fn called_as(program: Option<&OsString>) -> &'static str {
    let stem = program.and_then(|path| Path::new(path).file_stem()).and_then(|stem| stem.to_str());
    match stem {
        Some("flux-scope") => "flux scope",
        Some("kubectl-fluxscope") => "kubectl fluxscope",
        _ => "fluxscope",
    }
}

fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("needs some time, e.g. 90s or 5m".to_owned()),
        time => Ok(time),
    }
}

/// A namespace is a DNS label: anything else could change the URL it stands in.
fn namespace(text: &str) -> Result<String, String> {
    let fits = text.len() <= 63 && is_dns_name(text) && !text.contains('.');
    if fits { Ok(text.to_owned()) } else { Err("not the name of a namespace".to_owned()) }
}

fn object_name(text: &str) -> Result<String, String> {
    super::subject::check_name(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_of_every_help_fits_a_terminal_of_80_cells() {
        let artifacts = [INSPECT_HELP, FILES_HELP, CAT_HELP, PULL_HELP, DIFF_HELP];
        let others =
            [AFTER_HELP, GET_HELP, TAGS_HELP, HISTORY_HELP, OUTDATED_HELP, MATCH_HELP, RECONCILE_HELP];
        for line in others.into_iter().chain(artifacts).flat_map(str::lines) {
            assert!(line.starts_with("  ") || line.chars().count() <= 80, "{line}");
        }
    }
}
