//! What the user and the environment decide about registries. Captured once; nothing later reads the environment.

use super::unpack;
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// Flags, limits and the environment of one session.
#[derive(Clone, Default)]
pub struct Settings {
    /// `--registry-ca`: a PEM file, added to the system's roots.
    pub authorities: Option<PathBuf>,
    /// `--insecure-registry`: hosts (`host` or `host:port`) that may be spoken to in plain HTTP or with any certificate.
    pub insecure_registries: Vec<String>,
    pub limits: Limits,
    /// How much of a layer is unpacked.
    pub unpack: unpack::Limits,
    /// None: nothing is kept on disk.
    pub cache: Option<CacheSettings>,
    pub environment: Environment,
}

/// Where blobs and manifests are kept between runs.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// Ours alone; what is kept is in a folder below it.
    pub folder: PathBuf,
    /// Bytes; what was not used for longest goes first.
    pub limit: u64,
}

/// What may be asked for and waited for (`reference/registries.md` §6, §9).
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a manifest.
    pub manifest: u64,
    /// Bytes of a layer, or of any blob, as it is sent.
    pub layer: u64,
    /// Bytes of a layer that are kept in memory; a larger one is kept in a temporary file while it is read.
    pub in_memory: u64,
    /// What refers to one manifest, and entries listed of an index.
    pub listed: usize,
    /// Bytes per second below which a blob is not waited for, measured over `slow_for`.
    pub slowest: u64,
    /// How long a blob may come too slowly, or not at all.
    pub slow_for: Duration,
    /// Bytes of one page of tags; some registries send all tags as one page.
    pub tag_page: u64,
    /// Bytes read of an answer that is a failure.
    pub failure: u64,
    /// Bytes of a token service's answer.
    pub token: u64,
    /// Tags of one repository.
    pub tags: usize,
    /// Pages of one tag list.
    pub pages: usize,
    /// Tags asked for per page.
    pub page_size: u32,
    /// Requests in flight per host.
    pub at_once: usize,
    /// Requests per second and host; as many may start together after a pause.
    pub per_second: u32,
    pub connect: Duration,
    /// From sending a request to the head of its answer.
    pub first_byte: Duration,
    /// One page, one HEAD or one manifest, retries included; waiting for a turn is not.
    pub total: Duration,
    pub retries: u32,
    /// The first wait before a retry; it doubles each time.
    pub retry_after: Duration,
    /// A credential helper's time.
    pub helper: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest: 4 << 20,
            layer: 256 << 20,
            in_memory: 64 << 20,
            listed: 1000,
            slowest: 8 << 10,
            slow_for: Duration::from_secs(15),
            tag_page: 32 << 20,
            failure: 64 << 10,
            token: 64 << 10,
            tags: 200_000,
            pages: 500,
            page_size: 1000,
            at_once: 6,
            per_second: 10,
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(15),
            total: Duration::from_secs(30),
            retries: 3,
            retry_after: Duration::from_millis(500),
            helper: Duration::from_secs(10),
        }
    }
}

/// The variables that decide about credentials and proxies. Empty by default.
#[derive(Clone, Default)]
pub struct Environment {
    pub registry_auth_file: Option<PathBuf>,
    pub xdg_runtime_dir: Option<PathBuf>,
    pub xdg_config_home: Option<PathBuf>,
    pub docker_config: Option<PathBuf>,
    pub home: Option<PathBuf>,
    /// For files that last no longer than their reader.
    pub temporary: Option<PathBuf>,
    /// Where credential helpers are looked for.
    pub path: Option<OsString>,
    pub https_proxy: Option<String>,
    pub http_proxy: Option<String>,
    pub all_proxy: Option<String>,
    pub no_proxy: Option<String>,
}

impl Environment {
    /// Reads the process's environment; unset and empty are the same.
    pub fn capture() -> Self {
        let raw = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| raw(name).map(PathBuf::from);
        let text = |names: [&str; 2]| names.iter().find_map(|name| raw(name)?.into_string().ok());
        Self {
            registry_auth_file: path("REGISTRY_AUTH_FILE"),
            xdg_runtime_dir: path("XDG_RUNTIME_DIR"),
            xdg_config_home: path("XDG_CONFIG_HOME"),
            docker_config: path("DOCKER_CONFIG"),
            home: path("HOME"),
            temporary: Some(std::env::temp_dir()),
            path: raw("PATH"),
            https_proxy: text(["HTTPS_PROXY", "https_proxy"]),
            http_proxy: text(["HTTP_PROXY", "http_proxy"]),
            all_proxy: text(["ALL_PROXY", "all_proxy"]),
            no_proxy: text(["NO_PROXY", "no_proxy"]),
        }
    }
}
