//! The ways into clusters: kubeconfig files read as kubectl reads them, or the service account of a pod. It opens; it
//! asks the API server nothing.

use super::{KubeCluster, access::Access, ask::capped};
use crate::{
    domain::{
        identity::About,
        problem::{Cause, Problem, chain},
    },
    port::{Cluster, Gateway},
};
use futures::future::BoxFuture;
use http::Uri;
use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use std::{
    ffi::OsString,
    io::ErrorKind,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What the flags say, under kubectl's names.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    /// `--as`
    pub impersonate: Option<String>,
    /// `--as-group`, repeatable
    pub impersonate_groups: Vec<String>,
    /// None: 30 s. Never for watches.
    pub request_timeout: Option<Duration>,
    pub environment: Environment,
}

/// What the environment says. Read in one place, handed in everywhere.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    pub kubeconfig: Option<OsString>,
    pub home: Option<PathBuf>,
    pub https_proxy: Option<String>,
    pub http_proxy: Option<String>,
    pub no_proxy: Option<String>,
    /// `KUBERNETES_SERVICE_HOST` is set: we may be a pod.
    pub in_pod: bool,
}

impl Environment {
    pub fn read() -> Self {
        let text = |upper: &str, lower: &str| {
            let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
            set(upper).or_else(|| set(lower))
        };
        Self {
            kubeconfig: std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()),
            home: std::env::home_dir(),
            https_proxy: text("HTTPS_PROXY", "https_proxy"),
            http_proxy: text("HTTP_PROXY", "http_proxy"),
            no_proxy: text("NO_PROXY", "no_proxy"),
            in_pod: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
        }
    }
}

/// Opens contexts of the kubeconfig in force.
pub struct KubeGateway {
    options: Arc<Options>,
}

impl KubeGateway {
    pub fn new(options: Options) -> Self {
        Self { options: Arc::new(options) }
    }
}

impl Gateway for KubeGateway {
    fn contexts(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>> {
        let options = self.options.clone();
        Box::pin(off_thread("list contexts", move || {
            let found = load(&options)?;
            Ok(found.map_or_else(|| vec![IN_CLUSTER.to_owned()], |kubeconfig| names(&kubeconfig, &options)))
        }))
    }

    fn connect(&self, context: Option<String>) -> BoxFuture<'static, Result<Arc<dyn Cluster>, Problem>> {
        let options = self.options.clone();
        Box::pin(async move {
            let timeout = options.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
            let what = match context.as_ref().or(options.context.as_ref()) {
                Some(name) => format!("open context {name}"),
                None => "open the current context".to_owned(),
            };
            let (mut config, about) = off_thread(&what.clone(), {
                let what = what.clone();
                move || settle(&options, context, &what)
            })
            .await?;
            config.connect_timeout = Some(timeout);
            let access = Access::open(config, &what).await?;
            Ok(Arc::new(KubeCluster::new(access, about, timeout)) as Arc<dyn Cluster>)
        })
    }
}

const IN_CLUSTER: &str = "in-cluster";

/// Files may lie on a slow disk.
async fn off_thread<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Problem::new(Cause::Other, what, error.to_string())),
    }
}

/// The context's settings, with the flags and the environment laid over them.
fn settle(options: &Options, context: Option<String>, what: &str) -> Result<(Config, About), Problem> {
    let wanted = context.or_else(|| options.context.clone());
    if options.impersonate.is_none() && !options.impersonate_groups.is_empty() {
        return Err(Problem::new(Cause::Usage, what, "--as-group needs --as"));
    }
    let (mut config, name) = match load(options)? {
        Some(kubeconfig) => from_kubeconfig(kubeconfig, options, wanted, what)?,
        None => (from_pod(what)?, IN_CLUSTER.to_owned()),
    };
    if options.impersonate.is_some() {
        config.auth_info.impersonate.clone_from(&options.impersonate);
        config.auth_info.impersonate_groups = Some(options.impersonate_groups.clone());
    }
    let server = shown(&config.cluster_url);
    let about = About { context: name, namespace: config.default_namespace.clone(), server };
    Ok((config, about))
}

/// Without user and password, should the URL hold them.
fn shown(url: &Uri) -> String {
    let host = url.authority().map_or("", |authority| authority.as_str());
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{}://{host}{}", url.scheme_str().unwrap_or("https"), url.path().trim_end_matches('/'))
}

fn from_pod(what: &str) -> Result<Config, Problem> {
    Config::incluster().map_err(|error| Problem::new(Cause::Usage, what, chain(&error)))
}

