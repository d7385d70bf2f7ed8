//! Stories: a world, some keys, a screen. Time is a message; nothing waits and nothing is asked.

use fluxscope::{
    app::{
        App, Settings,
        effect::Effect,
        message::{Chord, Key, Message},
    },
    domain::{
        Timestamp,
        artifact::{Descriptor, TagPage},
        condition::{Condition, ConditionStatus, Status},
        consumer::{Applied, Consumer, Release},
        digest::Digest,
        fact::{Fact, FeedId, Object, Scope},
        identity::{About, Kind, Meta, ObjectId},
        problem::Problem,
        repository::{Repository, Upstream},
        revision::Revision,
        source::{Follows, LayerSelector, OciSpec, Source, SourceSpec, StoredArtifact},
    },
};
use ratatui::{Terminal, backend::TestBackend};
use std::{collections::BTreeMap, sync::Arc};

pub(crate) const NOW: i64 = 1_795_000_000;

/// A running program without a terminal.
pub(crate) struct Story {
    pub(crate) app: App,
    pub(crate) effects: Vec<Effect>,
    size: (u16, u16),
    now: i64,
}

impl Story {
    /// Started, not connected yet.
    pub(crate) fn begin(settings: Settings) -> Self {
        let size = (settings.width, settings.height);
        let mut app = App::new(settings);
        let mut effects = app.update(Message::Tick(at(NOW)));
        effects.extend(app.start());
        Self { app, effects, size, now: NOW }
    }

    /// Connected, with these objects in a whole answer for each kind.
    pub(crate) fn with(settings: Settings, objects: Vec<Object>) -> Self {
        let mut story = Self::begin(settings);
        story.connect();
        story.list(objects);
        story
    }

    pub(crate) fn connect(&mut self) {
        let about = About {
            context: "prod-eu".to_owned(),
            namespace: "default".to_owned(),
            server: "https://127.0.0.1:6443".to_owned(),
        };
        self.tell(Message::Connected(Ok(about)));
    }

    pub(crate) fn list(&mut self, objects: Vec<Object>) {
        let objects: Vec<Arc<Object>> = objects.into_iter().map(Arc::new).collect();
        let facts = Kind::WATCHED.into_iter().map(|kind| Fact::Listed {
            feed: feed(kind),
            objects: objects.iter().filter(|object| object.id().kind == kind).cloned().collect(),
            at: at(self.now),
        });
        self.tell(Message::Observed(facts.collect()));
    }

    pub(crate) fn tell(&mut self, message: Message) {
        self.effects.extend(self.app.update(message));
    }

    pub(crate) fn observe(&mut self, facts: Vec<Fact>) {
        self.tell(Message::Observed(facts));
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
        let now = at(self.now);
        self.tell(Message::Tick(now));
    }

    /// Words of keys: `j`, `Enter`, `^F`, `Shift-R` is `R`; a text in quotes is typed.
    pub(crate) fn press(&mut self, keys: &str) {
        for word in keys.split_whitespace() {
            self.tell(Message::Key(chord(word)));
        }
    }

    pub(crate) fn kind(&mut self, text: &str) {
        for c in text.chars() {
            self.tell(Message::Key(Chord::char(c)));
        }
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub(crate) fn tags(&mut self, upstream: &Upstream, tags: &[&str]) {
        self.tell(Message::Tags(upstream.clone(), Ok(page(tags, false))));
    }

    /// The tag names the digest `now` repeated.
    pub(crate) fn head(&mut self, upstream: &Upstream, tag: &str, now: char) {
        let answer = Ok(Descriptor {
            digest: Digest::parse(&digest(now)).unwrap(),
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            size: Some(512),
            annotations: BTreeMap::new(),
        });
        self.tell(Message::Headed { upstream: upstream.clone(), reference: tag.to_owned(), answer });
    }

    pub(crate) fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.tell(Message::Resized { width, height });
    }

