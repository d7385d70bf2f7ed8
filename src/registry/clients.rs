//! HTTP clients: one per registry, credential and TLS setting, so that no connection serves two credentials.
//! They follow no redirect, send no Referer and unpack no body by themselves.

use super::{
    credentials::Fingerprint,
    failure::Failure,
    host::lock,
    memory::Memory,
    settings::{Environment, Limits, Settings},
};
use crate::domain::problem::{Cause, Problem, chain};
use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, redirect};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::OnceCell;

/// Whom a client talks to, and as whom.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) fingerprint: Fingerprint,
    /// False only for a registry the user or the object calls insecure.
    pub(super) verified: bool,
}

/// More clients, with their idle connections, are not kept.
const MOST: usize = 256;

pub(super) struct Clients {
    plan: Arc<Plan>,
    open: Mutex<Memory<Peer, OnceCell<Client>>>,
}

/// What all clients have in common.
struct Plan {
    authorities: Vec<Certificate>,
    proxies: Vec<Proxy>,
    connect: Duration,
}

impl Clients {
    /// Reads `--registry-ca` and the proxies; what is wrong with them is a problem now and not at the first request.
    pub(super) fn new(settings: &Settings) -> Result<Self, Problem> {
        let Settings { limits: Limits { connect, .. }, environment, .. } = settings;
        let authorities = settings.authorities.as_deref().map(read_authorities).transpose()?;
        let authorities = authorities.unwrap_or_default();
        let plan = Plan { authorities, proxies: proxies(environment)?, connect: *connect };
        Ok(Self { plan: Arc::new(plan), open: Mutex::new(Memory::new(MOST)) })
    }

    /// Built once however many ask, and not on a thread that others wait for: it reads the system's trust store.
    pub(super) async fn of(&self, peer: &Peer) -> Result<Client, Failure> {
        let place = lock(&self.open).of(peer.clone(), OnceCell::new);
        let verified = peer.verified;
        let client = place.get_or_try_init(|| async {
            let plan = Arc::clone(&self.plan);
            let built = tokio::task::spawn_blocking(move || plan.build(verified)).await;
            built.unwrap_or_else(|error| Err(Failure::new(Cause::Other, error.to_string())))
        });
        Ok(client.await?.clone())
    }
}

impl Plan {
    fn build(&self, verified: bool) -> Result<Client, Failure> {
        let certificates = || self.authorities.iter().cloned();
        if !verified {
            return finish(self.start().tls_danger_accept_invalid_certs(true));
        }
        match finish(self.start().tls_certs_merge(certificates())) {
            Ok(client) => Ok(client),
            // without any system root the client cannot be made, yet plain HTTP and --registry-ca need none
            Err(_) => finish(self.start().tls_certs_only(certificates())),
        }
    }

    fn start(&self) -> ClientBuilder {
        let builder = Client::builder()
            .user_agent(concat!("fluxscope/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect)
            .pool_idle_timeout(Duration::from_secs(30))
            .no_proxy();
        self.proxies.iter().cloned().fold(builder, ClientBuilder::proxy)
    }
}

fn finish(builder: ClientBuilder) -> Result<Client, Failure> {
    builder.build().map_err(|error| Failure::new(Cause::Other, chain(&error)))
}

fn read_authorities(file: &Path) -> Result<Vec<Certificate>, Problem> {
    let problem = |why: String| {
        Problem::new(Cause::Usage, format!("read the certificate authorities of {}", file.display()), why)
            .with_hint("--registry-ca takes a PEM file with one or more CERTIFICATE blocks")
    };
    let pem = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| problem(chain(&error)))?;
    if certificates.is_empty() {
        return Err(problem("it holds no certificate".to_owned()));
    }
    // the roots are checked only when a client is made of them alone
    let alone = Client::builder().no_proxy().tls_certs_only(certificates.iter().cloned()).build();
    alone.map_err(|error| problem(chain(&error)))?;
    Ok(certificates)
}

/// The proxies of the environment. As in Go (and so in Flux), what runs on this machine is never asked through one.
fn proxies(environment: &Environment) -> Result<Vec<Proxy>, Problem> {
    let mut direct = "localhost,127.0.0.0/8,::1".to_owned();
    if let Some(more) = &environment.no_proxy {
        direct = format!("{direct},{more}");
    }
    let make = |name: &str, address: &Option<String>, of: fn(String) -> reqwest::Result<Proxy>| {
        let Some(address) = address else { return Ok(None) };
        let address = if address.contains("://") { address.clone() } else { format!("http://{address}") };
        match of(address) {
            Ok(proxy) => Ok(Some(proxy.no_proxy(NoProxy::from_string(&direct)))),
            // the value may hold a password: it is not repeated
            Err(_) => {
                Err(Problem::new(Cause::Usage, format!("read {name}"), "its value is not a proxy's URL"))
            }
        }
    };
    let http = make("HTTP_PROXY", &environment.http_proxy, Proxy::http)?;
    let https = make("HTTPS_PROXY", &environment.https_proxy, Proxy::https)?;
    let all = make("ALL_PROXY", &environment.all_proxy, Proxy::all)?;
    Ok([http, https, all].into_iter().flatten().collect())
}
