//! How much runs, with how much, and who reaches it: replicas, requests and limits, autoscalers, disruption budgets,
//! quotas and services. It knows no load.

use super::{
    Danger, Impact, What, images,
    pair::{Pair, get, list, same, text},
    words::{quote, some},
};
use serde_json::Value;
use std::cmp::Ordering;

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    let Some((from, to)) = pair.both() else { return };
    said.extend(replicas(pair, from, to));
    said.extend(halted(pair, from, to));
    resources(pair, from, to, said);
    match (pair.group(), pair.kind()) {
        ("autoscaling", "HorizontalPodAutoscaler") => bounds(pair, from, to, said),
        ("policy", "PodDisruptionBudget") => said.extend(budget(pair, from, to)),
        ("", "ResourceQuota" | "LimitRange") if !same(get(from, &["spec"]), get(to, &["spec"])) => {
            let why = "its limits change: new pods that break them are refused";
            said.push(pair.say(Danger::Medium, What::ResourcesChanged, &["spec"], why));
        }
        ("", "Service") => service(pair, from, to, said),
        _ => {}
    }
}

fn replicas(pair: &Pair<'_>, from: &Value, to: &Value) -> Option<Impact> {
    let path = ["spec", "replicas"];
    let (old, new) = (get(from, &path), get(to, &path));
    if old == new || (images::pod(to).is_none() && new.is_none()) {
        return None;
    }
    let number = |value: Option<&Value>| value.and_then(Value::as_i64);
    let (danger, note) = match (number(old), number(new)) {
        (_, Some(0)) => (Danger::High, ": nothing runs any more"),
        (Some(old), None) if old > 1 => (Danger::Medium, ": without an autoscaler Kubernetes runs 1"),
        (Some(_), None) => (Danger::Low, ": an autoscaler decides, or Kubernetes runs 1"),
        (None, Some(_)) => (Danger::Medium, ": an autoscaler is overruled with each apply"),
        (Some(old), Some(new)) if new < old => (Danger::Medium, ""),
        (Some(_), Some(_)) => (Danger::Low, ""),
        (None, None) => return None,
    };
    let why = format!("replicas {} → {}{note}", quote(old), quote(new));
    Some(pair.say(danger, What::ReplicasChanged, &path, why))
}

/// Jobs and CronJobs that are stopped or started.
fn halted(pair: &Pair<'_>, from: &Value, to: &Value) -> Option<Impact> {
    if pair.group() != "batch" {
        return None;
    }
    let path = ["spec", "suspend"];
    let is_on = |side| get(side, &path).and_then(Value::as_bool) == Some(true);
    let (danger, why) = match (is_on(from), is_on(to)) {
        (false, true) => (Danger::Medium, "is suspended: it does not run any more"),
        (true, false) => (Danger::Medium, "is no longer suspended: it runs"),
        (true, true) | (false, false) => return None,
    };
    Some(pair.say(danger, What::ReplicasChanged, &path, why))
}

fn resources(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    let before = images::containers(from);
    let known = images::by_name(&before);
    for new in images::containers(to) {
        let Some(old) = known.get(&(new.word, new.name)) else {
            continue;
        };
        let mut changes = Vec::new();
        let mut lower = false;
        for part in ["requests", "limits"] {
            let (was, is) = (get(old.value, &["resources", part]), get(new.value, &["resources", part]));
            for key in keys(was, is) {
                let at = |side: Option<&Value>| side.and_then(|side| get(side, &[key])).cloned();
                let (was, is) = (at(was), at(is));
                let order = compare(was.as_ref(), is.as_ref());
                if order == Ordering::Equal {
                    continue;
                }
                lower |= part == "limits" && order == Ordering::Greater;
                let singular = part.trim_end_matches('s');
                changes.push(format!("{key} {singular} {} → {}", quote(was.as_ref()), quote(is.as_ref())));
            }
        }
        if !changes.is_empty() {
            let danger = if lower { Danger::Medium } else { Danger::Low };
            let path = [&new.path[..], &["resources"]].concat();
            let why = format!("{} {}: {}", new.word, new.name, some(&changes, 4));
            said.push(pair.say(danger, What::ResourcesChanged, &path, why));
        }
    }
}

