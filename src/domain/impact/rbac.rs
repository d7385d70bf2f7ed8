//! What may be done, before and after: rules compared as sets, bindings by their subjects. Another order, or the same
//! rules cut differently, is no change. Rules that Kubernetes gathers from other roles it does not see.

use super::{
    Danger, Impact, What,
    pair::{Pair, get, text, whole_list},
    words::some,
};
use crate::domain::diff::Change;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Single permissions that are compared of one role; beyond, the rest is only counted as changed.
const MOST: usize = 20_000;

/// How often a permission is looked up in a rule.
const MOST_LOOKS: usize = 4_000_000;

/// Phrases in one sentence.
const SHOWN: usize = 3;

/// One thing that may be done. `*` stands for all of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Grant<'a> {
    verb: &'a str,
    on: On<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum On<'a> {
    /// `name` empty: all of them.
    Resource {
        group: &'a str,
        resource: &'a str,
        name: &'a str,
    },
    Url(&'a str),
}

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    if pair.group() != GROUP || pair.to.is_none() {
        return;
    }
    match pair.kind() {
        "Role" | "ClusterRole" => {
            said.extend(rules(pair));
            said.extend(gathered(pair));
        }
        "RoleBinding" | "ClusterRoleBinding" => bindings(pair, said),
        _ => {}
    }
}

/// A rule, its words apart.
struct Rule<'a> {
    verbs: Vec<&'a str>,
    groups: Vec<&'a str>,
    resources: Vec<&'a str>,
    /// Empty: all of them.
    names: Vec<&'a str>,
    urls: Vec<&'a str>,
}

impl<'a> Rule<'a> {
    fn all(role: Option<&'a Value>) -> Vec<Self> {
        role.map_or(&[][..], |role| whole_list(role, &["rules"])).iter().map(Self::read).collect()
    }

    fn read(rule: &'a Value) -> Self {
        let words = |field| whole_list(rule, &[field]).iter().filter_map(Value::as_str).collect();
        Self {
            verbs: words("verbs"),
            groups: words("apiGroups"),
            resources: words("resources"),
            names: words("resourceNames"),
            urls: words("nonResourceURLs"),
        }
    }
}

fn rules(pair: &Pair<'_>) -> Vec<Impact> {
    let path = ["rules"];
    let (old, new) = (Rule::all(pair.from), Rule::all(pair.to));
    let (Some(before), Some(after)) = (grants(&old), grants(&new)) else {
        let why = "its rules are too many to compare one by one";
        return vec![pair.say(Danger::Medium, What::RbacWidened, &path, why)];
    };
    if before.len().saturating_add(after.len()).saturating_mul(old.len() + new.len()) > MOST_LOOKS {
        let why = "its rules are too many to compare one by one";
        return vec![pair.say(Danger::Medium, What::RbacWidened, &path, why)];
    }
    let more: Vec<Grant<'_>> =
        after.into_iter().filter(|grant| !old.iter().any(|rule| grant.is_in(rule))).collect();
    let less: Vec<Grant<'_>> =
        before.into_iter().filter(|grant| !new.iter().any(|rule| grant.is_in(rule))).collect();
    let mut said = Vec::new();
    if !more.is_empty() {
        let is_new = pair.change.change == Change::Added;
        let (what, word) =
            if is_new { (What::RbacAdded, "grants") } else { (What::RbacWidened, "now also grants") };
        let power = power(&more);
        let danger = match (&power, is_new) {
            (Some(_), _) => Danger::High,
            (None, true) => Danger::Low,
            (None, false) => Danger::Medium,
        };
        let power = power.map_or_else(String::new, |power| format!("{power}: "));
        said.push(pair.say(danger, what, &path, format!("{power}{word} {}", phrases(&more))));
    }
    if !less.is_empty() {
        let why = format!("no longer grants {}", phrases(&less));
        said.push(pair.say(Danger::Low, What::RbacNarrowed, &path, why));
    }
    said
}

