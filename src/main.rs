//! argv -> adapters -> front end; prints start-up errors.

use fluxscope::{
    cli::{
        self,
        args::{Cli, ClusterArgs, RegistryArgs},
        exit,
        output::Console,
    },
    cluster::{self, KubeGateway},
    domain::problem::Problem,
    port::Ports,
    registry::{self, OciRegistry},
};
use std::{io, process::ExitCode, sync::Arc, time::Duration};

fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let mut console = Console::new(&mut out, &mut err);
    let code = match cli::args::parse(std::env::args_os()) {
        Err(error) => cli::explain(&error, &mut console),
        Ok(typed) => cli::run_alone(&typed, &mut console).unwrap_or_else(|| answer(&typed, &mut console)),
    };
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn answer(typed: &Cli, console: &mut Console<'_>) -> i32 {
    let tasks = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(tasks) => tasks,
        Err(error) => return cannot_start(&error, console),
    };
    let ports = match ports(typed) {
        Ok(ports) => ports,
        Err(problem) => {
            console.complain(&problem);
            return exit::NOT_ANSWERED;
        }
    };
    let code = tasks.block_on(cli::run(typed, &ports, console));
    // A helper that hangs must not keep the program from ending.
    tasks.shutdown_background();
    code
}

fn cannot_start(error: &io::Error, console: &mut Console<'_>) -> i32 {
    console.say(&format!("error: start: {error}"));
    exit::NOT_ANSWERED
}

fn ports(typed: &Cli) -> Result<Ports, Problem> {
    let gateway = KubeGateway::new(cluster_options(&typed.global.cluster));
    let registry = OciRegistry::new(registry_settings(&typed.global.registry))?;
    Ok(Ports { gateway: Arc::new(gateway), registry: Arc::new(registry) })
}

fn cluster_options(typed: &ClusterArgs) -> cluster::Options {
    cluster::Options {
        kubeconfig: typed.kubeconfig.clone(),
        context: typed.context.clone(),
        cluster: typed.cluster.clone(),
        user: typed.user.clone(),
        impersonate: typed.as_user.clone(),
        impersonate_groups: typed.as_groups.clone(),
        request_timeout: typed.request_timeout.map(no_limit),
        environment: cluster::Environment::read(),
    }
}

fn registry_settings(typed: &RegistryArgs) -> registry::Settings {
    let limits = registry::Limits {
        manifest: typed.max_manifest_bytes,
        tags: typed.max_tags as usize,
        pages: typed.max_tag_pages as usize,
        at_once: usize::from(typed.concurrency),
        per_second: u32::from(typed.rate),
        total: no_limit(typed.timeout),
        ..registry::Limits::default()
    };
    registry::Settings {
        authorities: typed.ca.clone(),
        insecure_registries: typed.insecure.clone(),
        limits,
        environment: registry::Environment::capture(),
    }
}

/// kubectl's `0`: wait for ever, which here is a year.
fn no_limit(duration: Duration) -> Duration {
    if duration.is_zero() { Duration::from_secs(365 * 24 * 3600) } else { duration }
}