    pub(crate) fn terminal(&mut self) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        self.app.take_dirty();
        terminal.draw(|frame| self.app.draw(frame)).unwrap();
        terminal
    }

    pub(crate) fn lines(&mut self) -> Vec<String> {
        let terminal = self.terminal();
        let buffer = terminal.backend().buffer();
        let width = usize::from(buffer.area.width);
        let rows = buffer.content.chunks(width);
        rows.map(|row| {
            row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
        })
        .collect()
    }

    pub(crate) fn screen(&mut self) -> String {
        self.lines().join("\n")
    }

    /// The line that is shown in reverse: the selected one.
    pub(crate) fn selected(&mut self) -> String {
        let terminal = self.terminal();
        let buffer = terminal.backend().buffer();
        let reversed =
            |cell: &ratatui::buffer::Cell| cell.modifier.contains(ratatui::style::Modifier::REVERSED);
        let row = buffer.content.chunks(usize::from(buffer.area.width)).skip(1).find(|row| reversed(&row[4]));
        row.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim().to_owned())
            .unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn shows(&mut self, words: &str) {
        let screen = self.screen();
        assert!(screen.contains(words), "{words:?} is not on\n{screen}");
    }

    #[track_caller]
    pub(crate) fn hides(&mut self, words: &str) {
        let screen = self.screen();
        assert!(!screen.contains(words), "{words:?} is on\n{screen}");
    }

    /// Compares with the file, or writes it if SNAPSHOTS=write.
    #[track_caller]
    pub(crate) fn snapshot(&mut self, name: &str) {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/snapshots/{name}.txt"));
        let screen = self.screen() + "\n";
        if std::env::var_os("SNAPSHOTS").is_some_and(|word| word == "write") {
            std::fs::write(&path, &screen).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == screen, "{} differs (SNAPSHOTS=write takes it). Now:\n{screen}", path.display());
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn feed(kind: Kind) -> FeedId {
    FeedId { kind, namespace: None }
}

pub(crate) fn page(tags: &[&str], more: bool) -> TagPage {
    TagPage {
        tags: tags.iter().map(|tag| Arc::from(*tag)).collect(),
        invalid: Vec::new(),
        requests: 1,
        more,
        cut: None,
        asked_with: "anonymous".into(),
    }
}

fn chord(word: &str) -> Chord {
    match word {
        "Enter" => Chord::key(Key::Enter),
        "Esc" => Chord::key(Key::Esc),
        "Tab" => Chord::key(Key::Tab),
        "BackTab" => Chord::key(Key::BackTab),
        "ShiftLeft" => Chord { shift: true, ..Chord::key(Key::Left) },
        "ShiftRight" => Chord { shift: true, ..Chord::key(Key::Right) },
        "Space" => Chord::char(' '),
        "Up" => Chord::key(Key::Up),
        "Down" => Chord::key(Key::Down),
        "PgDn" => Chord::key(Key::PageDown),
        "Home" => Chord::key(Key::Home),
        "End" => Chord::key(Key::End),
        "Left" => Chord::key(Key::Left),
        "Delete" => Chord::key(Key::Delete),
        "Backspace" => Chord::key(Key::Backspace),
        _ => match word.strip_prefix('^').and_then(|rest| rest.chars().next()) {
            Some(c) => Chord::control(c.to_ascii_lowercase()),
            None => Chord::char(word.chars().next().unwrap()),
        },
    }
}

pub(crate) fn settings(width: u16, height: u16) -> Settings {
    Settings { width, height, ..Settings::default() }
}

pub(crate) fn one_namespace(name: &str) -> Settings {
    Settings { scope: Scope::Namespace(name.into()), ..settings(100, 24) }
}

pub(crate) fn id(kind: Kind, path: &str) -> ObjectId {
    let (namespace, name) = path.split_once('/').unwrap();
    ObjectId::new(kind, namespace, name)
}

pub(crate) fn digest(c: char) -> String {
    format!("sha256:{}", String::from(c).repeat(64))
}

pub(crate) fn upstream(name: &str) -> Upstream {
    Upstream { repository: Repository::parse_name(name).unwrap(), insecure: false }
}

/// What happened how long ago, by whom said.
pub(crate) fn condition(
    kind: &str,
    status: ConditionStatus,
    reason: &str,
    message: &str,
    ago: i64,
) -> Condition {
    Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: message.into(),
        observed_generation: Some(1),
        since: Some(at(NOW - ago)),
    }
}