/// The files in force, merged; None: there are none and we run in a pod.
fn load(options: &Options) -> Result<Option<Kubeconfig>, Problem> {
    let what = "read the kubeconfig";
    let environment = &options.environment;
    let (paths, optional) = match (&options.kubeconfig, &environment.kubeconfig) {
        (Some(path), _) => (vec![path.clone()], false),
        (None, Some(list)) => {
            (std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(), true)
        }
        (None, None) => {
            let home = environment.home.iter();
            (home.map(|home| home.join(".kube").join("config")).collect(), true)
        }
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in &paths {
        let Some(next) = read(path, optional, what)? else { continue };
        merged = Some(match merged {
            None => next,
            Some(before) => before
                .merge(next)
                .map_err(|error| Problem::new(Cause::Usage, what, format!("{}: {error}", path.display())))?,
        });
    }
    match merged {
        None if environment.in_pod => Ok(None),
        None => Err(none_found(&paths, what)),
        Some(kubeconfig) => Ok(Some(kubeconfig)),
    }
}

fn none_found(paths: &[PathBuf], what: &str) -> Problem {
    let tried: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let why = match tried.as_slice() {
        [] => "there is no kubeconfig: no home directory, and KUBECONFIG is not set".to_owned(),
        _ => format!("there is no kubeconfig at {}", tried.join(", ")),
    };
    Problem::new(Cause::Usage, what, why)
        .with_hint("set KUBECONFIG or --kubeconfig; --demo needs no cluster at all")
}

/// None: the file is not there, and need not be.
fn read(path: &Path, optional: bool, what: &str) -> Result<Option<Kubeconfig>, Problem> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match Kubeconfig::read_from(&path) {
        Ok(kubeconfig) => Ok(Some(kubeconfig)),
        Err(KubeconfigError::ReadConfig(error, _)) if optional && error.kind() == ErrorKind::NotFound => {
            Ok(None)
        }
        Err(KubeconfigError::ReadConfig(error, _)) => {
            Err(Problem::new(Cause::Usage, what, format!("{}: {error}", path.display())))
        }
        Err(KubeconfigError::Parse(error)) => {
            // the parser quotes the lines around the mistake, which may hold a secret
            let place = error.location().map_or_else(String::new, |at| format!(" (line {})", at.line()));
            Err(Problem::new(Cause::Usage, what, format!("{} is not a kubeconfig{place}", path.display())))
        }
        Err(error) => Err(Problem::new(Cause::Usage, what, format!("{}: {}", path.display(), chain(&error)))),
    }
}

/// Names of all contexts, the one in force first.
fn names(kubeconfig: &Kubeconfig, options: &Options) -> Vec<String> {
    let current = options.context.as_ref().or(kubeconfig.current_context.as_ref());
    let mut names: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    names.sort_by_key(|name| Some(name) != current);
    names
}

fn from_kubeconfig(
    kubeconfig: Kubeconfig,
    options: &Options,
    wanted: Option<String>,
    what: &str,
) -> Result<(Config, String), Problem> {
    let problem = |why: String| Problem::new(Cause::Usage, what, why);
    let known = names(&kubeconfig, options);
    let there_are = || match known.as_slice() {
        [] => "the kubeconfig has no contexts at all".to_owned(),
        names => capped(&format!("there are: {}", names.join(", "))),
    };
    let current = kubeconfig.current_context.clone().filter(|name| !name.is_empty());
    let Some(name) = wanted.or(current) else {
        return Err(problem("no context is chosen".to_owned())
            .with_hint(format!("--context chooses one; {}", there_are())));
    };
    if !known.contains(&name) {
        let why = format!("the kubeconfig has no context {name:?}");
        return Err(Problem::new(Cause::NotFound, what, why).with_hint(there_are()));
    }
    if let Some(user) = &options.user
        && !kubeconfig.auth_infos.iter().any(|entry| entry.name == *user)
    {
        return Err(problem(format!("the kubeconfig has no user {user:?}")));
    }
    let chosen = KubeConfigOptions {
        context: Some(name.clone()),
        cluster: options.cluster.clone(),
        user: options.user.clone(),
    };
    let entry = cluster_entry(&kubeconfig, &chosen);
    let own_proxy =
        entry.as_ref().is_some_and(|entry| entry.proxy_url.as_ref().is_some_and(|url| !url.is_empty()));
    let compression = entry.and_then(|entry| entry.disable_compression);
    // nothing in it waits: the function is async by name only
    let read =
        tokio::runtime::Handle::current().block_on(Config::from_custom_kubeconfig(kubeconfig, &chosen));
    let mut config = read.map_err(|error| problem(capped(&chain(&error))))?;
    if !own_proxy {
        config.proxy_url = proxy(&config.cluster_url, &options.environment, what)?;
    }
    config.proxy_url = config.proxy_url.take().map(socks);
    // on loopback the time to unpack is longer than the time to send
    config.disable_compression = compression.unwrap_or_else(|| is_loopback(&config.cluster_url));
    Ok((config, name))
}

