//! One tag in `tags`: the fields of a script and the cells of a person.

use crate::{
    cli::{
        args::{Format, TagsArgs},
        output::problem_fields,
    },
    domain::{digest::Digest, policy::Verdict, problem::Problem, version::Version},
};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::sync::Arc;

/// The text comes from outside.
pub(super) struct Row {
    pub(super) tag: Arc<str>,
    pub(super) version: Option<Version>,
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    /// None: not asked, or see the problem.
    pub(super) digest: Option<Digest>,
    pub(super) created: Option<Box<str>>,
    pub(super) running: bool,
    pub(super) problem: Option<Problem>,
}

/// Which columns there are; their cells are [`Row::cells`].
pub(super) fn columns(args: &TagsArgs, judged: bool, running: bool) -> [(bool, &'static str); 7] {
    let wide = args.output == Format::Wide;
    [
        (true, "TAG"),
        (wide, "VERSION"),
        (wide, "DIGEST"),
        (wide, "CREATED"),
        (running, "RUNNING"),
        (judged || wide || args.all, "VERDICT"),
        (judged || wide, "WHY"),
    ]
}

impl Row {
    /// Behind the versions: other tags, then what no source would follow.
    pub(super) const fn rank(&self) -> u8 {
        match self.verdict {
            Verdict::Chosen
            | Verdict::FilteredOut
            | Verdict::NotAVersion
            | Verdict::InRange
            | Verdict::PreRelease
            | Verdict::OutOfRange
            | Verdict::NotFollowed
            | Verdict::NotJudged => 1,
            Verdict::Signature => 2,
            Verdict::Invalid => 3,
        }
    }

    pub(super) fn cells(&self) -> [String; 7] {
        [
            self.tag.to_string(),
            self.version.as_ref().map(ToString::to_string).unwrap_or_default(),
            self.digest.as_ref().map_or_else(String::new, |digest| digest.short().to_owned()),
            self.created.as_deref().unwrap_or_default().to_owned(),
            if self.running { "running".to_owned() } else { String::new() },
            self.verdict.word().to_owned(),
            self.reason.clone(),
        ]
    }
}

/// Written straight from what is known: of 200,000 rows nothing is copied first.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Row", 8)?;
        fields.serialize_field("tag", &*self.tag)?;
        fields.serialize_field("version", &self.version.as_ref().map(Shown))?;
        fields.serialize_field("verdict", self.verdict.word())?;
        fields.serialize_field("reason", &self.reason)?;
        fields.serialize_field("digest", &self.digest.as_ref().map(Digest::as_str))?;
        fields.serialize_field("created", &self.created.as_deref())?;
        fields.serialize_field("running", &self.running)?;
        fields.serialize_field("problem", &self.problem.as_ref().map(problem_fields))?;
        fields.end()
    }
}

struct Shown<'a>(&'a Version);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}
