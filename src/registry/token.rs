//! Bearer tokens: where they may be asked for, and with what. A login goes to the registry's own realm or nowhere.

use super::{
    challenge::Bearer,
    credentials::{Credential, Login},
    failure::Failure,
    host::lock,
    place::{Scheme, is_private},
    secret::Secret,
    transport::{Answer, Call, Request, Route, Transport, origin},
};
use crate::domain::problem::Cause;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode, header::HeaderValue};
use serde::Deserialize;
use std::{collections::HashMap, sync::Mutex, time::Duration};
use url::{Url, form_urlencoded};

/// The life of a token that does not say its own (distribution's token specification).
const DEFAULT_LIFE: u64 = 60;

pub(super) struct Token {
    pub(super) value: Secret,
    pub(super) life: Duration,
}

/// What a token is asked for: the right to pull one repository, and whatever the registry added.
pub(super) struct Errand<'a> {
    pub(super) transport: &'a Transport,
    pub(super) realms: &'a Realms,
    pub(super) route: &'a Route,
    pub(super) call: &'a Call,
    pub(super) credential: &'a Credential,
}

/// The token service a registry's login went to first. It is the only one that gets it in this session.
/// Only registries that this workstation holds a login for are in it, so it does not grow with the cluster.
#[derive(Default)]
pub(super) struct Realms(Mutex<HashMap<String, String>>);

impl Realms {
    fn admit(&self, registry: &str, realm: &Url) -> Result<(), Failure> {
        let realm = origin(realm);
        let mut realms = lock(&self.0);
        let first = realms.entry(registry.to_owned()).or_insert_with(|| realm.clone());
        if *first == realm {
            return Ok(());
        }
        let why = format!(
            "{registry} sends its logins to {realm} now, and sent them to {first} before: the login was not sent"
        );
        Err(Failure::new(Cause::Invalid, why)
            .with_hint("if that move is meant, a new start of fluxscope accepts it"))
    }
}

pub(super) fn pull_scope(path: &str) -> String {
    format!("repository:{path}:pull")
}

impl Errand<'_> {
    pub(super) async fn fetch(&self, bearer: &Bearer, more: Option<&str>) -> Result<Token, Failure> {
        let spoken = self.transport.spoken(self.route);
        let realm = check_realm(self.route, spoken.unwrap_or(Scheme::Https), &bearer.realm, self.credential)?;
        match &self.credential.login {
            Login::Anonymous | Login::Registry(_) => {}
            Login::Password { .. } | Login::Identity { .. } => {
                self.realms.admit(self.route.place.registry(), &realm)?;
            }
        }
        let scope = pull_scope(self.route.place.path());
        let scopes: Vec<&str> =
            more.filter(|more| *more != scope).into_iter().chain([scope.as_str()]).collect();
        let answer = match &self.credential.login {
            Login::Identity { token, user } => {
                self.refresh(&realm, bearer, &scopes, token, user.as_ref()).await?
            }
            Login::Password { user, password } => {
                self.get(&realm, bearer, &scopes, Some(basic(user, password)?)).await?
            }
            Login::Anonymous | Login::Registry(_) => self.get(&realm, bearer, &scopes, None).await?,
        };
        if !answer.status.is_success() {
            return Err(self.refused(&realm, &answer));
        }
        read_token(&answer.body).ok_or_else(|| {
            Failure::new(Cause::Invalid, format!("the token service at {} gave no token", origin(&realm)))
        })
    }

    async fn get(
        &self,
        realm: &Url,
        bearer: &Bearer,
        scopes: &[&str],
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let mut url = realm.clone();
        {
            let mut pairs = url.query_pairs_mut();
            if let Some(service) = &bearer.service {
                pairs.append_pair("service", service);
            }
            for scope in scopes {
                pairs.append_pair("scope", scope);
            }
        }
        let request = self.request();
        self.transport.ask(self.route, self.call, &url, &Request { authorization, ..request }).await
    }

    /// OAuth's refresh; token services without it answer 404, and are asked with the password if there is one.
    async fn refresh(
        &self,
        realm: &Url,
        bearer: &Bearer,
        scopes: &[&str],
        token: &Secret,
        user: Option<&(String, Secret)>,
    ) -> Result<Answer, Failure> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", "fluxscope")
            .append_pair("service", bearer.service.as_deref().unwrap_or_default())
            .append_pair("scope", &scopes.join(" "))
            .append_pair("refresh_token", token.expose())
            .finish();
        let request = Request { method: Method::POST, form: Some(form), ..self.request() };
        let answer = self.transport.ask(self.route, self.call, realm, &request).await?;
        match user {
            Some((user, password)) if answer.status == StatusCode::NOT_FOUND => {
                self.get(realm, bearer, scopes, Some(basic(user, password)?)).await
            }
            _ => Ok(answer),
        }
    }

    fn request(&self) -> Request {
        Request { counted: false, ..Request::get("application/json", self.transport.limits.token) }
    }

    fn refused(&self, realm: &Url, answer: &Answer) -> Failure {
        let mut failure = Failure::of_status(answer);
        let whom = if self.credential.is_anonymous() { "an anonymous question" } else { "this login" };
        failure.why = format!("the token service at {} refused {whom}: {}", origin(realm), failure.why);
        if failure.cause == Cause::NotFound {
            failure.cause = Cause::Invalid;
        }
        failure
    }
}

