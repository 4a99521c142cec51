//! What an error code means. One table, by code before status, because the service's statuses lie: flow control and
//! "already there" come as 404, "not there" and "busy" as 400 (Kafka API reference 8.2, RocketMQ API reference
//! 9.2: 210 codes).

use super::{Class, Operation};

/// The class of a failed answer.
pub(super) fn classify(operation: Operation, code: Option<&str>, message: &str, status: u16) -> Class {
    let class = code
        .and_then(|code| by_code(operation, code))
        .unwrap_or_else(|| by_status(operation, status));
    // Kafka's table has no code for a topic or a quota that is there already; then only the text tells.
    let text = message.to_ascii_lowercase();
    let exists = text.contains("already exist") || text.contains("exists already");
    if class == Class::Invalid && operation.is_create() && exists {
        Class::AlreadyExists
    } else {
        class
    }
}

/// The class of a failure without a code that we know. A 404 of no known code proves nothing about the thing.
pub(super) fn by_status(operation: Operation, status: u16) -> Class {
    match status {
        401 => Class::Reauthenticate,
        402 => Class::Payment,
        403 => Class::Denied,
        409 if operation.is_create() => Class::AlreadyExists,
        409 => Class::Busy,
        429 => Class::Throttled,
        408 | 500..=599 => Class::Unavailable,
        _ => Class::Invalid,
    }
}

/// Where the meaning depends on the call, that; otherwise what the code always means.
fn by_code(operation: Operation, code: &str) -> Option<Class> {
    let special = BY_CALL
        .iter()
        .find(|(call, name, _)| *call == operation && *name == code);
    let general = || BY_CODE.iter().chain(OUTSIDE).find(|(_, codes)| codes.contains(&code));
    special
        .map(|(.., class)| *class)
        .or_else(|| general().map(|(class, _)| *class))
}

type Row = (Class, &'static [&'static str]);

/// A name that is taken needs another one when renaming; when creating, it may be what we look for. A change of Kafka's
/// groups names the group, as a renaming would.
const BY_CALL: &[(Operation, &str, Class)] = &[
    (Operation::UpdateInstance, "DMS.00400060", Class::Invalid),
    (Operation::UpdateInstance, "DMS.00400081", Class::Invalid),
    (Operation::UpdateInstanceConsumerGroup, "DMS.00500978", Class::Invalid),
    (Operation::UpdateInstanceConsumerGroup, "DMS.10240018", Class::Invalid),
    (Operation::UpdateInstanceConsumerGroup, "DMS.40050015", Class::Invalid),
];

