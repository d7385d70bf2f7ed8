//! One question, asked with the right login: the registry says how, and what it accepted is kept per repository and
//! login. Never an anonymous question in place of a refused one.

use super::{
    challenge::{Challenge, first_challenge},
    credentials::{Credential, Fingerprint, Keyring, Login},
    failure::{Failure, Retry},
    host::lock,
    memory::Memory,
    place::{Place, Scheme, fits_a_command},
    token::{Errand, Realms, basic, header, pull_scope},
    transport::{Answer, Call, Request, Route, Transport, origin},
};
use crate::domain::{
    artifact::ANONYMOUS,
    problem::{Cause, Problem},
    repository::Upstream,
};
use reqwest::{
    StatusCode,
    header::{HeaderValue, WWW_AUTHENTICATE},
};
use std::sync::{Arc, Mutex, atomic::Ordering};
use tokio::time::Instant;

/// Repositories and registries are named by objects of the cluster: no more of them are remembered.
const MOST_SEATS: usize = 4096;
const MOST_CHALLENGES: usize = 256;

/// Everything needed to ask registries: connections, logins, and what was granted so far.
pub(super) struct Office {
    pub(super) transport: Transport,
    keyring: Keyring,
    seats: Mutex<Memory<SeatId, tokio::sync::Mutex<Seat>>>,
    /// How a registry wants to be asked. What was heard without TLS decides nothing about where a login goes by TLS.
    challenges: Mutex<Memory<ChallengeId, Challenge>>,
    realms: Realms,
}

/// What is asked about, in words for a problem, and about what.
pub(super) struct Question {
    pub(super) what: String,
    pub(super) upstream: Upstream,
    pub(super) place: Place,
}

pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) asked_with: Arc<str>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct SeatId {
    registry: String,
    path: String,
    insecure: bool,
    fingerprint: Fingerprint,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct ChallengeId {
    registry: String,
    insecure: bool,
    http_allowed: bool,
}

/// What one login may do in one repository. Its lock is held while that is being found out: others wait, and do not
/// ask the same.
#[derive(Default)]
struct Seat {
    generation: u64,
    grant: Grant,
}

#[derive(Default)]
enum Grant {
    #[default]
    Unknown,
    /// Nothing was asked for.
    Open,
    Header {
        value: HeaderValue,
        until: Option<Instant>,
    },
}

impl Seat {
    fn take(&mut self, grant: Grant) {
        self.generation += 1;
        self.grant = grant;
    }

    fn header(&self) -> Option<HeaderValue> {
        match &self.grant {
            Grant::Unknown | Grant::Open => None,
            Grant::Header { value, .. } => Some(value.clone()),
        }
    }

    fn is_over(&self) -> bool {
        matches!(&self.grant, Grant::Header { until: Some(until), .. } if *until <= Instant::now())
    }
}

impl Office {
    pub(super) fn new(transport: Transport, keyring: Keyring) -> Self {
        Self {
            transport,
            keyring,
            seats: Mutex::new(Memory::new(MOST_SEATS)),
            challenges: Mutex::new(Memory::new(MOST_CHALLENGES)),
            realms: Realms::default(),
        }
    }

    /// The answer, whatever its status, except for refusals: those are problems that say what to do about the login.
    pub(super) async fn ask(
        &self,
        question: &Question,
        call: &Call,
        tail: &str,
        request: &Request,
    ) -> Result<Reply, Problem> {
        let mut credential = self.keyring.find(&question.place).await?;
        let (mut outcome, mut withheld) = self.ask_as(question, &credential, call, tail, request).await;
        if let Some(asked) = credential.from.as_ref().filter(|_| !withheld && is_refusal(&outcome)) {
            self.keyring.helpers.forget(asked);
            let again = self.keyring.find(&question.place).await?;
            if again.fingerprint() != credential.fingerprint() && !again.is_anonymous() {
                credential = again;
                (outcome, withheld) = self.ask_as(question, &credential, call, tail, request).await;
            }
        }
        let failure = match outcome {
            Ok(reply) => match reply.answer.status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    refused_by(&reply.answer, &question.place)
                }
                _ => return Ok(reply),
            },
            Err(failure) => failure,
        };
        let Question { what, upstream, place } = question;
        let refused = matches!(failure.cause, Cause::Unauthorized | Cause::Forbidden);
        let advised = if withheld && refused {
            failure.with_hint(withheld_words(&credential, place, upstream.insecure))
        } else {
            advise(failure, &credential, place)
        };
        Err(advised.into_problem(what))
    }

    /// The answer, and whether the login was kept back. The cluster decides how a registry may be spoken to, but the
    /// login is the user's: unless the user vouches for the host, it goes by checked https only, and what must be
    /// asked otherwise is asked without it.
    async fn ask_as(
        &self,
        question: &Question,
        credential: &Credential,
        call: &Call,
        tail: &str,
        request: &Request,
    ) -> (Result<Reply, Failure>, bool) {
        let route =
            self.transport.route(&question.upstream, question.place.clone(), credential.fingerprint());
        if credential.is_anonymous() || !route.exposes() {
            return (self.visit(route, credential, call, tail, request).await, false);
        }
        let host = self.transport.host(question.place.registry());
        if !host.unprotected.load(Ordering::Relaxed) {
            let protected = route.protected();
            let outcome = self.visit(protected.clone(), credential, call, tail, request).await;
            let not_to_be_had = outcome.as_ref().err().is_some_and(|failure| {
                failure.retry == Retry::PlainHttp || failure.cause == Cause::Untrusted
            });
            // a registry that did answer by https was not the one that failed
            if !not_to_be_had || self.transport.spoken(&protected).is_some() {
                return (outcome, false);
            }
        }
        let nobody = Credential::anonymous();
        let route = Route { fingerprint: nobody.fingerprint(), ..route };
        let outcome = self.visit(route, &nobody, call, tail, request).await;
        if outcome.is_ok() {
            host.unprotected.store(true, Ordering::Relaxed);
        }
        (outcome, true)
    }

    async fn visit(
        &self,
        route: Route,
        credential: &Credential,
        call: &Call,
        tail: &str,
        request: &Request,
    ) -> Result<Reply, Failure> {
        let visit = Visit { office: self, route, call, credential, tail, request };
        let (answer, with_login) = visit.ask().await?;
        let asked_with = if with_login { Arc::clone(&credential.label) } else { ANONYMOUS.into() };
        Ok(Reply { answer, asked_with })
    }

    fn seat(&self, route: &Route) -> Arc<tokio::sync::Mutex<Seat>> {
        let id = SeatId {
            registry: route.place.registry().to_owned(),
            path: route.place.path().to_owned(),
            insecure: route.insecure,
            fingerprint: route.fingerprint,
        };
        lock(&self.seats).of(id, Default::default)
    }
}