fn keys<'a>(one: Option<&'a Value>, other: Option<&'a Value>) -> Vec<&'a str> {
    let mut keys: Vec<&str> = [one, other]
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(serde_json::Map::keys)
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Old against new: `Greater` is a cut. None is no bound.
fn compare(old: Option<&Value>, new: Option<&Value>) -> Ordering {
    match (old, new) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(old), Some(new)) => match (quantity(old), quantity(new)) {
            (Some(old), Some(new)) => old.total_cmp(&new),
            _ if old == new => Ordering::Equal,
            _ => Ordering::Less,
        },
    }
}

/// A Kubernetes quantity (`apimachinery/pkg/api/resource`), near enough to compare.
pub(super) fn quantity(value: &Value) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 15] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let text = match value {
        Value::Number(number) => return number.as_f64(),
        Value::String(text) => text.trim(),
        _ => return None,
    };
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some(text.strip_suffix(suffix)?.parse::<f64>().ok()? * factor))
}

fn bounds(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    for (field, worse) in [("minReplicas", Ordering::Greater), ("maxReplicas", Ordering::Greater)] {
        let path = ["spec", field];
        let (old, new) = (get(from, &path), get(to, &path));
        if old == new {
            continue;
        }
        let number = |value: Option<&Value>| value.and_then(Value::as_i64).unwrap_or(1);
        let danger = match (number(new), number(old).cmp(&number(new))) {
            (0, _) => Danger::High,
            (_, order) if order == worse => Danger::Medium,
            _ => Danger::Low,
        };
        let why = format!("{field} {} → {}", quote(old), quote(new));
        said.push(pair.say(danger, What::ReplicasChanged, &path, why));
    }
}

fn budget(pair: &Pair<'_>, from: &Value, to: &Value) -> Option<Impact> {
    let fields = ["minAvailable", "maxUnavailable"];
    let changed =
        fields.into_iter().find(|field| get(from, &["spec", field]) != get(to, &["spec", field]))?;
    let words: Vec<String> = fields
        .iter()
        .map(|field| (field, get(from, &["spec", field]), get(to, &["spec", field])))
        .filter(|(_, old, new)| old != new)
        .map(|(field, old, new)| format!("{field} {} → {}", quote(old), quote(new)))
        .collect();
    let none_may_go = matches!(quote(get(to, &["spec", "maxUnavailable"])).as_str(), "0" | "0%")
        || quote(get(to, &["spec", "minAvailable"])) == "100%";
    let note = if none_may_go { ": no pod may be evicted, nodes cannot be drained" } else { "" };
    let why = format!("{}{note}", words.join(", "));
    Some(pair.say(Danger::Medium, What::DisruptionBudget, &["spec", changed], why))
}

