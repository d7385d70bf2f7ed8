//! Admission: who is asked before the API server takes a write, and what happens while nobody answers. It reaches no
//! webhook.

use super::{
    Danger, Impact, What,
    pair::{Pair, get, is_empty, list, same, text},
    words::some,
};
use crate::domain::diff::Change;
use serde_json::Value;

const GROUP: &str = "admissionregistration.k8s.io";

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    let Some(to) = pair.to.filter(|_| pair.group() == GROUP) else { return };
    match pair.kind() {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => hooks(pair, to, said),
        "ValidatingAdmissionPolicy"
        | "MutatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "MutatingAdmissionPolicyBinding" => said.extend(policy(pair, to)),
        _ => {}
    }
}

fn hooks(pair: &Pair<'_>, to: &Value, said: &mut Vec<Impact>) {
    let before = pair.from.map_or(&[][..], |from| list(from, &["webhooks"]));
    for hook in list(to, &["webhooks"]) {
        let name = text(hook, &["name"]).unwrap_or("?");
        let path = ["webhooks", name];
        match before.iter().find(|old| text(old, &["name"]) == Some(name)) {
            None => {
                let (danger, words) = reach(hook);
                said.push(pair.say(
                    danger,
                    What::WebhookAdded,
                    &path,
                    format!("webhook {name} is asked for {words}"),
                ));
            }
            Some(old) => said.extend(changed(pair, name, old, hook)),
        }
    }
    let after = list(to, &["webhooks"]);
    for old in before.iter().filter_map(|old| text(old, &["name"])) {
        if !after.iter().any(|hook| text(hook, &["name"]) == Some(old)) {
            let why = format!("webhook {old} is no longer asked");
            said.push(pair.say(Danger::Medium, What::WebhookRemoved, &["webhooks", old], why));
        }
    }
}

/// `Fail` is the default of v1.
fn fails(hook: &Value) -> bool {
    text(hook, &["failurePolicy"]).unwrap_or("Fail") == "Fail"
}

fn narrowed(hook: &Value) -> bool {
    ["namespaceSelector", "objectSelector"].iter().any(|field| !is_empty(hook.get(field)))
        || !list(hook, &["matchConditions"]).is_empty()
}

/// It stands in the way of nearly every write, or of pods.
fn is_broad(hook: &Value) -> bool {
    list(hook, &["rules"]).iter().any(|rule| {
        let has = |field: &str, words: &[&str]| {
            list(rule, &[field]).iter().filter_map(Value::as_str).any(|word| words.contains(&word))
        };
        has("resources", &["*", "*/*"])
            || (has("apiGroups", &["", "*"]) && has("resources", &["pods", "pods/*"]))
    })
}

fn reach(hook: &Value) -> (Danger, String) {
    let mut resources: Vec<&str> = list(hook, &["rules"])
        .iter()
        .flat_map(|rule| list(rule, &["resources"]))
        .filter_map(Value::as_str)
        .collect();
    resources.dedup();
    let what = if resources.is_empty() { "nothing".to_owned() } else { some(&resources, 3) };
    let note =
        if fails(hook) { "while it does not answer these writes are refused" } else { "it may be silent" };
    let danger = match (fails(hook), is_broad(hook), narrowed(hook)) {
        (true, true, false) => Danger::High,
        (true, _, _) => Danger::Medium,
        (false, _, _) => Danger::Low,
    };
    let bound = if narrowed(hook) { " (selected ones)" } else { "" };
    (danger, format!("{what}{bound}: {note}"))
}

