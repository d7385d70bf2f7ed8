//! Requests over HTTP with limits, deadlines, retries and our own redirect rule. It knows no login: a header is given.

use super::{
    clients::{Clients, Peer},
    credentials::Fingerprint,
    failure::{Failure, Retry, delay_of},
    host::{Host, Hosts, Turn},
    place::{Place, Scheme, is_loopback, is_private},
    settings::{Limits, Settings},
};
use crate::domain::{
    problem::{Cause, Problem},
    repository::Upstream,
};
use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, Response, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};
use url::{Host as UrlHost, Url};

const MOST_REDIRECTS: usize = 5;

pub(super) struct Transport {
    pub(super) limits: Limits,
    clients: Clients,
    hosts: Hosts,
    insecure: Vec<String>,
}

/// How one registry may be spoken to, and as whom.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) place: Place,
    /// Any certificate will do, and plain HTTP.
    pub(super) insecure: bool,
    pub(super) http_allowed: bool,
    /// The user, not the cluster, says that a login may go there without TLS: `--insecure-registry`, or this machine.
    pub(super) vouched: bool,
    pub(super) fingerprint: Fingerprint,
}

impl Route {
    /// Whether what is sent there may be read by others, and the user did not say that this is fine.
    pub(super) fn exposes(&self) -> bool {
        !self.vouched && (self.insecure || self.http_allowed)
    }

    /// The same, by https with a certificate that was checked, or not at all.
    pub(super) fn protected(&self) -> Self {
        Self { insecure: false, http_allowed: false, ..self.clone() }
    }
}

/// One question with its deadline; it may take several requests. The clock starts with the first of them.
pub(super) struct Call {
    total: Duration,
    started: OnceLock<Instant>,
    requests: AtomicU32,
}

#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) accept: &'static str,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) form: Option<String>,
    /// Bytes read of a good answer.
    pub(super) limit: u64,
    /// The option that raises this limit.
    pub(super) option: Option<&'static str>,
    /// What to do with a good answer's body, and with a redirect.
    pub(super) body: Body,
    /// False for what goes to a token service.
    pub(super) counted: bool,
    /// False for the next page of a list: it comes behind the one before, never beside it.
    pub(super) paced: bool,
}

/// How a good answer is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Read whole, up to the limit.
    Whole,
    /// The same, but a redirect is an answer and is not followed.
    Here,
    /// Handed on unread, from this byte on where the registry allows it.
    Stream { from: u64 },
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What was not read: only of a good answer to a request for a stream.
    pub(super) rest: Option<Rest>,
    /// Who answered, after redirects.
    pub(super) url: Url,
}

/// A body on its way. It keeps its host's turn: a download is a request in flight until its last byte.
pub(super) struct Rest {
    response: Response,
    turn: Option<Turn>,
}

impl Rest {
    /// The next bytes; None at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        let chunk = self.response.chunk().await.map_err(|error| Failure::of(&error))?;
        if chunk.is_none() {
            self.turn = None;
        }
        Ok(chunk)
    }

    pub(super) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }
}

impl Request {
    pub(super) fn get(accept: &'static str, limit: u64) -> Self {
        let (method, body) = (Method::GET, Body::Whole);
        Self {
            method,
            accept,
            authorization: None,
            form: None,
            limit,
            option: None,
            body,
            counted: true,
            paced: true,
        }
    }

    /// A manifest or an index.
    pub(super) fn document(accept: &'static str, limits: &Limits) -> Self {
        Self { option: Some("--max-manifest-bytes"), ..Self::get(accept, limits.manifest) }
    }
}

impl Answer {
    /// The media type in lower case, without parameters.
    pub(super) fn content_type(&self) -> Option<String> {
        let value = self.header(header::CONTENT_TYPE.as_str())?;
        Some(value.split(';').next()?.trim().to_ascii_lowercase()).filter(|kind| !kind.is_empty())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn asked_to_wait(&self) -> Option<Duration> {
        delay_of(&self.headers, &self.body)
    }

    /// The statuses that pass by themselves; go-containerregistry retries the same.
    fn is_passing(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
    }
}

impl Call {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { total: limits.total, started: OnceLock::new(), requests: AtomicU32::new(0) }
    }

    /// Requests sent to the registry itself.
    pub(super) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    fn left(&self) -> Duration {
        self.total.saturating_sub(self.started.get_or_init(Instant::now).elapsed())
    }
}