fn service(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    let kind = |side| text(side, &["spec", "type"]).unwrap_or("ClusterIP");
    let (old, new) = (kind(from), kind(to));
    if old != new {
        let (danger, note) = match (old, new) {
            ("LoadBalancer", _) => (Danger::High, ": its external address is given back"),
            (_, "ExternalName") => (Danger::High, ": its cluster address is given back"),
            (_, "LoadBalancer") => (Danger::Medium, ": it is reached from outside"),
            ("NodePort", _) => (Danger::Medium, ": its port on the nodes is closed"),
            (_, "NodePort") => (Danger::Medium, ": it is reached on a port of every node"),
            _ => (Danger::Medium, ""),
        };
        let why = format!("type {old} → {new}{note}");
        said.push(pair.say(danger, What::ServiceChanged, &["spec", "type"], why));
    }
    let selector = ["spec", "selector"];
    if !same(get(from, &selector), get(to, &selector)) {
        let why = "selector changes: traffic goes to whichever pods match now";
        said.push(pair.say(Danger::Medium, What::ServiceChanged, &selector, why));
    }
    let ports = |side| {
        let word =
            |port| Some((quote(Some(get(port, &["port"])?)), text(port, &["protocol"]).unwrap_or("TCP")));
        list(side, &["spec", "ports"]).iter().filter_map(word).collect::<Vec<_>>()
    };
    let after = ports(to);
    let gone = ports(from).into_iter().filter(|port| !after.contains(port));
    let gone: Vec<String> = gone
        .map(|(port, protocol)| if protocol == "TCP" { port } else { format!("{port}/{protocol}") })
        .collect();
    if !gone.is_empty() {
        let why = format!("no longer listens on {}", some(&gone, 5));
        said.push(pair.say(Danger::Medium, What::ServiceChanged, &["spec", "ports"], why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{impact::pair::tests::said, lens::Lens};

    fn check(kind: &str, from: &str, to: &str, want: &[&str]) {
        let (api, kind) = kind.split_once(' ').unwrap();
        let object = |spec: &str| {
            format!("{{apiVersion: {api}, kind: {kind}, metadata: {{name: a}}, spec: {{{spec}}}}}")
        };
        assert_eq!(said(judge, &Lens::Whole, &object(from), &object(to)), want, "{kind}: {from} → {to}");
    }

    #[test]
    fn replicas_are_said_with_what_follows() {
        let check = |from: &str, to: &str, want: &str| {
            let want: Vec<&str> = Some(want).filter(|want| !want.is_empty()).into_iter().collect();
            let pod = "template: {spec: {containers: []}}";
            let spec = |own: &str| if own.is_empty() { pod.to_owned() } else { format!("{own}, {pod}") };
            check("apps/v1 Deployment", &spec(from), &spec(to), &want);
        };
        check("replicas: 2", "replicas: 0", "high replicas-changed: replicas 2 → 0: nothing runs any more");
        check("replicas: 3", "replicas: 2", "medium replicas-changed: replicas 3 → 2");
        check("replicas: 2", "replicas: 3", "low replicas-changed: replicas 2 → 3");
        check(
            "replicas: 2",
            "",
            "medium replicas-changed: replicas 2 → not set: without an autoscaler Kubernetes runs 1",
        );
        check(
            "",
            "replicas: 2",
            "medium replicas-changed: replicas not set → 2: an autoscaler is overruled with each apply",
        );
        check("replicas: 2", "replicas: 2", "");
    }

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        let check = |limits: (&str, &str), want: &[&str]| {
            let spec = |limit: &str| {
                format!(
                    "template: {{spec: {{containers: [{{name: c, resources: {{limits: {{{limit}}}}}}}]}}}}"
                )
            };
            check("apps/v1 Deployment", &spec(limits.0), &spec(limits.1), want);
        };
        check(("memory: 1Gi", "memory: 1024Mi"), &[]);
        check(("cpu: '1'", "cpu: 1000m"), &[]);
        check(
            ("memory: 1Gi", "memory: 512Mi"),
            &["medium resources-changed: container c: memory limit 1Gi → 512Mi"],
        );
        check(
            ("memory: 1Gi", "memory: 2Gi"),
            &["low resources-changed: container c: memory limit 1Gi → 2Gi"],
        );
        check(("", "cpu: 100m"), &["medium resources-changed: container c: cpu limit not set → 100m"]);
    }

    #[test]
    fn autoscalers_budgets_and_services_are_said() {
        let hpa = "autoscaling/v2 HorizontalPodAutoscaler";
        check(
            hpa,
            "minReplicas: 2, maxReplicas: 4",
            "minReplicas: 3, maxReplicas: 3",
            &["low replicas-changed: minReplicas 2 → 3", "medium replicas-changed: maxReplicas 4 → 3"],
        );
        check(
            "policy/v1 PodDisruptionBudget",
            "minAvailable: 1",
            "maxUnavailable: 0",
            &[
                "medium disruption-budget: minAvailable 1 → not set, maxUnavailable not set → 0: no pod may be evicted, nodes cannot be drained",
            ],
        );
        check(
            "v1 Service",
            "type: LoadBalancer",
            "type: ClusterIP",
            &["high service-changed: type LoadBalancer → ClusterIP: its external address is given back"],
        );
        check(
            "v1 Service",
            "selector: {a: b}, ports: [{port: 80}, {port: 81}]",
            "selector: {a: c}, ports: [{port: 81}]",
            &[
                "medium service-changed: selector changes: traffic goes to whichever pods match now",
                "medium service-changed: no longer listens on 80",
            ],
        );
        check(
            "v1 Service",
            "ports: [{port: 53, protocol: UDP}, {port: 80}]",
            "ports: [{port: 53}, {port: 80, protocol: TCP}]",
            &["medium service-changed: no longer listens on 53/UDP"],
        );
        check("v1 Service", "ports: []", "type: ClusterIP", &[]);
        check(
            "batch/v1 CronJob",
            "schedule: a",
            "schedule: a, suspend: true",
            &["medium replicas-changed: is suspended: it does not run any more"],
        );
    }
}