fn cluster_entry(kubeconfig: &Kubeconfig, chosen: &KubeConfigOptions) -> Option<kube::config::Cluster> {
    let context = kubeconfig.contexts.iter().find(|entry| Some(&entry.name) == chosen.context.as_ref())?;
    let name = chosen.cluster.as_ref().or(context.context.as_ref().map(|context| &context.cluster))?;
    kubeconfig.clusters.iter().find(|entry| entry.name == *name)?.cluster.clone()
}

/// The environment's proxy by the rules of Go's `httpproxy`: never for loopback, and `NO_PROXY` names the servers to
/// reach directly.
fn proxy(server: &Uri, environment: &Environment, what: &str) -> Result<Option<Uri>, Problem> {
    let plain = server.scheme_str() == Some("http");
    let set = if plain { &environment.http_proxy } else { &environment.https_proxy };
    let Some(set) = set else { return Ok(None) };
    if is_loopback(server) || is_direct(server, environment.no_proxy.as_deref().unwrap_or_default()) {
        return Ok(None);
    }
    let with_scheme = if set.contains("://") { set.clone() } else { format!("http://{set}") };
    // the URL may hold a password: it is not repeated
    let bad = |_| Problem::new(Cause::Usage, what, "the proxy of the environment is not a URL");
    with_scheme.parse().map(Some).map_err(bad)
}

/// `socks5h` means that the proxy looks names up, which is what ours does for `socks5` too.
fn socks(url: Uri) -> Uri {
    if url.scheme_str() != Some("socks5h") {
        return url;
    }
    url.to_string().replacen("socks5h://", "socks5://", 1).parse().unwrap_or(url)
}

fn is_loopback(server: &Uri) -> bool {
    let host = host(server);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn host(server: &Uri) -> &str {
    server.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

fn is_direct(server: &Uri, no_proxy: &str) -> bool {
    let host = host(server).to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(443);
    no_proxy.split(',').map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
        let (name, wanted) = match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') => (name, digits.parse::<u16>().ok()),
            _ => (entry.as_str(), None),
        };
        let fits = wanted.is_none_or(|wanted| wanted == port);
        !name.is_empty() && fits && (name == "*" || in_network(&host, name) || in_domain(&host, name))
    })
}

fn in_domain(host: &str, entry: &str) -> bool {
    let entry = entry.strip_prefix('*').unwrap_or(entry);
    match entry.strip_prefix('.') {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => host == entry || host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.')),
    }
}

/// `10.0.0.0/8`
fn in_network(host: &str, entry: &str) -> bool {
    let Some((network, bits)) = entry.split_once('/') else { return false };
    let bits: u32 = bits.parse().unwrap_or(u32::MAX);
    match (host.parse(), network.parse()) {
        (Ok(IpAddr::V4(host)), Ok(IpAddr::V4(network))) if bits <= 32 => {
            (host.to_bits() ^ network.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (Ok(IpAddr::V6(host)), Ok(IpAddr::V6(network))) if bits <= 128 => {
            (host.to_bits() ^ network.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(server: &str, no_proxy: &str) -> bool {
        is_direct(&server.parse().unwrap(), no_proxy)
    }

    #[test]
    fn no_proxy_names_the_server_and_not_the_proxy() {
        assert!(direct("https://10.1.2.3:6443", "example.com, 10.0.0.0/8"));
        assert!(direct("https://api.example.com", "example.com"));
        assert!(direct("https://api.example.com", ".example.com"));
        assert!(direct("https://api.example.com:6443", "example.com:6443"));
        assert!(direct("https://anything", "*"));
        assert!(!direct("https://api.example.com:6443", "example.com:443"));
        assert!(!direct("https://example.com", ".example.com"), "a leading dot means below");
        assert!(!direct("https://notexample.com", "example.com"));
        assert!(!direct("https://11.1.2.3", "10.0.0.0/8"));
        assert!(!direct("https://api.example.com", ""));
    }

    #[test]
    fn a_loopback_server_is_never_asked_through_the_environments_proxy() {
        let environment =
            Environment { https_proxy: Some("proxy.example.com:3128".to_owned()), ..Environment::default() };
        let asked = |server: &str| proxy(&server.parse().unwrap(), &environment, "open").unwrap();
        assert_eq!(asked("https://127.0.0.1:6443"), None);
        assert_eq!(asked("https://10.0.0.1").unwrap(), "http://proxy.example.com:3128/");
        assert_eq!(socks("socks5h://10.0.0.1:1080".parse().unwrap()), "socks5://10.0.0.1:1080/");
    }

    #[test]
    fn a_password_in_the_servers_url_is_not_shown() {
        assert_eq!(shown(&"https://me:secret@host:6443/k8s/".parse().unwrap()), "https://host:6443/k8s");
    }
}
