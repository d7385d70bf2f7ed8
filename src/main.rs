//! argv -> adapters -> front end; prints start-up errors.

use etcetera::BaseStrategy;
use fluxscope::{
    app::{self, ColourMode},
    cli::{
        self,
        args::{Cli, ClusterArgs, Color, ProgramArgs, RegistryArgs},
        exit,
        output::{Console, Surroundings, Terminals},
    },
    cluster::{self, KubeGateway},
    demo::Demo,
    domain::{Timestamp, fact::Scope, problem::Problem},
    port::Ports,
    registry::{self, OciRegistry},
    render::Tools,
    runtime,
};
use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let terminals = Terminals { out: out.is_terminal(), err: err.is_terminal() };
    let width = terminals.out.then(runtime::terminal_width).flatten();
    let mut console = Console::new(&mut out, &mut err).on(terminals).with_width(width).within(surroundings());
    let code = match cli::args::parse(env::args_os()) {
        Err(error) => cli::explain(&error, &mut console),
        Ok(typed) => cli::run_alone(&typed, &mut console).unwrap_or_else(|| answer(&typed, &mut console)),
    };
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn answer(typed: &Cli, console: &mut Console<'_>) -> i32 {
    let board = typed.command.is_none();
    if board && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return cli::without_terminal(console);
    }
    let tasks = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(tasks) => tasks,
        Err(error) => return failed(&error, console),
    };
    let code = tasks.block_on(async {
        match ports(typed) {
            Ok(ports) if board => match runtime::run(settings(typed), ports).await {
                Ok(()) => exit::ANSWERED,
                Err(error) => failed(&error, console),
            },
            Ok(ports) => cli::run(typed, &ports, console).await,
            Err(problem) => {
                console.complain(&problem);
                exit::NOT_ANSWERED
            }
        }
    });
    // What was started ends with us; a helper that hangs must not keep the program from ending.
    tasks.shutdown_timeout(Duration::from_millis(500));
    code
}

fn failed(error: &io::Error, console: &mut Console<'_>) -> i32 {
    console.say(&format!("error: {error}"));
    exit::NOT_ANSWERED
}

#[expect(clippy::disallowed_methods, reason = "the recorded world is shown as if it were of today")]
fn ports(typed: &Cli) -> Result<Ports, Problem> {
    log(&typed.global.program);
    if typed.global.program.demo {
        let Demo { gateway, registry, artifacts } = Demo::open(Timestamp::now())?;
        return Ok(Ports {
            gateway,
            registry,
            artifacts,
            renderer: Arc::new(Tools::new(env::var_os("PATH").as_deref())),
        });
    }
    let gateway = KubeGateway::new(cluster_options(&typed.global.cluster));
    let registry = OciRegistry::new(registry_settings(&typed.global.registry))?;
    Ok(Ports {
        gateway: Arc::new(gateway),
        registry: Arc::new(registry.clone()),
        artifacts: Arc::new(registry),
        renderer: Arc::new(Tools::new(env::var_os("PATH").as_deref())),
    })
}

/// A log that cannot be written is no reason not to start.
fn log(typed: &ProgramArgs) {
    let Ok(folders) = etcetera::choose_base_strategy() else { return };
    let state = folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("fluxscope");
    let _ = runtime::log::open(&state, typed.log_level.word());
}

fn settings(typed: &Cli) -> app::Settings {
    let program = &typed.global.program;
    app::Settings {
        write: program.write,
        context: typed.global.cluster.context.clone(),
        scope: match &typed.global.cluster.namespace {
            Some(namespace) => Scope::Namespace(namespace.as_str().into()),
            None => Scope::AllNamespaces,
        },
        colour: colour(program.color),
        ascii: program.ascii || !has_plain_unicode(),
        demo: program.demo,
        registry_at_once: usize::from(typed.global.registry.concurrency),
        ..app::Settings::default()
    }
}

fn says(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn refuses_colour() -> bool {
    !says("NO_COLOR").is_empty() || says("CLICOLOR") == "0" || says("TERM") == "dumb"
}

fn surroundings() -> Surroundings {
    let external_diff = Some(says("KUBECTL_EXTERNAL_DIFF")).filter(|program| !program.is_empty());
    Surroundings { no_colour: refuses_colour(), external_diff }
}

/// `--color` over `NO_COLOR` and `TERM`, and truecolor only where the terminal says so.
fn colour(typed: Color) -> ColourMode {
    let refused = refuses_colour();
    let best = match says("COLORTERM").as_str() {
        "truecolor" | "24bit" => ColourMode::TrueColour,
        _ => ColourMode::Ansi16,
    };
    match typed {
        Color::Always => best,
        Color::Auto => {
            if refused {
                ColourMode::None
            } else {
                best
            }
        }
        Color::Never => ColourMode::None,
    }
}

/// The glyphs are one column wide in UTF-8 locales, except in East Asian ones.
fn has_plain_unicode() -> bool {
    let set = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
    let encoded = locale.to_ascii_lowercase().replace('-', "");
    encoded.contains("utf8") && !["ja", "ko", "zh"].iter().any(|language| locale.starts_with(language))
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
        layer: typed.max_layer_bytes,
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
        unpack: registry::unpack::Limits {
            unpacked: typed.max_unpacked_bytes,
            file: typed.max_file_bytes,
            entries: typed.max_entries as usize,
            header: typed.max_header_bytes,
            ratio: typed.max_ratio,
        },
        cache: cache(typed),
        environment: registry::Environment::capture(),
    }
}

/// None: nothing is kept on disk, because that was asked for or there is no place for it.
fn cache(typed: &RegistryArgs) -> Option<registry::CacheSettings> {
    let own = || Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("fluxscope"));
    let folder = typed.cache_dir.clone().or_else(own).filter(|_| !typed.no_cache)?;
    Some(registry::CacheSettings { folder, limit: typed.max_cache_bytes })
}

/// kubectl's `0`: wait for ever, which here is a year.
fn no_limit(duration: Duration) -> Duration {
    if duration.is_zero() { Duration::from_secs(365 * 24 * 3600) } else { duration }
}
