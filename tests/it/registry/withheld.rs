//! A login is the user's, and the cluster cannot put it on an unprotected connection.

use super::{
    folder, good_pages, insecure, problem,
    server::{Reply, Seen, Server, answer, complaint, json, tags},
    settings, upstream,
};
use fluxscope::{
    domain::{problem::Cause, repository::Upstream},
    registry::{Environment, OciRegistry, Settings},
};
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// Logins of every kind for one host, found where `auth.json` stands.
fn logins() -> [serde_json::Value; 3] {
    [
        json!({"auth": "cm9ib3Q6c2VjcmV0"}),
        json!({"identitytoken": "secret"}),
        json!({"registrytoken": "secret"}),
    ]
}

fn with_login(test: &str, host: &str, login: &serde_json::Value, named: Option<&str>) -> Settings {
    let file = folder(test).join("auth.json");
    std::fs::write(&file, json!({"auths": {host: login}}).to_string()).unwrap();
    let environment = Environment { registry_auth_file: Some(file), ..Environment::default() };
    let insecure_registries = named.into_iter().map(str::to_owned).collect();
    Settings { environment, insecure_registries, ..settings() }
}

/// Wants a login or a token, by what the path begins with; anybody gets a token.
#[expect(clippy::unnecessary_wraps, reason = "it stands where a server's answer does")]
fn guarded(seen: &Seen, scheme: &str) -> Reply {
    let realm = format!("Bearer realm=\"{scheme}://{}/token\"", seen.header("host").unwrap());
    let challenge = if seen.path().contains("/basic/") { "Basic" } else { realm.as_str() };
    Some(match (seen.path(), seen.login()) {
        (path, _) if path.ends_with("/token") => json(&json!({"token": "public"})),
        (path, _) if path.contains("/open/") => tags(&["a"]),
        (path, Some("Bearer public")) if path.contains("/public/") => tags(&["a"]),
        (_, Some(login)) if login != "Bearer public" => tags(&["a"]),
        _ => complaint(401, &[("www-authenticate", challenge)], "UNAUTHORIZED", "who are you"),
    })
}

/// Nothing of a login was seen: what is shown is at most the token anybody gets.
fn shows_no_login(server: &Server) -> bool {
    server.seen().iter().all(|seen| {
        seen.login().is_none_or(|login| login == "Bearer public")
            && (!seen.path().ends_with("/token") || seen.login().is_none())
            && !seen.body.contains("secret")
    })
}

async fn assert_withheld(server: &Server, settings: Settings, at: impl Fn(&str) -> Upstream, why: &str) {
    for path in ["basic/app", "bearer/app"] {
        let registry = OciRegistry::new(settings.clone()).unwrap();
        problem(&registry, at(path)).await;
        let refused = problem(&registry, at(path)).await;
        assert_eq!(refused.cause, Cause::Unauthorized, "{refused}");
        let hint = refused.hint.unwrap();
        for part in ["was not sent", "auth.json, auths", why, "`--insecure-registry "] {
            assert!(hint.contains(part), "{hint}");
        }
    }
    for path in ["open/app", "public/app"] {
        let registry = OciRegistry::new(settings.clone()).unwrap();
        assert_eq!(&*good_pages(&registry, at(path)).await[0].asked_with, "anonymous");
    }
    assert!(shows_no_login(server), "{:?}", server.seen());
}

#[tokio::test]
async fn an_insecure_object_cannot_put_a_login_on_plain_http() {
    for (number, login) in logins().iter().enumerate() {
        let server = Server::start(|seen, _| guarded(seen, "http")).await;
        let host = format!("0.0.0.0:{}", server.address.port());
        let settings = with_login(&format!("insecure-http-{number}"), &host, login, None);
        assert_withheld(&server, settings, |path| insecure(&format!("{host}/{path}")), "only spec.insecure")
            .await;
    }
}

#[tokio::test]
async fn an_insecure_object_cannot_show_a_login_behind_an_unchecked_certificate() {
    for (number, login) in logins().iter().enumerate() {
        let server = Server::start_tls(|seen, _| guarded(seen, "https")).await;
        let host = format!("0.0.0.0:{}", server.address.port());
        let settings = with_login(&format!("insecure-tls-{number}"), &host, login, None);
        assert_withheld(&server, settings, |path| insecure(&format!("{host}/{path}")), "only spec.insecure")
            .await;
    }
}