/// None: too many.
fn grants<'a>(rules: &[Rule<'a>]) -> Option<BTreeSet<Grant<'a>>> {
    let mut grants = BTreeSet::new();
    for rule in rules {
        let names = if rule.names.is_empty() { &[""][..] } else { &rule.names };
        let size =
            [rule.groups.len(), rule.resources.len(), names.len()].into_iter().fold(1, usize::saturating_mul);
        let size = size.saturating_add(rule.urls.len()).saturating_mul(rule.verbs.len());
        if grants.len().saturating_add(size) > MOST {
            return None;
        }
        for verb in &rule.verbs {
            for group in &rule.groups {
                for resource in &rule.resources {
                    let on = |name| On::Resource { group, resource, name };
                    grants.extend(names.iter().map(|name| Grant { verb, on: on(name) }));
                }
            }
            grants.extend(rule.urls.iter().map(|url| Grant { verb, on: On::Url(url) }));
        }
    }
    Some(grants)
}

impl Grant<'_> {
    /// As the authorizer reads rules (`VerbMatches`, `ResourceMatches`, ... in `plugin/pkg/auth/authorizer/rbac`): one
    /// rule grants all of a permission, or does not.
    fn is_in(&self, rule: &Rule<'_>) -> bool {
        let has = |words: &[&str], wanted: &str| words.iter().any(|word| *word == "*" || *word == wanted);
        if !has(&rule.verbs, self.verb) {
            return false;
        }
        match self.on {
            On::Resource { group, resource, name } => {
                has(&rule.groups, group)
                    && rule.resources.iter().any(|known| covers(known, resource))
                    && (rule.names.is_empty() || rule.names.contains(&name))
            }
            On::Url(url) => rule.urls.iter().any(|known| covers_url(known, url)),
        }
    }

    /// In a few words, why it is much.
    fn power(&self) -> Option<&'static str> {
        let any = |words: &[&str]| self.verb == "*" || words.contains(&self.verb);
        let On::Resource { group, resource, .. } = self.on else {
            return matches!(self.on, On::Url("*")).then_some("every URL");
        };
        let core = matches!(group, "" | "*");
        match (self.verb, resource) {
            ("*", "*") if group == "*" => Some("everything"),
            ("escalate" | "bind", _) => Some("may give itself any right"),
            ("impersonate", _) => Some("may act as others"),
            (_, "*") => Some("a wildcard"),
            ("*", _) if group == "*" => Some("a wildcard"),
            (_, "secrets") if core && any(&["get", "list", "watch"]) => Some("reads Secrets"),
            (_, "secrets") if core && any(&["create", "update", "patch"]) => Some("writes Secrets"),
            (_, "pods/exec" | "pods/attach") if core && any(&["create", "get"]) => {
                Some("runs commands in pods")
            }
            (_, "serviceaccounts/token") if core && any(&["create"]) => {
                Some("makes tokens of service accounts")
            }
            (_, "nodes/proxy") if core => Some("reaches the kubelets"),
            (_, "roles" | "clusterroles" | "rolebindings" | "clusterrolebindings")
                if matches!(group, GROUP | "*") && any(&["create", "update", "patch"]) =>
            {
                Some("writes RBAC")
            }
            ("*", _) => Some("a wildcard"),
            _ => None,
        }
    }

    /// What it is on, without the verb.
    fn place(&self) -> String {
        match self.on {
            On::Url(url) => url.to_owned(),
            On::Resource { group, resource, name } => {
                let resource = match (group, resource) {
                    ("*", "*") => "all resources of all groups".to_owned(),
                    ("", "*") => "all resources of the core group".to_owned(),
                    (group, "*") => format!("all resources of {group}"),
                    ("", resource) => resource.to_owned(),
                    ("*", resource) => format!("{resource} of all groups"),
                    (group, resource) => format!("{resource}.{group}"),
                };
                if name.is_empty() { resource } else { format!("{resource} named {name}") }
            }
        }
    }
}