pub(crate) fn status(conditions: Vec<Condition>) -> Status {
    Status { conditions, observed_generation: Some(1), last_handled_reconcile_at: None }
}

pub(crate) fn ready(ago: i64) -> Status {
    status(vec![condition("Ready", ConditionStatus::True, "Succeeded", "stored artifact", ago)])
}

fn meta(id: ObjectId) -> Meta {
    Meta { generation: Some(1), created: Some(at(NOW - 90 * 86_400)), ..Meta::new(id) }
}

/// An OCIRepository of `oci://ghcr.io/PATH` that holds the revision.
pub(crate) fn repository(path: &str, follows: Follows, revision: &str, status: Status) -> Source {
    let url = format!("oci://ghcr.io/{path}");
    let spec = OciSpec {
        repository: Repository::parse_url(&url),
        url: url.into(),
        follows,
        ignored_tag: None,
        semver_filter: None,
        layer: LayerSelector::default(),
        provider: "generic".into(),
        secret: None,
        service_account: None,
        cert_secret: None,
        proxy_secret: None,
        insecure: false,
        verify: None,
        ignore: None,
        interval: "10m".into(),
        timeout: None,
    };
    source(Kind::OciRepository, path, SourceSpec::Oci(spec), revision, status)
}

pub(crate) fn source(kind: Kind, path: &str, spec: SourceSpec, revision: &str, status: Status) -> Source {
    let artifact = StoredArtifact {
        revision: Revision::parse(revision),
        digest: None,
        size: Some(1_234),
        stored: Some(at(NOW - 41 * 86_400)),
        url: "".into(),
        annotations: BTreeMap::new(),
    };
    Source {
        meta: meta(id(kind, path)),
        suspended: false,
        spec,
        artifact: (!revision.is_empty()).then_some(artifact),
        status,
        oddities: Vec::new(),
    }
}

pub(crate) fn consumer(
    kind: Kind,
    path: &str,
    takes: Option<ObjectId>,
    revision: &str,
    status: Status,
) -> Consumer {
    let parsed = Revision::parse(revision);
    let release = Release {
        version: Some(3),
        status: "deployed".into(),
        revision: parsed.clone(),
        when: Some(at(NOW - 41 * 86_400)),
        ..Release::default()
    };
    Consumer {
        meta: meta(id(kind, path)),
        suspended: false,
        source: takes,
        chart_source: None,
        path: Some("./".into()),
        chart: None,
        depends_on: Vec::new(),
        interval: "10m".into(),
        target_namespace: None,
        remote: false,
        prune: Some(true),
        applied: Applied {
            last_applied: parsed.clone().filter(|_| kind == Kind::Kustomization),
            last_attempted: parsed,
            last_attempted_digest: None,
            history: if kind == Kind::HelmRelease { vec![release] } else { Vec::new() },
            failures: None,
        },
        inventory: Vec::new(),
        status,
        oddities: Vec::new(),
    }
}