/// Whoever the registry points to never saw a login: another one would change nothing there.
fn refused_by(answer: &Answer, place: &Place) -> Failure {
    let failure = Failure::of_status(answer);
    let schemes = [Scheme::Https, Scheme::Http];
    let own = schemes.iter().filter_map(|&scheme| place.url(scheme, "/v2/").ok());
    if own.into_iter().any(|own| own.origin() == answer.url.origin()) {
        return failure;
    }
    failure.with_hint(format!("the registry points to {}, which refused it", origin(&answer.url)))
}

fn is_refusal(outcome: &Result<Reply, Failure>) -> bool {
    match outcome {
        Ok(reply) => matches!(reply.answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
        Err(failure) => matches!(failure.cause, Cause::Unauthorized | Cause::Forbidden),
    }
}

/// One login at one repository with one request.
struct Visit<'a> {
    office: &'a Office,
    route: Route,
    call: &'a Call,
    credential: &'a Credential,
    tail: &'a str,
    request: &'a Request,
}

impl Visit<'_> {
    /// The answer, and whether a login was shown for it.
    async fn ask(&self) -> Result<(Answer, bool), Failure> {
        let seat = self.office.seat(&self.route);
        let mut guard = seat.lock().await;
        let mut fresh = guard.is_over();
        if fresh || matches!(guard.grant, Grant::Unknown) {
            match self.known_challenge() {
                Some(challenge) => {
                    self.obtain(&mut guard, &challenge, None).await?;
                    fresh = true;
                }
                None => match self.knock(&mut guard).await? {
                    Some(answer) => return Ok((answer, false)),
                    None => fresh = true,
                },
            }
        }
        let (header, generation) = (guard.header(), guard.generation);
        drop(guard);
        let answer = self.send(header.clone()).await?;
        let Some(more) = self.worth_another(&answer, fresh, header.is_some()) else {
            return Ok((answer, header.is_some()));
        };
        let mut guard = seat.lock().await;
        if guard.generation == generation {
            self.obtain(&mut guard, &more, scope_of(&more)).await?;
        }
        let renewed = guard.header();
        drop(guard);
        if renewed == header {
            return Ok((answer, header.is_some()));
        }
        let with_login = renewed.is_some();
        Ok((self.send(renewed).await?, with_login))
    }

    /// The question itself, without a login, tells how the registry wants to be asked. Some: it is answered already.
    async fn knock(&self, seat: &mut Seat) -> Result<Option<Answer>, Failure> {
        let answer = self.send(None).await?;
        let challenge = match answer.status {
            StatusCode::UNAUTHORIZED => self.challenge_of(&answer),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND if !self.credential.is_anonymous() => {
                self.ping().await?
            }
            _ => None,
        };
        let Some(challenge) = challenge else {
            let open = answer.status.is_success() || answer.status == StatusCode::NOT_FOUND;
            if open {
                seat.take(Grant::Open);
            }
            return Ok(Some(answer));
        };
        self.remember(&challenge);
        self.obtain(seat, &challenge, None).await?;
        Ok(if seat.header().is_none() { Some(answer) } else { None })
    }

    /// A registry may hide what it has from those who do not say who they are; `/v2/` tells whether one can.
    async fn ping(&self) -> Result<Option<Challenge>, Failure> {
        let request = Request::get("*/*", self.office.transport.limits.failure);
        let answer = self.office.transport.ask_registry(&self.route, self.call, "/v2/", &request).await?;
        Ok(if answer.status == StatusCode::UNAUTHORIZED { self.challenge_of(&answer) } else { None })
    }

    /// The challenge to meet before asking once more; None if that would bring nothing new.
    fn worth_another(&self, answer: &Answer, fresh: bool, with_login: bool) -> Option<Challenge> {
        let stale = match answer.status {
            StatusCode::UNAUTHORIZED => true,
            // an expired token is a 403 on some registries; a new one tells the two apart
            StatusCode::FORBIDDEN => with_login && !fresh,
            _ => false,
        };
        if !stale {
            return None;
        }
        let challenge = self.challenge_of(answer).inspect(|challenge| self.remember(challenge));
        let challenge = challenge.or_else(|| self.known_challenge())?;
        let own = pull_scope(self.route.place.path());
        let new_scope = scope_of(&challenge).is_some_and(|scope| scope != own);
        (!fresh || new_scope).then_some(challenge)
    }

    async fn obtain(
        &self,
        seat: &mut Seat,
        challenge: &Challenge,
        more: Option<&str>,
    ) -> Result<(), Failure> {
        let grant = match (challenge, &self.credential.login) {
            (_, Login::Registry(token)) => Grant::Header { value: header("Bearer", token)?, until: None },
            (Challenge::Basic, Login::Anonymous) => Grant::Open,
            (
                Challenge::Basic,
                Login::Password { user, password } | Login::Identity { user: Some((user, password)), .. },
            ) => Grant::Header { value: basic(user, password)?, until: None },
            (Challenge::Basic, Login::Identity { user: None, .. }) => {
                let why = "the registry wants a password, and this login is an identity token";
                return Err(Failure::new(Cause::Unauthorized, why));
            }
            (Challenge::Bearer(bearer), _) => {
                let Self { office: Office { transport, realms, .. }, route, call, credential, .. } = self;
                let token = Errand { transport, realms, route, call, credential }.fetch(bearer, more).await?;
                let until = Some(Instant::now() + token.life);
                Grant::Header { value: header("Bearer", &token.value)?, until }
            }
        };
        seat.take(grant);
        Ok(())
    }

    async fn send(&self, authorization: Option<HeaderValue>) -> Result<Answer, Failure> {
        let request = Request { authorization, ..self.request.clone() };
        self.office.transport.ask_registry(&self.route, self.call, self.tail, &request).await
    }

    /// Only the registry itself may say where a login goes, not a host it redirects to.
    fn challenge_of(&self, answer: &Answer) -> Option<Challenge> {
        let scheme = if answer.url.scheme() == "http" { Scheme::Http } else { Scheme::Https };
        let own = self.route.place.url(scheme, "/v2/").ok()?;
        if own.origin() != answer.url.origin() {
            return None;
        }
        first_challenge(
            answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()),
        )
    }

    fn key(&self) -> ChallengeId {
        let Route { insecure, http_allowed, .. } = self.route;
        ChallengeId { registry: self.route.place.registry().to_owned(), insecure, http_allowed }
    }

    fn known_challenge(&self) -> Option<Challenge> {
        lock(&self.office.challenges).get(&self.key()).map(|challenge| Challenge::clone(&challenge))
    }

    fn remember(&self, challenge: &Challenge) {
        let mut kept = challenge.clone();
        if let Challenge::Bearer(bearer) = &mut kept {
            bearer.scope = None;
        }
        lock(&self.office.challenges).insert(self.key(), kept);
    }
}