impl Transport {
    pub(super) fn new(settings: Settings) -> Result<Self, Problem> {
        let clients = Clients::new(&settings)?;
        let insecure = settings.insecure_registries;
        Ok(Self { limits: settings.limits, clients, hosts: Hosts::default(), insecure })
    }

    pub(super) fn route(&self, upstream: &Upstream, place: Place, fingerprint: Fingerprint) -> Route {
        let named = self.insecure.iter().any(|host| {
            host.eq_ignore_ascii_case(place.registry())
                || host.eq_ignore_ascii_case(&place.host().to_string())
        });
        let insecure = upstream.insecure || named;
        let http_allowed = upstream.repository.allows_http(insecure);
        // a private network is no wire of our own: plain HTTP is tried there as Flux does, but without a login
        let vouched = named || is_loopback(place.host());
        Route { place, insecure, http_allowed, vouched, fingerprint }
    }

    /// The scheme this registry was spoken to, if this route may use it.
    pub(super) fn spoken(&self, route: &Route) -> Option<Scheme> {
        let scheme = self.host(route.place.registry()).scheme(route.insecure);
        scheme.filter(|scheme| route.http_allowed || *scheme == Scheme::Https)
    }

    pub(super) fn host(&self, authority: &str) -> Arc<Host> {
        self.hosts.of(authority, &self.limits)
    }

    /// Asks the registry: by https, or by http where that is allowed and https is not spoken.
    pub(super) async fn ask_registry(
        &self,
        route: &Route,
        call: &Call,
        tail: &str,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let host = self.host(route.place.registry());
        let url = |scheme| route.place.url(scheme, tail).map_err(|why| Failure::new(Cause::Usage, why));
        let known = self.spoken(route);
        let first = known.unwrap_or(Scheme::Https);
        let refused = match self.ask(route, call, &url(first)?, request).await {
            Err(failure) if failure.retry == Retry::PlainHttp && known.is_none() && route.http_allowed => {
                failure
            }
            outcome => {
                if outcome.is_ok() {
                    host.remember_scheme(route.insecure, first);
                }
                return outcome;
            }
        };
        match self.ask(route, call, &url(Scheme::Http)?, request).await {
            Ok(answer) => {
                host.remember_scheme(route.insecure, Scheme::Http);
                Ok(answer)
            }
            Err(failure) if failure.retry == Retry::PlainHttp || failure.cause == Cause::Unreachable => {
                let why = format!("https: {}; http: {}", refused.why, failure.why);
                Err(Failure { why, ..failure })
            }
            Err(failure) => Err(failure),
        }
    }

    /// One request to one URL, in turn with the others to that host, retried while that makes sense.
    pub(super) async fn ask(
        &self,
        route: &Route,
        call: &Call,
        url: &Url,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let host = self.host(url.authority());
        let mut attempt = 0;
        loop {
            let turn = host.admit(request.paced).await?;
            let mut outcome = self.follow(route, call, url, request).await;
            match outcome.as_mut().ok().and_then(|answer| answer.rest.as_mut()) {
                Some(rest) => rest.turn = Some(turn),
                None => drop(turn),
            }
            let wait = match &outcome {
                Ok(answer) if answer.is_passing() => self.wait_after(&host, answer, attempt),
                Ok(_) => {
                    host.answered_well();
                    return outcome;
                }
                Err(failure) if failure.retry == Retry::Again => self.pause(attempt),
                Err(_) => return outcome,
            };
            if attempt >= self.limits.retries || wait >= call.left() {
                return outcome;
            }
            attempt += 1;
            sleep(wait).await;
        }
    }

    fn wait_after(&self, host: &Host, answer: &Answer, attempt: u32) -> Duration {
        let asked = answer.asked_to_wait();
        let wait = asked.unwrap_or_else(|| self.pause(attempt));
        if asked.is_some() || answer.status == StatusCode::TOO_MANY_REQUESTS {
            host.slow_down(wait);
        }
        wait
    }

    /// Doubles, plus up to a half by chance so that those who failed together do not come back together.
    fn pause(&self, attempt: u32) -> Duration {
        let base = self.limits.retry_after * 2_u32.saturating_pow(attempt.min(8));
        let chance = u32::try_from(RandomState::new().hash_one(attempt) % 500).unwrap_or_default();
        base + base * chance / 1000
    }

