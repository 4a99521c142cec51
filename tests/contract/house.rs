//! The rooms of the house and what each may use; `docs/architecture.md` says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room of `src/`, the rooms that it may use, and words that must not occur in it.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    unheard: &'static [&'static str],
}

const ROOMS: [Room; 7] = [
    Room {
        name: "api",
        may_use: &[],
        unheard: &["async", "await", "tokio", "reqwest", "axum"],
    },
    Room {
        name: "cloud",
        may_use: &["clock"],
        unheard: &["kube", "k8s_openapi"],
    },
    Room {
        name: "plan",
        may_use: &["api", "cloud"],
        unheard: &["async", "await", "tokio", "Clock"],
    },
    Room {
        name: "operator",
        may_use: &["api", "cloud", "plan", "clock"],
        unheard: &[],
    },
    Room {
        name: "simulator",
        may_use: &["clock"],
        unheard: &["kube", "k8s_openapi", "reqwest"],
    },
    Room {
        name: "bin/dms-operator.rs",
        may_use: &["api", "cloud", "plan", "operator", "clock"],
        unheard: &[],
    },
    Room {
        name: "bin/dms-simulator.rs",
        may_use: &["simulator", "clock"],
        unheard: &[],
    },
];

#[test]
fn rooms_use_only_what_they_may() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for file in files(&source) {
        let path = file.strip_prefix(&source).unwrap();
        let shown = format!("src/{}", path.display());
        // The top itself: what names the rooms, and the clock.
        if path.components().count() == 1 {
            continue;
        }
        let Some(room) = ROOMS.iter().find(|room| path.starts_with(room.name)) else {
            broken.push(format!(
                "{shown} is in no room that this test knows: add it, with what it may use"
            ));
            continue;
        };
        let code = code(&fs::read_to_string(&file).unwrap());
        let complaints = complaints(room, &code).into_iter();
        broken.extend(complaints.map(|complaint| format!("{shown} {complaint}")));
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_check_sees_what_is_wrong() {
    let plan = ROOMS.iter().find(|room| room.name == "plan").unwrap();
    let good = "use crate::api::Topic; // not crate::operator, tokio\nuse crate::{api::{A, operator}, cloud, plan::B};";
    assert_eq!(complaints(plan, &code(good)), [""; 0]);
    for wrong in [
        "use crate::operator::Hub;",
        "fn f() { crate::simulator::Config::default() }",
        "use crate::{\n    api::{A, B},\n    clock::{self},\n};",
        "async fn look() {}",
        "use tokio::time;",
    ] {
        assert_eq!(complaints(plan, &code(wrong)).len(), 1, "{wrong}");
    }
}

/// What `code` does that its room may not.
fn complaints(room: &Room, code: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for used in ["crate::", "dms_operator::"].iter().flat_map(|root| roots(code, root)) {
        let allowed = used == room.name || room.may_use.contains(&used.as_str());
        if !allowed {
            complaints.push(format!(
                "uses `{used}`, but `{}` may use only {:?}",
                room.name, room.may_use
            ));
        }
    }
    let words: BTreeSet<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let heard = room.unheard.iter().filter(|word| words.contains(*word));
    complaints.extend(heard.map(|word| format!("says `{word}`, which must not occur in `{}`", room.name)));
    complaints
}

/// The first names after each `root`, also inside braces.
fn roots(code: &str, root: &str) -> Vec<String> {
    let first = |path: &str| -> String {
        path.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut found = Vec::new();
    for (at, _) in code.match_indices(root) {
        let rest = &code[at + root.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(items(group).into_iter().map(first)),
            None => found.push(first(rest)),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The parts of a group between commas, up to the brace that closes it.
fn items(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// Rust without comments; ours are all of the line kind.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// All Rust files below.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