fn scope_of(challenge: &Challenge) -> Option<&str> {
    match challenge {
        Challenge::Basic => None,
        Challenge::Bearer(bearer) => bearer.scope.as_deref(),
    }
}

/// What to do about a refused login: a new one, or, since an old one can hide what is public, none.
fn advise(failure: Failure, credential: &Credential, place: &Place) -> Failure {
    let host = place.host().to_string();
    if failure.cause == Cause::Unreachable && [".svc", ".cluster.local"].iter().any(|end| host.ends_with(end))
    {
        return failure
            .with_hint("this name is known inside the cluster only: its registry cannot be asked from here");
    }
    if !matches!(failure.cause, Cause::Unauthorized | Cause::Forbidden) || failure.hint.is_some() {
        return failure;
    }
    let login = login_command(place.registry());
    let command = |what: &str| login.as_ref().map(|login| format!(": `{login}` {what}")).unwrap_or_default();
    if credential.is_anonymous() {
        let made = command("makes one");
        return failure.with_hint(format!(
            "asked without a login, as none was found for {}{made}; \
             a repository that does not exist can look like this too",
            place.registry()
        ));
    }
    let renewed = command("renews it");
    failure.with_hint(format!(
        "asked with {}{renewed}; a stale login can break even a public pull: \
         with REGISTRY_AUTH_FILE=/dev/null fluxscope asks without one",
        credential.label
    ))
}