/// The world of `screens.md`: failing, stale, stalled, ready, suspended, and what has no OCI source.
pub(crate) fn shop() -> Vec<Object> {
    let semver = |range: &str| Follows::Semver(range.into());
    let held = format!("6.9.1@{}", digest('a'));
    let refused = "failed to determine artifact digest: GET https://ghcr.io/v2/shop/podinfo/manifests/6.9.4: \
                   UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:shop/podinfo Type:repository]]";
    let failing = status(vec![
        condition("Ready", ConditionStatus::False, "OCIArtifactPullFailed", refused, 180),
        condition("FetchFailed", ConditionStatus::True, "OCIArtifactPullFailed", refused, 180),
        condition("ArtifactInStorage", ConditionStatus::True, "Succeeded", "stored artifact", 41 * 86_400),
    ]);
    let stalled = status(vec![
        condition("Stalled", ConditionStatus::True, "URLInvalid", "URL validation failed", 7_200),
        condition("Ready", ConditionStatus::False, "URLInvalid", "URL validation failed", 7_200),
    ]);
    let podinfo = repository("shop/podinfo", semver("6.9.x"), &held, failing);
    let dns = repository("infra/dns", Follows::Tag("1.4".into()), "", stalled);
    let chart = repository(
        "shop/podinfo-chart",
        semver(">=6.9.0"),
        &format!("6.9.4@{}", digest('4')),
        ready(12 * 86_400),
    );
    let mut config =
        repository("team-a/config", Follows::Latest, &format!("latest@{}", digest('9')), ready(86_400));
    config.suspended = true;
    let from = |path: &str| Some(id(Kind::OciRepository, path));
    let mut release = consumer(
        Kind::HelmRelease,
        "shop/podinfo",
        from("shop/podinfo-chart"),
        "6.9.4+444444444444",
        ready(12 * 86_400),
    );
    release.applied.last_attempted_digest = Revision::parse(&digest('4')).and_then(|r| r.digest().cloned());
    let mut one =
        consumer(Kind::Kustomization, "shop/podinfo", from("shop/podinfo"), &held, ready(41 * 86_400));
    one.meta.labels.insert("app".into(), "web".into());
    let two =
        consumer(Kind::Kustomization, "shop/podinfo-eu", from("shop/podinfo"), &held, ready(41 * 86_400));
    let git = Some(id(Kind::GitRepository, "flux-system/flux-system"));
    let main = "refs/heads/main@sha1:8e2b3c0f0a8b6a5b3f2d0a4a4a1e9a7c11aa22bb";
    let infra = consumer(Kind::Kustomization, "flux-system/infra", git, main, ready(3_600));
    vec![
        Object::Source(podinfo),
        Object::Source(dns),
        Object::Source(chart),
        Object::Source(config),
        Object::Consumer(one),
        Object::Consumer(two),
        Object::Consumer(release),
        Object::Consumer(infra),
    ]
}

/// The same with answers of the registry.
pub(crate) fn shop_with_tags(settings: Settings) -> Story {
    let mut story = Story::with(settings, shop());
    story.tags(
        &upstream("ghcr.io/shop/podinfo"),
        &["6.9.0", "6.9.1", "6.9.2", "6.9.4", "7.0.0-rc.1", "latest"],
    );
    story.tags(&upstream("ghcr.io/shop/podinfo-chart"), &["6.9.4", "7.0.0"]);
    story.tags(&upstream("ghcr.io/team-a/config"), &["latest"]);
    let problem = Problem::new(
        fluxscope::domain::problem::Cause::NotFound,
        "list tags of ghcr.io/infra/dns",
        "404 NAME_UNKNOWN: repository name not known to registry",
    );
    story.tell(Message::Tags(upstream("ghcr.io/infra/dns"), Err(problem)));
    story
}

/// The same, and what the running tags name now.
pub(crate) fn shop_with_heads(settings: Settings) -> Story {
    let mut story = shop_with_tags(settings);
    for (name, tag, now) in [
        ("ghcr.io/shop/podinfo", "6.9.1", 'a'),
        ("ghcr.io/shop/podinfo-chart", "6.9.4", '4'),
        ("ghcr.io/team-a/config", "latest", 'c'),
    ] {
        story.head(&upstream(name), tag, now);
    }
    story
}
