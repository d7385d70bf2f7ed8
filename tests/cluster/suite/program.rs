//! The program as its users start it: a command with its three answers, or a screen in a pseudo-terminal.

use crate::{
    cluster::{env, scratch},
    pty::Pty,
};
use portable_pty::CommandBuilder;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::mpsc::channel,
    time::Duration,
};

/// No command here may take longer; those that follow Flux bring a timeout of their own.
const PATIENCE: Duration = Duration::from_secs(150);
const BINARY: &str = env!("CARGO_BIN_EXE_fluxscope");
/// Whatever a developer's machine has set must not answer for the program.
const FOREIGN: [&str; 8] = [
    "NO_COLOR",
    "REGISTRY_AUTH_FILE",
    "DOCKER_CONFIG",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FLUXSCOPE_CLUSTER_DIR",
];

/// Who starts the program, and with what around it.
pub struct Program {
    environment: BTreeMap<&'static str, String>,
}

pub fn fluxscope() -> Program {
    as_user("admin")
}

pub fn as_user(user: &str) -> Program {
    let home = scratch("home");
    let kubeconfig = env().dir.join(format!("{user}.kubeconfig"));
    let environment = BTreeMap::from([
        ("HOME", home.display().to_string()),
        ("XDG_STATE_HOME", home.join("state").display().to_string()),
        ("KUBECONFIG", kubeconfig.display().to_string()),
        ("LANG", "C.UTF-8".to_owned()),
    ]);
    Program { environment }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.insert(name, value.into());
        self
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(BINARY);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in FOREIGN {
            command.env_remove(name);
        }
        let child = command.envs(&self.environment).spawn().expect("the program starts");
        let pid = child.id();
        let (sender, ended) = channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = ended.recv_timeout(PATIENCE) else {
            let _ = Command::new("kill").arg("-KILL").arg(pid.to_string()).status();
            panic!("`fluxscope {}` did not end", arguments.join(" "));
        };
        let output = output.expect("its output");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn screen(&self, arguments: &[&str], columns: u16, rows: u16) -> Pty {
        let mut command = CommandBuilder::new(BINARY);
        command.args(arguments);
        for name in FOREIGN {
            command.env_remove(name);
        }
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        Pty::start(command, columns, rows)
    }
}

impl Ran {
    /// Ends the test unless the program ended with this code.
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "the exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{}\n--- stderr\n{}", self.stdout, self.stderr))
    }

    /// Ends the test unless the words stand in what it wrote, in whichever of both streams.
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.all().contains(words), "it does not say {words:?}:\n{}", self.all());
        self
    }

    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The one item of that kind and name.
pub fn item<'a>(list: &'a Value, kind: &str, namespace: &str, name: &str) -> &'a Value {
    let found: Vec<&Value> = items(list)
        .filter(|item| item["kind"] == kind && item["namespace"] == namespace && item["name"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{kind} {namespace}/{name} in {list:#}");
    found[0]
}

pub fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}
