//! A registry in this process: a function answers each request, and a log tells who asked for what and with which login.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, Response, StatusCode},
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    /// With the query; absolute where a proxy was asked.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn login(&self) -> Option<&str> {
        self.header("authorization")
    }

    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// None: the request is never answered.
pub(super) type Reply = Option<Response<Body>>;

pub(super) struct Server {
    pub(super) address: SocketAddr,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// `answer` gets the request and the number of those before it.
    pub(super) async fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (log, router) = router(answer);
        run(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, log }
    }

    /// With a certificate of `tls/authority.pem` for 127.0.0.1, localhost and registry.test.
    pub(super) async fn start_tls(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (log, router) = router(answer);
        let listener = TlsListener { listener, acceptor: acceptor() };
        run(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, log }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    /// `GET /v2/a/tags/list?n=1000` and so on, without the host.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }

    pub(super) fn logins(&self) -> Vec<Option<String>> {
        self.seen().iter().map(|seen| seen.login().map(str::to_owned)).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "the server lives as long as the test's own runtime")]
fn run(server: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(server);
}

fn router(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> (Arc<Mutex<Vec<Seen>>>, Router) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (kept, answer) = (Arc::clone(&log), Arc::new(answer));
    let handler = move |request: Request| {
        let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
            let seen = Seen {
                method: parts.method.to_string(),
                target: parts.uri.to_string(),
                headers: parts.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            let before = {
                let mut log = kept.lock().unwrap();
                log.push(seen.clone());
                log.len() - 1
            };
            match answer(&seen, before) {
                Some(response) => response,
                None => std::future::pending().await,
            }
        }
    };
    (log, Router::new().fallback(handler))
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server-key.pem")).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

pub(super) fn json(document: &Value) -> Response<Body> {
    answer(200, &[("content-type", "application/json")], document.to_string())
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// A registry's error document.
pub(super) fn complaint(status: u16, headers: &[(&str, &str)], code: &str, message: &str) -> Response<Body> {
    let body = json!({"errors": [{"code": code, "message": message, "detail": null}]});
    answer(status, headers, body.to_string())
}

/// Begins and never ends.
pub(super) fn dripping() -> Response<Body> {
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\"tags\":["))]);
    answer(200, &[], Body::from_stream(first.chain(stream::pending())))
}

/// Breaks off in the middle.
pub(super) fn broken() -> Response<Body> {
    let parts = [Ok(Bytes::from_static(b"{\"tags\":[")), Err(io::Error::other("gone"))];
    answer(200, &[], Body::from_stream(stream::iter(parts)))
}

pub(super) fn tags(names: &[&str]) -> Response<Body> {
    json(&json!({"name": "acme/fleet", "tags": names}))
}

/// An artifact as `flux push artifact` makes it.
pub(super) const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.cncf.flux.config.v1+json","size":233,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[{"mediaType":"application/vnd.cncf.flux.content.v1.tar+gzip","size":1091,"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}],"annotations":{"org.opencontainers.image.created":"2026-02-10T10:47:19Z"}}"#;
pub(super) const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

pub(super) fn manifest_digest() -> String {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(MANIFEST);
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// HEAD or GET of the manifest as a good registry answers it.
pub(super) fn manifest() -> Response<Body> {
    answer(200, &[("content-type", OCI_IMAGE), ("docker-content-digest", &manifest_digest())], MANIFEST)
}
