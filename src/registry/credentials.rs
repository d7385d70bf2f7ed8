//! Which login this workstation holds for a repository: the files of containers and docker, in their order.
//! It never asks a registry, and never says a value: only where it stands.

use super::{helper::Helpers, place::Place, secret::Secret, settings::Settings};
use crate::domain::{
    artifact::ANONYMOUS,
    problem::{Cause, Problem},
    repository::DOCKER_HUB,
};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Larger files are not credentials.
const LARGEST_FILE: u64 = 4 << 20;
/// The name under which helpers know Docker Hub.
pub(super) const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// A login, and the words that say where it stands.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) label: Arc<str>,
    pub(super) login: Login,
    /// The helper that gave it, to be asked again when a registry refuses it.
    pub(super) from: Option<Asked>,
}

#[derive(Debug, Clone)]
pub(super) enum Login {
    Anonymous,
    Password {
        user: String,
        password: Secret,
    },
    /// A refresh token, given to the token service only.
    Identity {
        token: Secret,
        user: Option<(String, Secret)>,
    },
    /// A bearer token for the registry itself.
    Registry(Secret),
}

/// A helper and the server it was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) helper: String,
    pub(super) server: String,
}

/// Tells two logins apart without holding either.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Credential {
    pub(super) fn anonymous() -> Self {
        Self { label: ANONYMOUS.into(), login: Login::Anonymous, from: None }
    }

    pub(super) fn is_anonymous(&self) -> bool {
        matches!(self.login, Login::Anonymous)
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(&self.label);
        match &self.login {
            Login::Anonymous => {}
            Login::Password { user, password } => {
                add(user);
                add(password.expose());
            }
            Login::Identity { token, user } => {
                add(token.expose());
                if let Some((user, password)) = user {
                    add(user);
                    add(password.expose());
                }
            }
            Login::Registry(token) => add(token.expose()),
        }
        Fingerprint(hash.finalize().into())
    }
}

/// All logins of this workstation. Files are read when they are needed, so that a new login is seen at once.
pub(super) struct Keyring {
    files: Vec<PathBuf>,
    /// `REGISTRY_AUTH_FILE` is set: then that file must be there.
    named: bool,
    home: Option<PathBuf>,
    pub(super) helpers: Helpers,
}

impl Keyring {
    pub(super) fn new(settings: &Settings) -> Self {
        let environment = &settings.environment;
        let in_home = |path: &str| environment.home.as_ref().map(|home| home.join(path));
        let files = if let Some(file) = &environment.registry_auth_file {
            vec![file.clone()]
        } else {
            let config = environment.xdg_config_home.clone().or_else(|| in_home(".config"));
            let docker = environment.docker_config.clone().or_else(|| in_home(".docker"));
            [
                environment.xdg_runtime_dir.as_ref().map(|folder| folder.join("containers/auth.json")),
                config.map(|folder| folder.join("containers/auth.json")),
                docker.map(|folder| folder.join("config.json")),
            ]
            .into_iter()
            .flatten()
            .collect()
        };
        let helpers = Helpers::new(environment.path.clone(), settings.limits.helper);
        let named = environment.registry_auth_file.is_some();
        Self { files, named, home: environment.home.clone(), helpers }
    }

    /// The login of the first file that has one for the repository; else anonymous.
    pub(super) async fn find(&self, place: &Place) -> Result<Credential, Problem> {
        for file in &self.files {
            let Some(content) = self.read(file).await? else { continue };
            let name = self.name(file);
            if let Some(credential) = self.find_in(&name, &content, place).await? {
                return Ok(credential);
            }
        }
        Ok(Credential::anonymous())
    }

    async fn find_in(
        &self,
        file: &str,
        content: &Content,
        place: &Place,
    ) -> Result<Option<Credential>, Problem> {
        for (kind, helper) in helpers_for(content, place.registry()) {
            let asked = Asked { helper: helper.to_owned(), server: server_name(place.registry()) };
            let login = self.helpers.get(&asked).await.map_err(|failure| {
                failure.into_problem(&format!(
                    "get the login for {} from {kind} {helper:?} of {file}",
                    place.registry()
                ))
            })?;
            if let Some(login) = login {
                let label = format!("{kind} {helper:?} of {file}").into();
                return Ok(Some(Credential { label, login, from: Some(asked) }));
            }
        }
        for (key, entry) in content.matching(place) {
            let login = entry.login().map_err(|why| unreadable(file, &format!("auths {key:?}: {why}")))?;
            if let Some(login) = login {
                let label = format!("{file}, auths {key:?}").into();
                return Ok(Some(Credential { label, login, from: None }));
            }
        }
        Ok(None)
    }

