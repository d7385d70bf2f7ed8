//! A cluster of `tests/cluster`: where it is, and its API server over plain HTTP. Knows no kinds, judges nothing.

use reqwest::{Certificate, Client, Method};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

/// What `DIR/env` says.
#[derive(Debug, Clone)]
pub struct ClusterEnv {
    pub dir: PathBuf,
    values: BTreeMap<String, String>,
}

impl ClusterEnv {
    /// Reads the cluster that `FLUXSCOPE_CLUSTER_DIR` names, or says what to do about its absence.
    pub fn find() -> Result<Self, String> {
        let dir = std::env::var_os("FLUXSCOPE_CLUSTER_DIR").map(PathBuf::from).ok_or(
            "no cluster: run `tests/cluster/run`, or `tests/cluster/up DIR` and set FLUXSCOPE_CLUSTER_DIR=DIR",
        )?;
        let file = dir.join("env");
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("no cluster in {}: {error}; run `tests/cluster/up`", dir.display()))?;
        let values = text
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Self { dir, values })
    }

    /// Empty where the cluster goes without that part.
    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }
}

/// What the API server said, whatever it was.
#[derive(Debug, Clone)]
pub struct Answer {
    pub code: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// The API server, as its admin.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    server: String,
    token: String,
}

impl Api {
    pub fn admin(env: &ClusterEnv) -> Result<Self, String> {
        let certificates = env.dir.join("certs/apiserver.crt");
        let pem = fs::read(&certificates).map_err(|error| format!("{}: {error}", certificates.display()))?;
        // A second start in the same process changes nothing: the provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .tls_certs_only(Certificate::from_pem_bundle(&pem).map_err(|error| error.to_string())?)
            .no_proxy()
            .http1_only()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| error.to_string())?;
        let server = format!("https://127.0.0.1:{}", env.get("API_PORT"));
        Ok(Self { client, server, token: env.get("ADMIN_TOKEN").to_owned() })
    }

    pub async fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(Method::GET, path, "application/json", None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        self.send(Method::POST, path, "application/json", Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer, String> {
        self.send(Method::PUT, path, "application/json", Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Answer, String> {
        self.send(Method::DELETE, path, "application/json", None).await
    }

    pub async fn merge(&self, path: &str, body: &Value) -> Result<Answer, String> {
        self.send(Method::PATCH, path, "application/merge-patch+json", Some(body)).await
    }

    /// Creates or updates, by server-side apply.
    pub async fn apply(&self, path: &str, body: &Value) -> Result<Answer, String> {
        let path = format!("{path}?fieldManager=fluxscope-suite&force=true");
        self.send(Method::PATCH, &path, "application/apply-patch+yaml", Some(body)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: Option<&Value>,
    ) -> Result<Answer, String> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.server))
            .bearer_auth(&self.token)
            .header("content-type", media_type);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let failed = |error: reqwest::Error| format!("{method} {path}: {error:?}");
        let response = request.send().await.map_err(failed)?;
        let code = response.status().as_u16();
        let body = response.bytes().await.map_err(failed)?.to_vec();
        Ok(Answer { code, body })
    }
}
