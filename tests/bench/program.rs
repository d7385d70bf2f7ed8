//! The release binary as its users start it, with nothing around it that a developer's machine may have set.

use crate::api::ClusterEnv;
use portable_pty::CommandBuilder;
use std::{fs, process::Command};

pub fn fluxscope(env: &ClusterEnv) -> CommandBuilder {
    let home = std::env::temp_dir().join("fluxscope-bench");
    fs::create_dir_all(&home).expect("a temporary home");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_fluxscope"));
    command.arg("--kubeconfig");
    command.arg(env.dir.join("admin.kubeconfig"));
    command.env("HOME", &home);
    command.env("XDG_STATE_HOME", home.join("state"));
    command.env("LANG", "C.UTF-8");
    for name in ["NO_COLOR", "KUBECONFIG", "REGISTRY_AUTH_FILE", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    command
}

/// The same program and environment as on the screen, without one.
#[allow(dead_code, reason = "some benches have a screen only")]
pub fn command(env: &ClusterEnv) -> Command {
    let like = fluxscope(env);
    let argv = like.get_argv();
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).env_clear();
    command.envs(like.iter_full_env_as_str());
    command
}