    /// None: there is no such file, or it is empty (`/dev/null` means "no login").
    async fn read(&self, file: &Path) -> Result<Option<Content>, Problem> {
        let bytes = match read_capped(file).await {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) && !self.named => return Ok(None),
            Err(error) if is_absent(&error) => {
                return Err(unreadable(
                    &self.name(file),
                    "REGISTRY_AUTH_FILE names it, and there is no such file",
                ));
            }
            Err(error) => return Err(unreadable(&self.name(file), &error.to_string())),
        };
        if bytes.trim_ascii().is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| unreadable(&self.name(file), &place_of(&error)))
    }

    /// The path as a person writes it.
    fn name(&self, file: &Path) -> String {
        match self.home.as_ref().and_then(|home| file.strip_prefix(home).ok()) {
            Some(rest) => format!("~/{}", rest.display()),
            None => file.display().to_string(),
        }
    }
}

async fn read_capped(file: &Path) -> io::Result<Vec<u8>> {
    use tokio::io::AsyncReadExt;
    let mut bytes = Vec::new();
    tokio::fs::File::open(file).await?.take(LARGEST_FILE + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::other("the file is larger than 4 MiB"));
    }
    Ok(bytes)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(file: &str, why: &str) -> Problem {
    Problem::new(Cause::Usage, format!("read the registry logins of {file}"), why)
        .with_hint("mend the file, or set REGISTRY_AUTH_FILE to another one; /dev/null asks without a login")
}

/// Where the JSON is wrong. The parser's own words may quote a value, so they are not repeated.
fn place_of(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a value has the wrong type",
        serde_json::error::Category::Eof => "the JSON ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "this is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Content {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// `credHelpers[host]`, then `credsStore`.
fn helpers_for<'a>(content: &'a Content, registry: &str) -> Vec<(&'static str, &'a str)> {
    let own = content.cred_helpers.iter().flatten().find(|(key, _)| {
        let (host, path) = split_key(key);
        host == host_name(registry) && path.is_empty()
    });
    let own = own.map(|(_, helper)| ("credHelpers", helper.as_str()));
    let store = content.creds_store.as_deref().map(|helper| ("credsStore", helper));
    own.into_iter().chain(store).filter(|(_, helper)| !helper.is_empty()).collect()
}

impl Content {
    /// The entries for a repository, the most specific first: longer paths, exact hosts, then globs.
    fn matching(&self, place: &Place) -> Vec<(&String, &Entry)> {
        let host = host_name(place.registry());
        let mut found: Vec<_> = self
            .auths
            .iter()
            .flatten()
            .filter_map(|(key, entry)| {
                let (pattern, path) = split_key(key);
                let exact = pattern == host;
                let fits = (exact || glob_host(&pattern, &host)) && is_prefix(&path, place.path());
                fits.then_some(((path.len(), exact, key), (key, entry.as_ref()?)))
            })
            .collect();
        found.sort_by(|(a, _), (b, _)| b.cmp(a));
        found.into_iter().map(|(_, entry)| entry).collect()
    }
}

impl Entry {
    fn login(&self) -> Result<Option<Login>, &'static str> {
        let text = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        if let Some(token) = text(&self.registrytoken) {
            return Ok(Some(Login::Registry(Secret::new(token))));
        }
        let user = match text(&self.auth) {
            Some(auth) => decode(&auth)?,
            None => (
                text(&self.username).unwrap_or_default(),
                Secret::new(text(&self.password).unwrap_or_default()),
            ),
        };
        if let Some(token) = text(&self.identitytoken) {
            let user = Some(user).filter(|(name, password)| !name.is_empty() && !password.is_empty());
            return Ok(Some(Login::Identity { token: Secret::new(token), user }));
        }
        Ok(login_of(user.0, user.1))
    }
}

