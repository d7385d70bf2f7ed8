//! `version`: which program this is. It asks nobody.

use super::{
    args::{Summary, VersionArgs},
    exit,
    output::{Console, document},
};
use serde_json::json;

pub(super) fn run(args: &VersionArgs, console: &mut Console<'_>) -> i32 {
    let version = env!("CARGO_PKG_VERSION");
    let answer = || document("Version", json!({"version": version}));
    match args.output {
        Summary::Table => console.data(&format!("fluxscope {version}\n")),
        Summary::Json => console.json(&answer()),
        Summary::Yaml => console.yaml(&answer()),
    }
    exit::ANSWERED
}