fn covers(known: &str, resource: &str) -> bool {
    known == "*"
        || known == resource
        || known
            .strip_prefix("*/")
            .is_some_and(|sub| resource.split_once('/').is_some_and(|(_, own)| own == sub))
}

fn covers_url(known: &str, url: &str) -> bool {
    known == "*" || known == url || known.strip_suffix('*').is_some_and(|start| url.starts_with(start))
}

fn power(grants: &[Grant<'_>]) -> Option<String> {
    const ORDER: [&str; 9] = [
        "everything",
        "may give itself any right",
        "may act as others",
        "writes RBAC",
        "reads Secrets",
        "runs commands in pods",
        "makes tokens of service accounts",
        "reaches the kubelets",
        "writes Secrets",
    ];
    let mut found: Vec<&str> = grants.iter().filter_map(Grant::power).collect();
    found.sort_by_key(|word| ORDER.iter().position(|one| one == word).unwrap_or(ORDER.len()));
    found.dedup();
    if found.first() == Some(&"everything") {
        found.truncate(1);
    }
    (!found.is_empty()).then(|| some(&found, 2))
}

/// `get, list secrets; create deployments.apps and 3 more`.
fn phrases(grants: &[Grant<'_>]) -> String {
    let mut by: BTreeMap<(bool, String), Vec<&str>> = BTreeMap::new();
    for grant in grants {
        by.entry((grant.power().is_none(), grant.place())).or_default().push(grant.verb);
    }
    let phrase = |(_, place): &(bool, String), verbs: &[&str]| {
        let verbs = if verbs.contains(&"*") { "every verb on".to_owned() } else { verbs.join(", ") };
        format!("{verbs} {place}")
    };
    let phrases: Vec<String> = by.iter().map(|(place, verbs)| phrase(place, verbs)).collect();
    let shown = phrases.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    match phrases.len().saturating_sub(SHOWN) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}

/// Roles that feed others, and that others feed.
fn gathered(pair: &Pair<'_>) -> Vec<Impact> {
    let mut said = Vec::new();
    let path = ["aggregationRule"];
    let rule = |side: Option<&'_ Value>| side.and_then(|side| get(side, &path)).cloned();
    if let Some(new) = rule(pair.to)
        && rule(pair.from).as_ref() != Some(&new)
    {
        let why = "its rules are gathered from other roles by their labels, which are not seen here";
        said.push(pair.say(Danger::Medium, What::RbacWidened, &path, why));
    }
    for role in ["admin", "edit", "view", "cluster-reader"] {
        let label = format!("{GROUP}/aggregate-to-{role}");
        let path = ["metadata", "labels", label.as_str()];
        let is_on = |side: Option<&Value>| side.and_then(|side| text(side, &path)) == Some("true");
        if is_on(pair.to) && !is_on(pair.from) {
            let why = format!("its rules go to everyone who is {role}");
            said.push(pair.say(Danger::Medium, What::RbacWidened, &path, why));
        }
    }
    said
}

fn bindings(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    let Some(to) = pair.to else { return };
    let role = role_ref(to);
    let before = pair.from.map(subjects).unwrap_or_default();
    let after = subjects(to);
    let old_role = pair.from.map(role_ref);
    let is_other = old_role.as_ref().is_some_and(|old| *old != role);
    let more: Vec<&String> = after.iter().filter(|subject| is_other || !before.contains(*subject)).collect();
    let less: Vec<&String> = before.iter().filter(|subject| !after.contains(*subject)).collect();
    if !more.is_empty() {
        let is_new = pair.change.change == Change::Added;
        let wide = pair.kind() == "ClusterRoleBinding";
        let everyone = more.iter().any(|subject| is_everyone(subject));
        let danger = match (&*role, wide) {
            ("ClusterRole cluster-admin", _) => Danger::High,
            _ if everyone => Danger::High,
            ("ClusterRole admin" | "ClusterRole edit", true) => Danger::High,
            _ if is_new => Danger::Low,
            _ => Danger::Medium,
        };
        let scope = if wide { "in the whole cluster" } else { "in its namespace" };
        let who = some(&more, SHOWN);
        let why = match old_role.filter(|_| is_other) {
            Some(old) => format!("{who} had {old} and gets {role} {scope}"),
            None => format!("gives {role} {scope} to {who}"),
        };
        let what = if is_new { What::RbacAdded } else { What::RbacWidened };
        said.push(pair.say(danger, what, &[if is_other { "roleRef" } else { "subjects" }], why));
    }
    if !less.is_empty() {
        let why = format!("takes {role} from {}", some(&less, SHOWN));
        said.push(pair.say(Danger::Low, What::RbacNarrowed, &["subjects"], why));
    }
}

fn role_ref(binding: &Value) -> String {
    let word = |name| text(binding, &["roleRef", name]).unwrap_or("?");
    format!("{} {}", word("kind"), word("name"))
}

fn subjects(binding: &Value) -> BTreeSet<String> {
    let subject = |subject: &Value| {
        let name = text(subject, &["name"]).unwrap_or("?");
        let kind = text(subject, &["kind"]).unwrap_or("?");
        match text(subject, &["namespace"]) {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}"),
        }
    };
    whole_list(binding, &["subjects"]).iter().map(subject).collect()
}

fn is_everyone(subject: &str) -> bool {
    matches!(
        subject,
        "Group system:authenticated"
            | "Group system:unauthenticated"
            | "Group system:serviceaccounts"
            | "User system:anonymous"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{impact::pair::tests::said, lens::Lens};

    fn check(from: &str, to: &str, want: &[&str]) {
        let role = |rules: &str| {
            if rules.is_empty() {
                return String::new();
            }
            format!("{{apiVersion: {GROUP}/v1, kind: ClusterRole, metadata: {{name: a}}, rules: [{rules}]}}")
        };
        assert_eq!(said(judge, &Lens::Whole, &role(from), &role(to)), want, "{from} → {to}");
    }

    #[test]
    fn another_order_is_no_change() {
        check(
            "{apiGroups: [''], resources: [pods, services], verbs: [get, list]}",
            "{apiGroups: [''], resources: [services], verbs: [list, get]}, {apiGroups: [''], resources: [pods], verbs: [get]}, {apiGroups: [''], resources: [pods], verbs: [list]}",
            &[],
        );
    }

    #[test]
    fn more_and_less_are_said_by_what_they_are_on() {
        check(
            "{apiGroups: [apps], resources: [deployments], verbs: [get]}",
            "{apiGroups: [apps], resources: [deployments], verbs: [patch]}",
            &[
                "medium rbac-widened: now also grants patch deployments.apps",
                "low rbac-narrowed: no longer grants get deployments.apps",
            ],
        );
        check(
            "{apiGroups: ['*'], resources: ['*'], verbs: ['*']}",
            "{apiGroups: [''], resources: [secrets], verbs: [get]}",
            &["low rbac-narrowed: no longer grants every verb on all resources of all groups"],
        );
        check(
            "{apiGroups: [''], resources: ['*/scale'], verbs: [get]}",
            "{apiGroups: [''], resources: [pods/scale], verbs: [get]}, {apiGroups: [''], resources: ['*/scale'], verbs: [get]}",
            &[],
        );
        check(
            "{apiGroups: [''], resources: [pods], verbs: [get], resourceNames: [a]}",
            "{apiGroups: [''], resources: [pods], verbs: [get]}",
            &["medium rbac-widened: now also grants get pods"],
        );
        check(
            "{nonResourceURLs: ['/healthz/*'], verbs: [get]}",
            "{nonResourceURLs: [/healthz/a, /metrics], verbs: [get]}",
            &[
                "medium rbac-widened: now also grants get /metrics",
                "low rbac-narrowed: no longer grants get /healthz/*",
            ],
        );
    }

    #[test]
    fn what_is_much_is_high() {
        let check = |rule: &str, power: &str| {
            let more = format!("{{apiGroups: [''], resources: [pods], verbs: [get]}}, {rule}");
            let role = |rules: &str| {
                format!("{{apiVersion: {GROUP}/v1, kind: Role, metadata: {{name: a}}, rules: [{rules}]}}")
            };
            let said = said(
                judge,
                &Lens::Whole,
                &role("{apiGroups: [''], resources: [pods], verbs: [get]}"),
                &role(&more),
            );
            assert!(said[0].starts_with(&format!("high rbac-widened: {power}: ")), "{said:?}");
        };
        check("{apiGroups: ['*'], resources: ['*'], verbs: ['*']}", "everything");
        check("{apiGroups: [''], resources: [secrets], verbs: [list]}", "reads Secrets");
        check(
            "{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [escalate]}",
            "may give itself any right",
        );
        check("{apiGroups: [''], resources: [users], verbs: [impersonate]}", "may act as others");
        check("{apiGroups: [apps], resources: ['*'], verbs: [get]}", "a wildcard");
        check("{apiGroups: [apps], resources: [deployments], verbs: ['*']}", "a wildcard");
    }

    #[test]
    fn a_new_role_is_said_by_what_it_grants() {
        check(
            "",
            "{apiGroups: [''], resources: [pods], verbs: [get, list]}",
            &["low rbac-added: grants get, list pods"],
        );
        check(
            "",
            "{apiGroups: [''], resources: [secrets, pods], verbs: [get]}",
            &["high rbac-added: reads Secrets: grants get secrets; get pods"],
        );
    }

    #[test]
    fn a_rule_behind_thousands_is_read_too() {
        let many = "{apiGroups: [a], resources: [b], verbs: [get]}, ".repeat(2_100);
        let role = |last: &str| {
            format!("{{apiVersion: {GROUP}/v1, kind: Role, metadata: {{name: a}}, rules: [{many}{last}]}}")
        };
        assert_eq!(
            said(
                judge,
                &Lens::Whole,
                &role(""),
                &role("{apiGroups: [''], resources: [secrets], verbs: [get]}")
            ),
            ["high rbac-widened: reads Secrets: now also grants get secrets"]
        );
    }

    #[test]
    fn bindings_are_compared_by_subject() {
        let binding = |role: &str, subjects: &str| {
            format!(
                "{{apiVersion: {GROUP}/v1, kind: ClusterRoleBinding, metadata: {{name: a}}, roleRef: {{kind: ClusterRole, name: {role}}}, subjects: [{subjects}]}}"
            )
        };
        let check =
            |from: &str, to: &str, want: &[&str]| assert_eq!(said(judge, &Lens::Whole, from, to), want);
        let (a, b) = (
            "{kind: ServiceAccount, namespace: ns, name: a}",
            "{kind: ServiceAccount, namespace: ns, name: b}",
        );
        check(
            "",
            &binding("cluster-admin", a),
            &["high rbac-added: gives ClusterRole cluster-admin in the whole cluster to ServiceAccount ns/a"],
        );
        check(
            &binding("x", a),
            &binding("x", &format!("{b}, {a}")),
            &["medium rbac-widened: gives ClusterRole x in the whole cluster to ServiceAccount ns/b"],
        );
        check(
            &binding("x", a),
            &binding("x", b),
            &[
                "medium rbac-widened: gives ClusterRole x in the whole cluster to ServiceAccount ns/b",
                "low rbac-narrowed: takes ClusterRole x from ServiceAccount ns/a",
            ],
        );
        check(
            &binding("view", a),
            &binding("cluster-admin", a),
            &[
                "high rbac-widened: ServiceAccount ns/a had ClusterRole view and gets ClusterRole cluster-admin in the whole cluster",
            ],
        );
        check(
            &binding("x", ""),
            &binding("x", "{kind: Group, name: 'system:authenticated'}"),
            &["high rbac-widened: gives ClusterRole x in the whole cluster to Group system:authenticated"],
        );
    }
}
