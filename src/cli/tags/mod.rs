//! `tags`: what a registry holds beside one source, or without any cluster, and what Flux makes of each tag.

mod answer;
mod asked;
mod list;
mod row;

use super::{
    Ports,
    args::{ClusterArgs, Format, TagsArgs},
    exit,
    output::{Console, document, problem_fields},
};
use crate::domain::problem::Problem;
use answer::Answer;
use asked::Asked;
use list::List;
use serde_json::json;

pub(super) async fn run(
    args: &TagsArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let asked = match Asked::of(args, place, ports).await {
        Ok(asked) => asked,
        Err(problem) => return unasked(args, &problem, console),
    };
    let list = List::read(&*ports.registry, &asked.upstream).await;
    let answer = Answer::of(&*ports.registry, asked, list).await;
    let rows = answer.rows(args.all);
    match args.output {
        Format::Table | Format::Wide => console.data(&answer.table(&rows, args)),
        Format::Name => console.data(&rows.iter().map(|row| super::safe_line(&row.tag)).collect::<String>()),
        Format::Json => console.json(&answer.document(&rows)),
        Format::Yaml => console.yaml(&answer.document(&rows)),
    }
    answer.comment(rows.len(), console);
    match (answer.is_whole(), &answer.selection.error) {
        (false, _) => exit::NOT_ANSWERED,
        (true, Some(_)) => exit::NO,
        (true, None) => exit::ANSWERED,
    }
}

/// The repository is not known: a script still gets a document.
fn unasked(args: &TagsArgs, problem: &Problem, console: &mut Console<'_>) -> i32 {
    console.complain(problem);
    let answer = || {
        let fields = json!({
            "repository": null, "complete": false, "requests": 0, "hidden": 0, "chosen": null, "ambiguous": [],
            "error": null, "running": null, "askedWith": null, "problems": [problem_fields(problem)], "items": [],
        });
        document("TagList", fields)
    };
    match args.output {
        Format::Json => console.json(&answer()),
        Format::Yaml => console.yaml(&answer()),
        Format::Table | Format::Wide | Format::Name => {}
    }
    exit::NOT_ANSWERED
}