/// Where a registry may send us for a token: https (http only beside a registry that is spoken to by http), no private
/// address but the registry's own host, and no login in clear to another host.
fn check_realm(route: &Route, spoken: Scheme, realm: &str, credential: &Credential) -> Result<Url, Failure> {
    let refuse = |why: String| {
        let registry = route.place.registry();
        Err(Failure::new(
            Cause::Invalid,
            format!("{registry} names a token service that is not asked: {why}"),
        ))
    };
    let Ok(mut url) = Url::parse(realm) else { return refuse("its realm is not a URL".to_owned()) };
    url.set_fragment(None);
    let Some(host) = url.host().map(|host| host.to_owned()) else { return refuse("no host".to_owned()) };
    let own = host == *route.place.host();
    let place = origin(&url);
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("its realm holds a login".to_owned());
    }
    match (url.scheme(), spoken) {
        ("https", _) => {}
        ("http", Scheme::Http) if own || credential.is_anonymous() => {}
        ("http", Scheme::Http) => {
            return refuse(format!("the login would go in clear to another host, {place}"));
        }
        _ => return refuse(format!("{place} is not https")),
    }
    if is_private(&host) && !own {
        return refuse(format!("{place} is a private address"));
    }
    Ok(url)
}

pub(super) fn basic(user: &str, password: &Secret) -> Result<HeaderValue, Failure> {
    let pair = Secret::new(format!("{user}:{}", password.expose()));
    header("Basic", &Secret::new(STANDARD.encode(pair.expose())))
}

pub(super) fn header(scheme: &str, value: &Secret) -> Result<HeaderValue, Failure> {
    let text = Secret::new(format!("{scheme} {}", value.expose()));
    let mut header = HeaderValue::from_str(text.expose()).map_err(|_| {
        Failure::new(Cause::Invalid, "the login or token holds characters no header can carry")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

#[derive(Deserialize)]
struct Grant {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Value>,
}

/// A tenth of a token's life, at most ten seconds, is left unused: it must hold until the request arrives.
fn read_token(body: &[u8]) -> Option<Token> {
    let grant: Grant = serde_json::from_slice(body).ok()?;
    let value = [grant.token, grant.access_token].into_iter().flatten().find(|token| !token.is_empty())?;
    let said = grant.expires_in.and_then(|life| life.as_u64()).unwrap_or(DEFAULT_LIFE);
    let life = Duration::from_secs(said.min(24 * 3600));
    let life = life.saturating_sub((life / 10).min(Duration::from_secs(10)));
    Some(Token { value: Secret::new(value), life })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_either_name_and_a_life_of_a_minute_if_it_says_none() {
        let read = |text: &str| {
            read_token(text.as_bytes()).map(|token| (token.value.expose().to_owned(), token.life))
        };
        let minute = Duration::from_secs(54);
        assert_eq!(read(r#"{"token":"a","access_token":"b"}"#), Some(("a".to_owned(), minute)));
        assert_eq!(
            read(r#"{"token":"","access_token":"b","expires_in":"?"}"#),
            Some(("b".to_owned(), minute))
        );
        assert_eq!(
            read(r#"{"token":"a","expires_in":300}"#),
            Some(("a".to_owned(), Duration::from_secs(290)))
        );
        assert_eq!(read("{}"), None);
        assert_eq!(read("<html>"), None);
    }
}