/// The two references' error tables, codes as printed there, nine digits and a missing prefix included.
#[rustfmt::skip]
const BY_CODE: &[Row] = &[
    (Class::Busy, &[
        "DMS.00400017", "DMS.00400026", "DMS.00400052", "DMS.00400099", "DMS.00400108", "DMS.00500980",
        "DMS.00501012", "DMS.10240032", "DMS.50050004",
    ]),
    (Class::Throttled, &[
        "DMS.10240407",
    ]),
    (Class::Unavailable, &[
        "111500032", "DMS.00400867", "DMS.00400868", "DMS.00400869", "DMS.00400870", "DMS.00400872", "DMS.00400873",
        "DMS.00400975", "DMS.00500000", "DMS.005000000", "DMS.005000006", "DMS.005000017", "DMS.005000024",
        "DMS.005000025", "DMS.005000041", "DMS.005000052", "DMS.005000053", "DMS.00500006", "DMS.00500007",
        "DMS.00500033", "DMS.00500052", "DMS.00500053", "DMS.00500054", "DMS.00500070", "DMS.00500071",
        "DMS.00500094", "DMS.00500106", "DMS.00500990", "DMS.00501001", "DMS.00501002", "DMS.00501003",
        "DMS.00501011", "DMS.10250002", "DMS.10250003", "DMS.10250004", "DMS.10250005", "DMS.10250006",
        "DMS.111501024", "DMS.111501025",
    ]),
    (Class::Reauthenticate, &[
        "DMS.10240101", "DMS.10240102", "DMS.10240103",
    ]),
    (Class::Denied, &[
        "DMS.00403002", "DMS.00403003", "DMS.00403007", "DMS.00500960", "DMS.00501000", "DMS.10240104",
        "DMS.10240309", "DMS.10240310", "DMS.10240311",
    ]),
    (Class::Payment, &[
        "DMS.00400107", "DMS.00400134", "DMS.00500986", "DMS.00500987", "DMS.10240306", "DMS.10240312",
    ]),
    (Class::Quota, &[
        "DMS.00400035", "DMS.00400039", "DMS.00400055", "DMS.00400077", "DMS.00400124", "DMS.00404029",
        "DMS.00500982", "DMS.00501118", "DMS.10240019", "DMS.10240020", "DMS.10240044", "DMS.111400860",
    ]),
    (Class::NotFound, &[
        "DMS.00400876", "DMS.00404022", "DMS.00404024", "DMS.00404026", "DMS.10240401", "DMS.10240405",
        "DMS.10240426", "DMS.10540401",
    ]),
    (Class::AlreadyExists, &[
        "DMS.00400060", "DMS.00400081", "DMS.00404027", "DMS.00500978", "DMS.10240017", "DMS.10240018",
        "DMS.10240045", "DMS.40050005", "DMS.40050015",
    ]),
    (Class::Invalid, &[
        "DMS.00400002", "DMS.00400004", "DMS.00400005", "DMS.00400007", "DMS.00400008", "DMS.00400009",
        "DMS.00400010", "DMS.00400011", "DMS.00400012", "DMS.00400013", "DMS.00400014", "DMS.00400015",
        "DMS.00400016", "DMS.00400018", "DMS.00400019", "DMS.00400020", "DMS.00400021", "DMS.00400022",
        "DMS.00400028", "DMS.00400029", "DMS.00400030", "DMS.00400037", "DMS.00400038", "DMS.00400042",
        "DMS.00400045", "DMS.00400046", "DMS.00400047", "DMS.00400048", "DMS.00400049", "DMS.00400051",
        "DMS.00400053", "DMS.00400061", "DMS.00400062", "DMS.00400063", "DMS.00400064", "DMS.00400065",
        "DMS.00400066", "DMS.00400067", "DMS.00400068", "DMS.00400070", "DMS.00400082", "DMS.00400085",
        "DMS.00400100", "DMS.00400101", "DMS.00400102", "DMS.00400103", "DMS.00400105", "DMS.00400106",
        "DMS.00400125", "DMS.00400126", "DMS.00400127", "DMS.00400128", "DMS.00400129", "DMS.00400133",
        "DMS.00400135", "DMS.00400136", "DMS.00400137", "DMS.00400142", "DMS.00400500", "DMS.00400800",
        "DMS.00400861", "DMS.00400874", "DMS.00400875", "DMS.00400882", "DMS.00400970", "DMS.00400971",
        "DMS.00404001", "DMS.00404033", "DMS.00405001", "DMS.00501010", "DMS.10240002", "DMS.10240004",
        "DMS.10240005", "DMS.10240007", "DMS.10240009", "DMS.10240010", "DMS.10240011", "DMS.10240012",
        "DMS.10240013", "DMS.10240014", "DMS.10240015", "DMS.10240016", "DMS.10240021", "DMS.10240022",
        "DMS.10240027", "DMS.10240028", "DMS.10240035", "DMS.10240036", "DMS.10240038", "DMS.10240039",
        "DMS.10240040", "DMS.10240041", "DMS.10240042", "DMS.10240043", "DMS.10240304", "DMS.10240307",
        "DMS.10240308", "DMS.10240406", "DMS.10540001", "DMS.10540003", "DMS.10540004", "DMS.10540010",
        "DMS.10540011", "DMS.10540012", "DMS.10540014", "DMS.10540202", "DMS.10542204", "DMS.10542205",
        "DMS.10542206", "DMS.10542209", "DMS.10542214", "DMS.10550035", "DMS.111501026", "DMS.40001016",
    ]),
];

