//! Paths inside an artifact: relative to its root, without `.` and `..`, empty for the root. None leads out of it.

/// As `filepath-securejoin` makes it of `spec.path`: what would lead out of the root stays at the root.
pub fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Where a path leads that a file in `folder` names; None: out of the artifact, or it is absolute.
pub(super) fn joined(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The path is the folder or stands below it.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The folder of a file.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path from a folder to another place, as a kustomization file in that folder would name it.
pub(super) fn relative(folder: &str, path: &str) -> String {
    let from: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - same);
    let parts: Vec<&str> = up.chain(to.into_iter().skip(same)).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_spec_never_leaves_the_artifact() {
        for (path, clean) in [
            ("./deploy/", "deploy"),
            ("/deploy", "deploy"),
            ("../../etc", "etc"),
            ("a/../../b//c/.", "b/c"),
            ("./", ""),
            ("", ""),
        ] {
            assert_eq!(cleaned(path), clean, "{path}");
        }
    }

    #[test]
    fn what_a_file_names_is_found_from_its_folder_or_not_at_all() {
        assert_eq!(joined("apps/web", "../base/./x.yaml").as_deref(), Some("apps/base/x.yaml"));
        assert_eq!(joined("apps", ".."), Some(String::new()));
        assert_eq!(joined("apps", "../.."), None);
        assert_eq!(joined("apps", "/etc/passwd"), None);
    }

    #[test]
    fn below_means_by_whole_names() {
        assert!(is_below("apps/web", "apps"));
        assert!(!is_below("apps-old/web", "apps"));
        assert!(is_below("x", ""));
    }

    #[test]
    fn the_way_from_a_folder_leads_back() {
        for (folder, path, way) in [("a/b", "a/c/d", "../c/d"), ("", "x", "x"), ("a", "a", ".")] {
            assert_eq!(relative(folder, path), way);
            assert_eq!(joined(folder, way).as_deref(), Some(path));
        }
    }
}