    async fn follow(
        &self,
        route: &Route,
        call: &Call,
        first: &Url,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let mut url = first.clone();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send(route, call, first, &url, request).await?;
            match redirect_target(&response) {
                Some(target) if request.form.is_none() && request.body != Body::Here => {
                    url = check_redirect(route, &url, &target)?;
                }
                Some(_) | None => return self.read(call, response, url, request).await,
            }
        }
        Err(Failure::new(
            Cause::Invalid,
            format!("more than {MOST_REDIRECTS} redirects, the last to {}", origin(&url)),
        ))
    }

    async fn send(
        &self,
        route: &Route,
        call: &Call,
        first: &Url,
        url: &Url,
        request: &Request,
    ) -> Result<Response, Failure> {
        let client = self.clients.of(&peer(route, url)).await?;
        let mut builder =
            client.request(request.method.clone(), url.clone()).header(header::ACCEPT, request.accept);
        if let Some(authorization) = request.authorization.as_ref().filter(|_| url.origin() == first.origin())
        {
            builder = builder.header(header::AUTHORIZATION, authorization.clone());
        }
        if let Body::Stream { from: from @ 1.. } = request.body {
            builder = builder.header(header::RANGE, format!("bytes={from}-"));
        }
        if let Some(form) = &request.form {
            builder =
                builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone());
        }
        let patience = self.limits.first_byte.min(call.left());
        let sent = timeout(patience, builder.send()).await;
        let arrived = !matches!(&sent, Ok(Err(error)) if error.is_connect());
        call.requests.fetch_add(u32::from(arrived && request.counted), Ordering::Relaxed);
        match sent {
            Ok(sent) => sent.map_err(|error| Failure::of(&error)),
            Err(_) => Err(Failure::timed_out("no answer", patience)),
        }
    }

    async fn read(
        &self,
        call: &Call,
        mut response: Response,
        url: Url,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let status = response.status();
        let headers = response.headers().clone();
        let good = status.is_success();
        if good && matches!(request.body, Body::Stream { .. }) {
            let rest = Some(Rest { response, turn: None });
            return Ok(Answer { status, headers, body: Bytes::new(), rest, url });
        }
        let limit = if good { request.limit } else { self.limits.failure };
        let too_long = || {
            let failure = Failure::new(Cause::Invalid, format!("the answer is longer than {}", size(limit)));
            match request.option {
                Some(option) => failure.with_hint(format!("{option} raises the limit")),
                None => failure,
            }
        };
        if good
            && request.method != Method::HEAD
            && response.content_length().is_some_and(|length| length > limit)
        {
            return Err(too_long());
        }
        let mut body = BytesMut::new();
        loop {
            let chunk = match timeout(call.left(), response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(Failure::of(&error)),
                Err(_) => return Err(Failure::timed_out("the answer did not end", self.limits.total)),
            };
            if (body.len() + chunk.len()) as u64 > limit {
                if good {
                    return Err(too_long());
                }
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.freeze(), rest: None, url })
    }
}

/// Certificates go unchecked only on the insecure registry itself, never where it points.
fn peer(route: &Route, url: &Url) -> Peer {
    let host = url.host().map(|host| host.to_owned());
    let own = host.as_ref() == Some(route.place.host());
    Peer {
        host: url.authority().to_owned(),
        fingerprint: route.fingerprint,
        verified: !(route.insecure && own),
    }
}

fn redirect_target(response: &Response) -> Option<String> {
    let redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let target = response.headers().get(header::LOCATION).filter(|_| redirect)?;
    target.to_str().ok().map(str::to_owned)
}

fn check_redirect(route: &Route, from: &Url, target: &str) -> Result<Url, Failure> {
    let refuse = |why: &str| Err(Failure::new(Cause::Invalid, format!("redirect refused: {why}")));
    let Ok(to) = from.join(target) else { return refuse("its target is not a URL") };
    let near = |host: UrlHost<&str>| is_private(&host.to_owned());
    match to.scheme() {
        "https" => {}
        "http" if from.scheme() == "http" => {}
        _ => return refuse(&format!("from {} to {}", from.scheme(), origin(&to))),
    }
    if !to.username().is_empty() || to.password().is_some() {
        return refuse("its target holds a login");
    }
    if to.host().is_none_or(near) && !is_private(route.place.host()) {
        return refuse(&format!("to the private address {}", origin(&to)));
    }
    Ok(to)
}

/// Scheme, host and port: a whole URL may hold a signature or a token.
pub(super) fn origin(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.authority().rsplit('@').next().unwrap_or_default())
}

pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{}.{} GiB", bytes >> 30, (bytes >> 20) % 1024 * 10 / 1024),
    }
}
