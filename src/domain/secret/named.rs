//! Secret by its name: the one rule for the defaults of a chart, and for what is said of them. No other file is judged by
//! names.

/// Ends of names, in lower case and without `-` and `_`.
const ENDS: [&str; 8] =
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "secretaccesskey"];

/// They name an object, and say nothing of what is in it.
const REFERENCES: [&str; 2] = ["existingsecret", "pullsecret"];

/// The scalar of this key is taken for a secret, unless it is a flag, empty or null.
pub fn is_named_like_one(key: &str) -> bool {
    let name: String = key.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect();
    let ends = |with: &[&str]| with.iter().any(|end| name.ends_with(end));
    ends(&ENDS) && !ends(&REFERENCES)
}

/// A scalar as it is written: true or false, which is no secret.
pub(super) fn is_flag(written: &str) -> bool {
    ["true", "false", "yes", "no", "on", "off"].iter().any(|word| written.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::super::{HIDDEN, Secrets};

    #[test]
    fn what_is_named_like_a_secret_is_found_in_defaults_only() {
        let text = "password: shut\nauth:\n  admin-password: 'shut'\n  API_KEY: \"shut\"\n  clientSecret: |\n    shut\n    shut\n  \
                    pin: 1\n  token: 1234\nusers:\n- {name: open, passwd: shut}\nexistingSecret: open\nimagePullSecret: open\n\
                    automountServiceAccountToken: true\nsecret: {name: open}\nsecretName: open\ntoken: \"\"\npassphrase:\n\
                    tokens: [open]\n";
        let covered = Secrets::find_in_values(text).cover(text, None);
        assert!(!covered.contains("shut") && !covered.contains("1234"), "{covered}");
        assert_eq!((covered.matches("open").count(), covered.matches(HIDDEN).count()), (6, 7), "{covered}");
        assert!(
            covered.contains("Token: true") && covered.contains("token: \"\"\npassphrase:\n"),
            "{covered}"
        );
        assert!(Secrets::find(text).is_empty(), "other files say what they say");
        let broken = format!("{text}x: [\n");
        let covered = Secrets::find_in_values(&broken).cover(&broken, None);
        assert!(!covered.contains("shut") && !covered.contains("1234"), "{covered}");
        let secret = "extra:\n- kind: Secret\n  data: {a: shut}\npassword: shut\n";
        assert!(!Secrets::find_in_values(secret).cover(secret, None).contains("shut"));
    }
}