fn changed(pair: &Pair<'_>, name: &str, old: &Value, new: &Value) -> Option<Impact> {
    let mut words = Vec::new();
    let mut danger = Danger::Low;
    if fails(new) && !fails(old) {
        danger = if is_broad(new) && !narrowed(new) { Danger::High } else { Danger::Medium };
        words.push("failurePolicy Ignore → Fail, while it does not answer writes are refused".to_owned());
    } else if fails(old) && !fails(new) {
        words.push("failurePolicy Fail → Ignore, what it guards may pass".to_owned());
    }
    if !same(old.get("rules"), new.get("rules")) {
        let wider = fails(new) && is_broad(new) && !is_broad(old) && !narrowed(new);
        danger = danger.min(if wider { Danger::High } else { Danger::Medium });
        words.push(format!("it is asked for {}", reach(new).1));
    }
    for field in ["namespaceSelector", "objectSelector", "matchConditions"] {
        if !same(old.get(field), new.get(field)) {
            let opens = is_empty(new.get(field)) && fails(new) && is_broad(new) && !narrowed(new);
            danger = danger.min(if opens { Danger::High } else { Danger::Medium });
            words.push(format!("{field} {}", if is_empty(new.get(field)) { "is gone" } else { "changes" }));
        }
    }
    let service = ["clientConfig", "service"];
    if get(old, &service) != get(new, &service)
        || text(old, &["clientConfig", "url"]) != text(new, &["clientConfig", "url"])
    {
        danger = danger.min(Danger::Medium);
        words.push("another service answers".to_owned());
    }
    for field in ["timeoutSeconds", "sideEffects", "matchPolicy", "reinvocationPolicy"] {
        if get(old, &[field]) != get(new, &[field]) {
            words.push(format!("{field} changes"));
        }
    }
    if words.is_empty() {
        return None;
    }
    let why = format!("webhook {name}: {}", words.join("; "));
    Some(pair.say(danger, What::WebhookChanged, &["webhooks", name], why))
}

fn policy(pair: &Pair<'_>, to: &Value) -> Option<Impact> {
    let denies = list(to, &["spec", "validationActions"]).iter().any(|action| action == "Deny");
    let note = if denies { ": what breaks it is refused" } else { "" };
    let (what, why) = if pair.change.change == Change::Added {
        (What::WebhookAdded, format!("a new admission rule{note}"))
    } else if pair.from.is_some_and(|from| get(from, &["spec"]) != get(to, &["spec"])) {
        (What::WebhookChanged, format!("the admission rule changes{note}"))
    } else {
        return None;
    };
    Some(pair.say(Danger::Medium, what, &["spec"], why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{impact::pair::tests::said, lens::Lens};

    #[test]
    fn webhooks_are_judged_by_what_they_stand_in_the_way_of() {
        let object = |hook: &str| {
            if hook.is_empty() {
                return String::new();
            }
            format!("{{apiVersion: {GROUP}/v1, kind: ValidatingWebhookConfiguration, webhooks: [{hook}]}}")
        };
        let check = |from: &str, to: &str, want: &[&str]| {
            assert_eq!(said(judge, &Lens::Whole, &object(from), &object(to)), want, "{from} → {to}");
        };
        let all = "rules: [{apiGroups: ['*'], resources: ['*']}]";
        check(
            "",
            &format!("{{name: a, {all}}}"),
            &[
                "high webhook-added: webhook a is asked for *: while it does not answer these writes are refused",
            ],
        );
        check(
            "",
            &format!("{{name: a, failurePolicy: Ignore, {all}}}"),
            &["low webhook-added: webhook a is asked for *: it may be silent"],
        );
        check(
            "",
            &format!("{{name: a, namespaceSelector: {{matchLabels: {{a: b}}}}, {all}}}"),
            &[
                "medium webhook-added: webhook a is asked for * (selected ones): while it does not answer these writes are refused",
            ],
        );
        let one = "rules: [{apiGroups: [x.io], resources: [things]}]";
        check(
            &format!("{{name: a, {one}}}"),
            &format!("{{name: a, {all}}}"),
            &[
                "high webhook-changed: webhook a: it is asked for *: while it does not answer these writes are refused",
            ],
        );
        check(
            &format!("{{name: a, failurePolicy: Ignore, {one}}}"),
            &format!("{{name: a, {one}}}"),
            &[
                "medium webhook-changed: webhook a: failurePolicy Ignore → Fail, while it does not answer writes are refused",
            ],
        );
        check(
            &format!("{{name: a, clientConfig: {{caBundle: x}}, {one}}}"),
            &format!("{{name: a, {one}}}"),
            &[],
        );
        check(
            &format!("{{name: a, {one}}}"),
            &format!("{{name: b, {one}}}"),
            &[
                "medium webhook-added: webhook b is asked for things: while it does not answer these writes are refused",
                "medium webhook-removed: webhook a is no longer asked",
            ],
        );
    }
}