/// Not in the reference: the gateway's codes, the eight-digit forms of those that are printed with nine, and what
/// other clients of the service handle.
#[rustfmt::skip]
const OUTSIDE: &[Row] = &[
    (Class::Busy, &["CBC.99003651", "DMS.00501008"]),
    (Class::Throttled, &["APIGW.0308"]),
    (Class::Unavailable, &["DMS.00500017", "DMS.00500024", "DMS.00500025", "DMS.00500041", "DMS.111500032"]),
    (Class::Reauthenticate, &["APIGW.0301", "APIGW.0307"]),
    (Class::NotFound, &["DMS.00405011", "DMS.00500972", "DMS.00501007", "DMS.111400864"]),
    (Class::Invalid, &["APIGW.0101", "DMS.40050010"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Code, status and message of each row of the references' tables.
    fn reference() -> Vec<(&'static str, u16, &'static str)> {
        let rows = include_str!("tests/reference-codes.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'));
        rows.map(|row| {
            let [code, status, _, message] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
            (code, status.parse().unwrap(), message)
        })
        .collect()
    }

    fn table() -> BTreeMap<&'static str, Class> {
        let rows = BY_CODE
            .iter()
            .flat_map(|(class, codes)| codes.iter().map(|code| (*code, *class)));
        let count = BY_CODE.iter().map(|(_, codes)| codes.len()).sum::<usize>();
        let table: BTreeMap<_, _> = rows.collect();
        assert_eq!(table.len(), count, "a code stands in two rows");
        table
    }

    #[test]
    fn every_code_of_the_references_has_its_row_and_no_row_is_made_up() {
        let (table, reference) = (table(), reference());
        assert_eq!(reference.len(), 210);
        for (code, _, message) in &reference {
            assert!(table.contains_key(code), "{code} {message}");
        }
        assert_eq!(table.len(), reference.len());
        let outside = OUTSIDE.iter().flat_map(|(_, codes)| *codes);
        for code in outside {
            assert!(!table.contains_key(code), "{code} is in the reference after all");
        }
    }

    #[test]
    fn internal_errors_are_repeated_and_bad_parameters_are_not() {
        for (code, status, message) in reference() {
            let class = classify(Operation::UpdateInstance, Some(code), "", status);
            if message.starts_with("Internal") {
                assert_eq!(class, Class::Unavailable, "{code} {message}");
            }
            if message.starts_with("Invalid ") && !message.contains("token") && !message.contains("AK/SK") {
                assert_eq!(class, Class::Invalid, "{code} {message}");
            }
        }
    }

    #[test]
    fn codes_count_for_more_than_statuses() {
        use Operation::*;
        let surprising = [
            (ListInstanceTopics, "DMS.10240407", 404, Class::Throttled),
            (ShowInstance, "DMS.00404022", 404, Class::NotFound),
            (UpdateInstanceTopic, "DMS.00400876", 400, Class::NotFound),
            (ShowInstance, "DMS.111400864", 400, Class::NotFound),
            (ShowInstance, "DMS.00500972", 400, Class::NotFound),
            (BatchCreateOrDeleteKafkaTag, "DMS.10240426", 404, Class::NotFound),
            (BatchCreateOrDeleteKafkaTag, "DMS.10240045", 400, Class::AlreadyExists),
            (ShowInstance, "DMS.00404027", 404, Class::AlreadyExists),
            (ShowInstance, "DMS.00404029", 404, Class::Quota),
            (UpdateInstance, "DMS.00400017", 400, Class::Busy),
            (UpdateInstance, "DMS.00400026", 400, Class::Busy),
            (DeleteInstance, "DMS.00400099", 400, Class::Busy),
            (ResizeEngineInstance, "DMS.00400108", 400, Class::Busy),
            (ResizeEngineInstance, "DMS.00400124", 400, Class::Quota),
            (ResizeEngineInstance, "DMS.00400107", 400, Class::Payment),
            (CreateInstanceByEngine, "DMS.00500987", 400, Class::Payment),
            (CreateInstanceByEngine, "DMS.00400055", 400, Class::Quota),
            (CreateInstanceByEngine, "DMS.00500960", 400, Class::Denied),
            (CreateInstanceByEngine, "DMS.00501010", 500, Class::Invalid),
            (CreateInstanceTopic, "DMS.40050005", 400, Class::AlreadyExists),
            (CreateInstanceTopic, "DMS.111400860", 400, Class::Quota),
            (CreateTopicOrBatchDeleteTopic, "DMS.40050005", 400, Class::AlreadyExists),
            (CreateTopicOrBatchDeleteTopic, "DMS.00400026", 400, Class::Busy),
            (UpdateTopic, "DMS.00400876", 400, Class::NotFound),
            (UpdateTopic, "DMS.00400017", 400, Class::Busy),
            (UpdateTopic, "DMS.00500990", 500, Class::Unavailable),
            (BatchDeleteTopic, "DMS.00400876", 400, Class::NotFound),
            (ListRocketInstanceTopics, "DMS.00400975", 400, Class::Unavailable),
            (CreateKafkaConsumerGroup, "DMS.00500978", 400, Class::AlreadyExists),
            (CreateKafkaConsumerGroup, "DMS.10240018", 400, Class::AlreadyExists),
            (
                CreateConsumerGroupOrBatchDeleteConsumerGroup,
                "DMS.40050015",
                400,
                Class::AlreadyExists,
            ),
            (
                CreateConsumerGroupOrBatchDeleteConsumerGroup,
                "DMS.10240019",
                400,
                Class::Quota,
            ),
            (UpdateConsumerGroup, "DMS.10240405", 404, Class::NotFound),
            (BatchDeleteConsumerGroup, "DMS.10240405", 404, Class::NotFound),
            (BatchDeleteConsumerGroup, "DMS.50050004", 400, Class::Busy),
            (UpdateInstanceConsumerGroup, "DMS.111400864", 400, Class::NotFound),
            (
                BatchCreateOrDeleteRocketmqTag,
                "DMS.10240045",
                400,
                Class::AlreadyExists,
            ),
            (ResizeInstance, "DMS.00400124", 400, Class::Quota),
            (ShowInstance, "DMS.10240101", 401, Class::Reauthenticate),
            (ShowInstance, "DMS.10240104", 401, Class::Denied),
            (ShowInstance, "APIGW.0301", 401, Class::Reauthenticate),
            (ShowInstance, "APIGW.0308", 429, Class::Throttled),
            (ShowInstance, "APIGW.0101", 404, Class::Invalid),
        ];
        for (operation, code, status, class) in surprising {
            assert_eq!(classify(operation, Some(code), "", status), class, "{code}");
        }
    }

    #[test]
    fn a_name_that_is_taken_is_found_when_creating_and_refused_when_renaming() {
        for code in ["DMS.00400060", "DMS.00400081"] {
            assert_eq!(
                classify(Operation::CreateInstanceByEngine, Some(code), "", 400),
                Class::AlreadyExists
            );
            assert_eq!(classify(Operation::UpdateInstance, Some(code), "", 400), Class::Invalid);
        }
        for code in ["DMS.00500978", "DMS.10240018", "DMS.40050015"] {
            let classify = |operation| classify(operation, Some(code), "", 400);
            assert_eq!(classify(Operation::CreateKafkaConsumerGroup), Class::AlreadyExists);
            assert_eq!(classify(Operation::UpdateInstanceConsumerGroup), Class::Invalid);
        }
    }

    #[test]
    fn a_create_that_meets_its_like_is_understood_by_the_text_for_want_of_a_code() {
        let classify = |operation, message| classify(operation, Some("DMS.00400062"), message, 400);
        assert_eq!(
            classify(Operation::CreateInstanceTopic, "Topic orders already exists."),
            Class::AlreadyExists
        );
        assert_eq!(
            classify(Operation::CreateInstanceTopic, "Invalid request parameter."),
            Class::Invalid
        );
        assert_eq!(
            classify(Operation::CreateTopicOrBatchDeleteTopic, "The topic exists already."),
            Class::AlreadyExists
        );
        assert_eq!(
            classify(Operation::BatchDeleteTopic, "A deletion already exists."),
            Class::Invalid
        );
        assert_eq!(
            classify(Operation::UpdateInstanceTopic, "The config already exists."),
            Class::Invalid
        );
    }

    #[test]
    fn without_a_known_code_the_status_decides_and_a_404_is_no_proof() {
        let by_status = [
            (400, Class::Invalid),
            (401, Class::Reauthenticate),
            (402, Class::Payment),
            (403, Class::Denied),
            (404, Class::Invalid),
            (405, Class::Invalid),
            (408, Class::Unavailable),
            (409, Class::Busy),
            (429, Class::Throttled),
            (500, Class::Unavailable),
            (503, Class::Unavailable),
            (302, Class::Invalid),
        ];
        for (status, class) in by_status {
            assert_eq!(classify(Operation::ShowInstance, None, "", status), class, "{status}");
            assert_eq!(
                classify(Operation::ShowInstance, Some("DMS.99999999"), "", status),
                class,
                "{status}"
            );
        }
        assert_eq!(
            classify(Operation::CreateInstanceTopic, None, "", 409),
            Class::AlreadyExists
        );
    }
}