fn withheld_words(credential: &Credential, place: &Place, insecure: bool) -> String {
    let registry = place.registry();
    let why = if insecure {
        "only spec.insecure of the object allows an unprotected connection"
    } else {
        "the connection is plain HTTP, and the host is not this machine"
    };
    let named = if fits_a_command(registry) {
        format!("`--insecure-registry {registry}`")
    } else {
        "naming the host by --insecure-registry".to_owned()
    };
    format!(
        "a login for {registry} exists ({}) and was not sent, because {why}; {named} would allow it",
        credential.label
    )
}

/// None where the name could mean something to a shell: it comes from the cluster.
fn login_command(registry: &str) -> Option<String> {
    fits_a_command(registry).then(|| login_command_of(registry))
}

fn login_command_of(registry: &str) -> String {
    let host = registry.split(':').next().unwrap_or_default();
    let labels: Vec<&str> = host.split('.').collect();
    if let [_, "dkr", "ecr" | "ecr-fips", region, "amazonaws", ..] = labels.as_slice() {
        let user = "docker login --username AWS --password-stdin";
        return format!("aws ecr get-login-password --region {region} | {user} {registry}");
    }
    match labels.as_slice() {
        [name, "azurecr", _] => format!("az acr login --name {name}"),
        [.., "gcr", "io"] | [.., "pkg", "dev"] => format!("gcloud auth configure-docker {registry}"),
        ["index", "docker", "io"] => "docker login".to_owned(),
        _ => format!("docker login {registry}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{login_command, login_command_of};

    #[test]
    fn a_name_with_marks_of_the_shell_stands_in_no_command() {
        for bad in ["a.io$(id)", "a.io;id", "a.io&", "(a).io", "a'.io", "-v.io"] {
            assert_eq!(login_command(bad), None, "{bad}");
        }
        assert_eq!(login_command("[::1]:5000").as_deref(), Some("docker login [::1]:5000"));
    }

    #[test]
    fn the_advice_fits_the_cloud() {
        let ecr = login_command_of("123456789012.dkr.ecr.eu-west-1.amazonaws.com");
        assert!(ecr.starts_with("aws ecr get-login-password --region eu-west-1 |"), "{ecr}");
        assert_eq!(login_command_of("acme.azurecr.io"), "az acr login --name acme");
        assert_eq!(
            login_command_of("europe-docker.pkg.dev"),
            "gcloud auth configure-docker europe-docker.pkg.dev"
        );
        assert_eq!(login_command_of("127.0.0.1:5000"), "docker login 127.0.0.1:5000");
    }
}
