//! What all commands share that look inside an artifact: from a reference to its manifest, a layer and its files.
//! It prints nothing but progress.

use super::{
    Ports,
    args::ClusterArgs,
    connect, namespace,
    output::{Console, problem_fields},
};
use crate::{
    domain::{
        artifact::{Artifact, Descriptor, Operation, Origin, Taken, Target},
        fact::Fact,
        identity::ObjectId,
        layer,
        problem::{Cause, Problem},
        reference::{Reference, Resolved, Unresolved},
        world::World,
    },
    port::{Cluster, Opened, Opening},
};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::Instant;

/// An artifact, and which of its layers is meant.
pub(super) struct Chosen {
    pub(super) artifact: Artifact,
    /// By its place in the manifest.
    pub(super) layer: usize,
}

/// Why no layer is looked into.
pub(super) enum NoLayer {
    /// Flux would fail in the same place, with these words.
    Flux {
        artifact: Box<Artifact>,
        words: Box<str>,
    },
    Problem(Problem),
}

impl From<Problem> for NoLayer {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// The manifest of what was named. `media_type` stands in for the object's own selector.
pub(super) async fn inspect(
    of: &Reference,
    media_type: Option<&str>,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> Result<Artifact, Problem> {
    let Resolved { mut target, note } = resolve(of, place, ports).await?;
    if let Some(note) = note {
        console.say(&note);
    }
    if let Some(media_type) = media_type {
        target.selector.media_type = (!media_type.is_empty()).then(|| media_type.into());
    }
    ports.artifacts.inspect(target).await
}

/// Reads the few objects that the reference goes through, one by one.
async fn resolve(of: &Reference, place: &ClusterArgs, ports: &Ports) -> Result<Resolved, Problem> {
    if of.stands_alone() {
        return of.resolve(&World::default(), "").map_err(|unresolved| unread(of, unresolved));
    }
    let cluster = connect(place, ports).await?;
    look_up(of, &*cluster, &namespace(place, &*cluster)).await
}

/// Among the objects of this namespace.
pub(super) async fn look_up(
    of: &Reference,
    cluster: &dyn Cluster,
    namespace: &str,
) -> Result<Resolved, Problem> {
    let mut world = World::default();
    let mut read: Vec<ObjectId> = Vec::new();
    loop {
        let id = match of.resolve(&world, namespace) {
            Ok(resolved) => return Ok(resolved),
            Err(Unresolved::Needs(id)) if !read.contains(&id) => id,
            Err(unresolved) => return Err(unread(of, unresolved)),
        };
        match cluster.fetch(id.clone()).await {
            Ok(object) => world.observe(Fact::Changed(object)),
            Err(problem) if problem.cause == Cause::NotFound => world.observe(Fact::Gone(id.clone())),
            Err(problem) => return Err(problem),
        };
        read.push(id);
    }
}

pub(super) fn unread(of: &Reference, unresolved: Unresolved) -> Problem {
    match unresolved {
        Unresolved::Problem(problem) => problem,
        Unresolved::Needs(id) => Problem::new(
            Cause::Other,
            format!("find the artifact of {of}"),
            format!("{id} could not be read"),
        ),
    }
}

impl Chosen {
    /// The layer of this number (the first is 1), else the one that Flux takes.
    pub(super) fn layer(artifact: Artifact, number: Option<u32>) -> Result<Self, NoLayer> {
        let layers = artifact.manifest.layers.len();
        match (number, &artifact.taken) {
            (Some(number), _) => match usize::try_from(number) {
                Ok(number) if (1..=layers).contains(&number) => Ok(Self { artifact, layer: number - 1 }),
                Ok(_) | Err(_) => {
                    let plural = if layers == 1 { "" } else { "s" };
                    let why = format!("the artifact has {layers} layer{plural}");
                    let hint = "fluxscope inspect lists them; the first is 1";
                    let what = format!("look into layer {number} of {}", name(&artifact));
                    Err(Problem::new(Cause::Usage, what, why).with_hint(hint).into())
                }
            },
            (None, Ok(taken)) => {
                let layer = taken.layer;
                Ok(Self { artifact, layer })
            }
            (None, Err(words)) => {
                let words = words.clone();
                Err(NoLayer::Flux { artifact: Box::new(artifact), words })
            }
        }
    }

    pub(super) fn descriptor(&self) -> Option<&Descriptor> {
        self.artifact.manifest.layers.get(self.layer)
    }

    /// Reads the layer to its end.
    pub(super) async fn open(&self, ports: &Ports, console: &mut Console<'_>) -> Result<Opened, Problem> {
        let mut opening = ports.artifacts.open(&self.artifact, self.layer);
        let begun = Instant::now();
        while let Some(step) = opening.next().await {
            match step? {
                Opening::Progress { bytes, of, from_cache } => {
                    let source = if from_cache { "from the cache" } else { &rate(bytes, begun) };
                    console.progress(&format!("{}  {source}", so_far(bytes, of)));
                }
                Opening::Opened(opened) => return Ok(opened),
            }
        }
        let what = format!("open layer {} of {}", self.layer + 1, name(&self.artifact));
        Err(Problem::new(Cause::Other, what, "the answer ended before the layer did"))
    }

    /// The object that stands for the layer in documents.
    pub(super) fn fields(&self) -> Value {
        self.descriptor().map_or(Value::Null, |layer| layer_fields(&self.artifact, self.layer, layer))
    }

    /// For a sentence: `layer 1 of 2 (Helm chart)`.
    pub(super) fn words(&self) -> String {
        let media_type = self.descriptor().map_or("", |layer| &layer.media_type);
        let kind = layer::name(media_type).unwrap_or(media_type);
        format!("layer {} of {} ({kind})", self.layer + 1, self.artifact.manifest.layers.len())
    }
}

/// How far, without time: `12.0 MiB of 50.0 MiB`.
fn so_far(bytes: u64, of: Option<u64>) -> String {
    match of {
        Some(of) => format!("reading {} of {}", size(bytes), size(of)),
        None => format!("reading {}", size(bytes)),
    }
}

fn rate(bytes: u64, begun: Instant) -> String {
    let millis = begun.elapsed().as_millis().max(1);
    let per_second = u128::from(bytes) * 1000 / millis;
    format!("{}/s", size(u64::try_from(per_second).unwrap_or(u64::MAX)))
}

/// Bytes for a person.
pub(super) fn size(bytes: u64) -> String {
    let mut unit = "B";
    let mut tenths = u128::from(bytes) * 10;
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// The artifact by its digest, in a form that every command takes again.
pub(super) fn name(artifact: &Artifact) -> String {
    let digest = &artifact.digest;
    match &artifact.target.origin {
        Origin::Registry { upstream, .. } => format!("oci://{}@{digest}", upstream.repository),
        Origin::Layout { path, .. } => format!("oci-layout:{}@{digest}", path.display()),
        Origin::Archive(path) | Origin::Directory(path) => path.display().to_string(),
    }
}

/// What was looked up, as it was looked up.
pub(super) fn looked_up(target: &Target) -> String {
    match &target.origin {
        Origin::Registry { upstream, reference } => {
            let sign = if reference.contains(':') { '@' } else { ':' };
            format!("oci://{}{sign}{reference}", upstream.repository)
        }
        Origin::Layout { path, reference } => {
            let sign = |reference: &str| if reference.contains(':') { '@' } else { ':' };
            let behind = reference.as_deref().map(|reference| format!("{}{reference}", sign(reference)));
            format!("oci-layout:{}{}", path.display(), behind.unwrap_or_default())
        }
        Origin::Archive(path) | Origin::Directory(path) => path.display().to_string(),
    }
}

/// `{number, mediaType, digest, size, selected, reason}`.
pub(super) fn layer_fields(artifact: &Artifact, at: usize, layer: &Descriptor) -> Value {
    let taken = artifact.taken.as_ref().ok().filter(|taken| taken.layer == at);
    json!({
        "number": at + 1,
        "mediaType": layer.media_type,
        "digest": layer.digest.as_str(),
        "size": layer.size,
        "selected": taken.is_some(),
        "reason": taken.map(|taken| &taken.reason),
    })
}

/// `extract: first layer, as no layerSelector is set`.
pub(super) fn choice(taken: &Taken) -> String {
    format!("{}: {}", operation(taken.operation), taken.reason)
}

pub(super) const fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Extract => "extract",
        Operation::Copy => "copy",
    }
}

/// `problem` of a document: none, or what could not be asked.
pub(super) fn problem_or_null(problem: Option<&Problem>) -> Value {
    problem.map_or(Value::Null, problem_fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_for_a_person() {
        let cases =
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (50 << 20, "50.0 MiB")];
        for (bytes, words) in cases {
            assert_eq!(size(bytes), words);
        }
        assert_eq!(so_far(1 << 20, Some(2 << 20)), "reading 1.0 MiB of 2.0 MiB");
    }
}