#[tokio::test]
async fn a_host_the_user_names_and_this_machine_get_the_login() {
    let server = Server::start(|seen, _| guarded(seen, "http")).await;
    let host = format!("0.0.0.0:{}", server.address.port());
    let login = &logins()[0];
    let named = OciRegistry::new(with_login("vouched", &host, login, Some(&host))).unwrap();
    let pages = good_pages(&named, upstream(&format!("{host}/basic/app"))).await;
    assert!(pages[0].asked_with.contains("auth.json"));
    for here in [server.address.to_string(), format!("localhost:{}", server.address.port())] {
        let registry = OciRegistry::new(with_login("loopback", &here, login, None)).unwrap();
        for upstream in [upstream(&format!("{here}/basic/app")), insecure(&format!("{here}/basic/b"))] {
            assert!(good_pages(&registry, upstream).await[0].asked_with.contains("auth.json"));
        }
    }
}

#[tokio::test]
async fn an_insecure_object_of_a_registry_with_a_good_certificate_gets_the_login_by_it() {
    let server = Server::start_tls(|seen, _| guarded(seen, "https")).await;
    let host = format!("registry.test:{}", server.address.port());
    let tunnel = tunnel_to(server.address).await;
    let environment = with_login("insecure-good", &host, &logins()[0], None).environment;
    let environment = Environment { https_proxy: Some(tunnel), ..environment };
    let authority = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/registry/tls/authority.pem");
    let registry =
        OciRegistry::new(Settings { environment, authorities: Some(authority), ..settings() }).unwrap();
    let pages = good_pages(&registry, insecure(&format!("{host}/basic/app"))).await;
    assert!(pages[0].asked_with.contains("auth.json"));
}

#[tokio::test]
async fn a_private_network_is_asked_by_plain_http_as_flux_does_but_not_with_a_login() {
    let server = Server::start(|seen, _| guarded(seen, "http")).await;
    let host = format!("10.1.2.3:{}", server.address.port());
    let tunnel = tunnel_to(server.address).await;
    let given = with_login("private", &host, &logins()[0], None);
    let environment = Environment {
        http_proxy: Some(tunnel.clone()),
        https_proxy: Some(tunnel),
        ..given.environment.clone()
    };
    let settings = Settings { environment, ..given };
    let at = |path: &str| upstream(&format!("{host}/{path}"));
    assert_withheld(&server, settings.clone(), at, "the connection is plain HTTP").await;
    let named = OciRegistry::new(Settings { insecure_registries: vec![host.clone()], ..settings }).unwrap();
    assert!(good_pages(&named, at("basic/app")).await[0].asked_with.contains("auth.json"));
}

#[tokio::test]
async fn what_was_heard_without_tls_does_not_say_where_a_login_goes_by_tls() {
    let thief = Server::start_tls(|_, _| Some(json(&json!({"token": "t"})))).await;
    let realm = format!("Bearer realm=\"https://{}/token\"", thief.address);
    let server =
        Server::start(move |_, _| Some(answer(401, &[("www-authenticate", realm.as_str())], ""))).await;
    let host = format!("0.0.0.0:{}", server.address.port());
    let authority = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/registry/tls/authority.pem");
    let given = with_login("thief", &host, &logins()[0], None);
    let registry = OciRegistry::new(Settings { authorities: Some(authority), ..given }).unwrap();
    for _ in 0..2 {
        problem(&registry, insecure(&format!("{host}/acme/app"))).await;
    }
    assert!(shows_no_login(&server) && thief.seen().iter().all(|seen| seen.login().is_none()));
}

/// A proxy that leads everybody to one address, whatever they ask for.
#[expect(clippy::disallowed_methods, reason = "the tunnel lives as long as the test's own runtime")]
async fn tunnel_to(target: SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(lead(client, target));
        }
    });
    format!("http://{address}")
}

async fn lead(mut client: TcpStream, target: SocketAddr) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let mut server = TcpStream::connect(target).await.unwrap();
    if head.starts_with(b"CONNECT") {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    } else {
        server.write_all(&head).await.unwrap();
    }
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