/// A user and a password as files and helpers give them; the user `<token>` marks an identity token.
pub(super) fn login_of(user: String, password: Secret) -> Option<Login> {
    if password.is_empty() {
        return None;
    }
    if user == "<token>" {
        return Some(Login::Identity { token: password, user: None });
    }
    Some(Login::Password { user, password })
}

/// Base64, padded or not, of `user:password`, split at the first colon.
fn decode(auth: &str) -> Result<(String, Secret), &'static str> {
    const WRONG: &str = "`auth` is not base64 of user:password";
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&STANDARD, config).decode(auth.trim()).map_err(|_| WRONG)?;
    let pair = Secret::new(String::from_utf8(bytes).map_err(|_| WRONG)?);
    let (user, password) = pair.expose().split_once(':').ok_or(WRONG)?;
    Ok((user.to_owned(), Secret::new(password.trim_matches('\0'))))
}

/// A key without scheme and API version: host with port, and a path or nothing.
fn split_key(key: &str) -> (String, String) {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let versionless = ["v1", "v2"].iter().find_map(|version| {
        let rest = path.strip_prefix(version)?;
        if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
    });
    (host_name(host), versionless.unwrap_or(path).trim_end_matches('/').to_owned())
}

/// Lower case, and one name for Docker Hub's three.
fn host_name(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if matches!(host.as_str(), "docker.io" | "index.docker.io" | "registry-1.docker.io") {
        DOCKER_HUB.to_owned()
    } else {
        host
    }
}

fn server_name(registry: &str) -> String {
    let host = host_name(registry);
    if host == DOCKER_HUB { DOCKER_HUB_SERVER.to_owned() } else { host }
}

fn is_prefix(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// Kubernetes' rule: ports equal, as many labels, each label matched by itself.
fn glob_host(pattern: &str, host: &str) -> bool {
    let split = |text: &str| match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host.to_owned(), port.to_owned()),
        _ => (text.to_owned(), String::new()),
    };
    let ((pattern, pattern_port), (host, port)) = (split(pattern), split(host));
    let labels = |text: &str| text.split('.').count();
    pattern_port == port
        && labels(&pattern) == labels(&host)
        && pattern
            .split('.')
            .zip(host.split('.'))
            .all(|(pattern, label)| glob(pattern.as_bytes(), label.as_bytes()))
}

/// `*`, `?`, `[a-z]`, `[^a]` and `\`, as Go's `path.Match` reads them; a broken pattern matches nothing.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        [b'[', rest @ ..] => match (text, read_class(rest)) {
            ([first, others @ ..], Some((class, rest))) => class.holds(*first) && glob(rest, others),
            _ => false,
        },
        [b'?', rest @ ..] => !text.is_empty() && glob(rest, &text[1..]),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.first() == Some(literal) && glob(rest, &text[1..])
        }
    }
}

struct Class {
    negated: bool,
    ranges: Vec<(u8, u8)>,
}

impl Class {
    fn holds(&self, byte: u8) -> bool {
        self.ranges.iter().any(|&(low, high)| (low..=high).contains(&byte)) != self.negated
    }
}

