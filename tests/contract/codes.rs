//! The simulator's refusals against the reference's error table.

use std::collections::BTreeMap;

/// Known of the gateway and of the service, not in the reference.
const ELSEWHERE: [&str; 6] = [
    "APIGW.0101",
    "APIGW.0201",
    "APIGW.0301",
    "APIGW.0308",
    "DMS.111400864",
    "DMS.40050010",
];

#[test]
fn have_the_status_and_the_text_of_the_error_table() {
    let table: BTreeMap<&str, (&str, &str)> = include_str!("../../src/cloud/tests/reference-codes.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            (columns[0], (columns[1], columns[3]))
        })
        .collect();
    let mut checked = 0;
    for line in include_str!("../../src/simulator/codes.rs").lines() {
        let Some((_, row)) = line.trim().split_once(" = \"").filter(|_| line.ends_with("\";")) else {
            continue;
        };
        let (code, row) = row.split_once("\", ").unwrap();
        let (status, message) = row.split_once(", \"").unwrap();
        let message = message.strip_suffix("\";").unwrap();
        if ELSEWHERE.contains(&code) {
            assert!(!table.contains_key(code), "{code} is in the reference");
            continue;
        }
        let (documented, text) = table
            .get(code)
            .unwrap_or_else(|| panic!("{code} is not in the reference"));
        assert_eq!(status, *documented, "{code}");
        // The table has the beginnings of the long texts, and placeholders where the simulator names the thing.
        let text = text.split(['{', '<']).next().unwrap().trim_end();
        assert!(
            message.starts_with(text),
            "{code}: {message:?} does not begin with {text:?}"
        );
        checked += 1;
    }
    assert!(checked > 40, "only {checked} codes found");
}
