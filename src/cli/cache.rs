//! `cache`: what is kept on this machine of manifests and layers, and its end. Nothing else is ever kept.

use super::{
    Ports,
    args::{CacheArgs, CacheDeed, Summary},
    artifact::{problem_or_null, size},
    exit,
    output::{Console, Table, document},
};
use crate::{domain::problem::Problem, port::CacheInfo};
use serde_json::{Value, json};

pub(super) async fn run(args: &CacheArgs, ports: &Ports, console: &mut Console<'_>) -> i32 {
    match ask(args, ports).await {
        Ok((info, freed)) => {
            match args.output {
                Summary::Table => console.data(&table(&info)),
                Summary::Json => console.json(&answer(Some(&info), freed, None)),
                Summary::Yaml => console.yaml(&answer(Some(&info), freed, None)),
            }
            if let Some(freed) = freed {
                console.say(&format!("{} freed", size(freed)));
            }
            exit::ANSWERED
        }
        Err(problem) => {
            console.complain(&problem);
            match args.output {
                Summary::Table => {}
                Summary::Json => console.json(&answer(None, None, Some(&problem))),
                Summary::Yaml => console.yaml(&answer(None, None, Some(&problem))),
            }
            exit::NOT_ANSWERED
        }
    }
}

/// What there is now, and how much was freed.
async fn ask(args: &CacheArgs, ports: &Ports) -> Result<(CacheInfo, Option<u64>), Problem> {
    match args.deed {
        None | Some(CacheDeed::Info) => Ok((ports.artifacts.cache().await?, None)),
        Some(CacheDeed::Clear) => {
            let before = ports.artifacts.clear_cache().await?;
            let after = ports.artifacts.cache().await?;
            let freed = before.bytes.saturating_sub(after.bytes);
            Ok((after, Some(freed)))
        }
    }
}

fn table(info: &CacheInfo) -> String {
    let Some(path) = &info.path else { return "Nothing is kept on disk\n".to_owned() };
    let mut table = Table::new(vec!["", ""]);
    table.push(&["Path:".to_owned(), path.display().to_string()]);
    table.push(&["Blobs:".to_owned(), info.blobs.to_string()]);
    table.push(&["Size:".to_owned(), format!("{} of at most {}", size(info.bytes), size(info.limit))]);
    table.take(false)
}

fn answer(info: Option<&CacheInfo>, freed: Option<u64>, problem: Option<&Problem>) -> Value {
    document(
        "Cache",
        json!({
            "path": info.and_then(|info| info.path.as_ref()).map(|path| path.display().to_string()),
            "blobs": info.map(|info| info.blobs),
            "bytes": info.map(|info| info.bytes),
            "limit": info.map(|info| info.limit),
            "freed": freed,
            "problem": problem_or_null(problem),
        }),
    )
}