fn read_class(text: &[u8]) -> Option<(Class, &[u8])> {
    let (negated, mut rest) = match text {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut ranges = Vec::new();
    loop {
        match rest {
            [b']', after @ ..] if !ranges.is_empty() => return Some((Class { negated, ranges }, after)),
            [low, b'-', high, after @ ..] => {
                ranges.push((*low, *high));
                rest = after;
            }
            [single, after @ ..] => {
                ranges.push((*single, *single));
                rest = after;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::repository::Repository, registry::Environment};

    fn place(name: &str) -> Place {
        Place::of(&Repository::parse_name(name).unwrap()).unwrap()
    }

    fn keys(content: &str, name: &str) -> Vec<String> {
        let content: Content = serde_json::from_str(content).unwrap();
        content.matching(&place(name)).into_iter().map(|(key, _)| key.clone()).collect()
    }

    #[tokio::test]
    async fn a_file_that_was_named_and_is_not_there_is_a_problem_and_any_other_is_not() {
        let of = |environment: Environment| Keyring::new(&Settings { environment, ..Settings::default() });
        let nowhere: PathBuf = "/nonexistent/auth.json".into();
        let named = of(Environment { registry_auth_file: Some(nowhere), ..Environment::default() });
        let Err(problem) = named.find(&place("ghcr.io/a/b")).await else {
            unreachable!("the file is not there")
        };
        assert!(problem.why.contains("there is no such file"), "{problem}");
        let home = Some("/nonexistent".into());
        let usual = of(Environment { home, ..Environment::default() });
        assert!(usual.find(&place("ghcr.io/a/b")).await.is_ok_and(|found| found.is_anonymous()));
    }

    #[test]
    fn the_longest_path_comes_first_and_a_path_ends_at_a_slash() {
        let auths = r#"{"auths":{"ghcr.io":{},"ghcr.io/acme":{},"https://ghcr.io/v2/acme/fleet":{},"ghcr.io/ac":{},"quay.io":{}}}"#;
        assert_eq!(
            keys(auths, "ghcr.io/acme/fleet"),
            ["https://ghcr.io/v2/acme/fleet", "ghcr.io/acme", "ghcr.io"]
        );
        assert_eq!(keys(auths, "ghcr.io/ac/x"), ["ghcr.io/ac", "ghcr.io"]);
    }

    #[test]
    fn a_glob_matches_label_by_label_and_only_its_own_port() {
        let fits = [
            ("*.example.com", "a.example.com"),
            ("*.*.io", "a.b.io"),
            ("g?cr.io", "ghcr.io"),
            ("[f-h]hcr.io:*", "x"),
        ];
        for (pattern, host) in &fits[..3] {
            assert!(glob_host(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in [
            ("*.example.com", "a.b.example.com"),
            ("*.com:5000", "a.com"),
            ("*.com", "a.com:5000"),
            ("[a", "a"),
            ("*", "a.b"),
        ] {
            assert!(!glob_host(pattern, host), "{pattern} {host}");
        }
        assert!(glob(b"[f-h]hcr", b"ghcr") && !glob(b"[^f-h]hcr", b"ghcr"));
        let auths = r#"{"auths":{"*.example.com":{},"a.example.com":{}}}"#;
        assert_eq!(keys(auths, "a.example.com/x/y"), ["a.example.com", "*.example.com"]);
    }

    #[test]
    fn docker_hub_is_one_host_under_all_its_names() {
        for key in ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"] {
            assert_eq!(
                keys(&format!(r#"{{"auths":{{"{key}":{{}}}}}}"#), "docker.io/library/x").len(),
                1,
                "{key}"
            );
        }
        assert_eq!(server_name("index.docker.io"), "https://index.docker.io/v1/");
        assert_eq!(server_name("ghcr.io"), "ghcr.io");
    }

    #[test]
    fn auth_overrides_the_other_fields_and_splits_at_the_first_colon() {
        let login = |entry: &str| serde_json::from_str::<Entry>(entry).unwrap().login();
        let pair = |entry: &str| match login(entry) {
            Ok(Some(Login::Password { user, password })) => (user, password.expose().to_owned()),
            other => panic!("{other:?}"),
        };
        let expected = ("u".to_owned(), "p:q".to_owned());
        assert_eq!(pair(r#"{"auth":"dTpwOnE=","username":"x","password":"y"}"#), expected);
        assert_eq!(pair(r#"{"auth":"dTpwOnE"}"#), expected);
        assert_eq!(pair(r#"{"username":"u","password":"p:q"}"#), expected);
        assert!(matches!(login("{}"), Ok(None)));
        assert!(matches!(
            login(r#"{"username":"<token>","password":"t"}"#),
            Ok(Some(Login::Identity { .. }))
        ));
        assert!(matches!(login(r#"{"identitytoken":"t"}"#), Ok(Some(Login::Identity { .. }))));
        assert!(matches!(login(r#"{"registrytoken":"t"}"#), Ok(Some(Login::Registry(_)))));
        assert!(login(r#"{"auth":"%%"}"#).is_err() && login(r#"{"auth":"dXNlcg=="}"#).is_err());
    }

    #[test]
    fn a_broken_file_is_told_by_its_place_and_never_by_its_content() {
        let broken = "{\"auths\":\n {\"ghcr.io\": \"hunter2\"}}";
        let error = serde_json::from_str::<Content>(broken).err().unwrap();
        let words = place_of(&error);
        assert!(words.contains("line 2") && !words.contains("hunter2"), "{words}");
    }
}
