//! Signing again, repeating, timing, and what a failure says.

use super::*;

const SOON: &str = "Sun, 22 Nov 2026 12:00:01 GMT";
const LATER: &str = "Sun, 22 Nov 2026 13:30:00 GMT";

fn bad_signature() -> Reply {
    let body = format!(
        r#"{{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication: GET x-security-token:{TOKEN}"}}"#
    );
    with_headers(401, &[("Date", LATER)], &body)
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_by_the_servers_date_and_the_call_signed_again() {
    let script = Script::new([bad_signature(), answer(200, r#"{"instance_id":"i1"}"#)]);
    let client = script.client();
    assert_eq!(client.create_instance(&order()).await.unwrap(), "i1");
    assert_eq!(script.header(0, "x-sdk-date"), "20261122T120000Z");
    assert_eq!(script.header(1, "x-sdk-date"), "20261122T133000Z");
    assert_ne!(script.header(0, "authorization"), script.header(1, "authorization"));
    assert_eq!(client.server_now().to_string(), "2026-11-22T13:30:00Z");
}

#[tokio::test(start_paused = true)]
async fn a_signature_that_stays_wrong_is_given_up_without_telling_why_in_secrets() {
    let script = Script::new([bad_signature(), bad_signature()]);
    let error = script
        .client()
        .show_instance::<kafka::Instance>("i1")
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.fault(), error.sent()),
        (Class::Reauthenticate, Fault::Stop, Sent::Refused)
    );
    assert_eq!(
        error.to_string(),
        "failed to read the instance: the service does not accept these credentials (APIGW.0301, request req-1)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_not_tried_twice_when_the_clocks_agree() {
    let body = r#"{"error_code":"APIGW.0301","error_msg":"no"}"#;
    let script = Script::new([with_headers(401, &[("Date", "Sun, 22 Nov 2026 12:00:02 GMT")], body)]);
    let client = script.client();
    client.show_instance::<kafka::Instance>("i1").await.unwrap_err();
    assert_eq!((script.count(), client.server_now()), (1, now()));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_put_right_is_trusted_again() {
    let script = Script::new([
        with_headers(204, &[("Date", LATER)], ""),
        with_headers(204, &[("Date", SOON)], ""),
    ]);
    let client = script.client();
    client.delete_instance("i1").await.unwrap();
    assert_eq!(client.server_now().to_string(), "2026-11-22T13:30:00Z");
    client.delete_instance("i1").await.unwrap();
    assert_eq!(client.server_now().to_string(), "2026-11-22T12:00:01Z");
}

#[tokio::test(start_paused = true)]
async fn new_credentials_sign_the_next_request() {
    let script = Script::new([answer(204, ""), answer(204, "")]);
    let client = script.client();
    client.delete_instance("i1").await.unwrap();
    let secret_key = "other".into();
    client.set_credentials(Credentials::AccessKey {
        access_key: "AK2".into(),
        secret_key,
        security_token: None,
    });
    client.delete_instance("i1").await.unwrap();
    assert!(script.header(0, "authorization").contains("Access=AK,"));
    assert!(script.header(1, "authorization").contains("Access=AK2,"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_is_never_repeated_and_may_have_happened() {
    for reply in [
        lost(),
        Reply::Silence,
        answer(500, "{}"),
        answer(200, "<html>"),
        answer(200, ""),
        answer(200, "{}"),
    ] {
        let script = Script::new([reply]);
        let error = script.client().create_instance(&order()).await.unwrap_err();
        assert_eq!(
            (error.sent(), error.fault(), script.count()),
            (Sent::Unknown, Fault::Retry, 1),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_refused_or_never_left_did_not_happen() {
    let unreachable = Reply::Broken(Broken::NotSent("connection refused".to_owned()));
    let script = Script::new([refusal(400, "DMS.00400500", "Invalid disk space."), unreachable]);
    let client = script.client();
    let error = client.create_instance(&order()).await.unwrap_err();
    assert_eq!((error.sent(), error.fault()), (Sent::Refused, Fault::Stop));
    assert_eq!(
        error.to_string(),
        "failed to create the instance: Invalid disk space. (DMS.00400500, request req-1)"
    );
    let error = client.create_instance(&order()).await.unwrap_err();
    assert_eq!((error.sent(), error.fault()), (Sent::Never, Fault::Retry));
    assert_eq!(error.to_string(), "failed to create the instance: connection refused");
}

#[tokio::test(start_paused = true)]
async fn no_change_is_repeated_after_a_lost_answer_but_a_read_is_once() {
    let script = Script::new([
        lost(),
        lost(),
        lost(),
        lost(),
        answer(200, r#"{"instance_id":"i1"}"#),
        lost(),
        lost(),
    ]);
    let client = script.client();
    client.delete_instance("i1").await.unwrap_err();
    client
        .update_instance("i1", &kafka::UpdateInstance::default())
        .await
        .unwrap_err();
    client.delete_topics("i1", &["t"]).await.unwrap_err();
    assert_eq!(script.count(), 3);
    assert_eq!(client.show_instance::<kafka::Instance>("i1").await.unwrap().id, "i1");
    client.show_instance::<kafka::Instance>("i1").await.unwrap_err();
    assert_eq!(script.count(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_create_times_out_after_eight_seconds_and_others_after_thirty() {
    let script = Script::new([Reply::Silence, Reply::Silence]);
    let client = script.client();
    let start = tokio::time::Instant::now();
    client.create_instance(&order()).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 8);
    let error = client.show_instance::<kafka::Instance>("i1").await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 38);
    assert_eq!((error.class(), error.sent()), (Class::Unavailable, Sent::Unknown));
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_of_a_create_stays_within_the_same_eight_seconds() {
    let script = Script::new([bad_signature(), Reply::Silence]);
    let start = tokio::time::Instant::now();
    let error = script.client().create_instance(&order()).await.unwrap_err();
    assert_eq!((start.elapsed().as_secs(), error.sent()), (8, Sent::Unknown));
}

#[tokio::test(start_paused = true)]
async fn only_a_code_of_the_service_or_its_gateway_is_a_definite_refusal() {
    let unsure = [
        answer(400, r#"{"message":"bad request"}"#),
        refusal(408, "DMS.111501024", "Query timed out"),
        refusal(500, "DMS.00501010", "The product specification does not exist."),
        answer(302, ""),
    ];
    for reply in unsure {
        let error = Script::new([reply])
            .client()
            .create_instance(&order())
            .await
            .unwrap_err();
        assert_eq!(error.sent(), Sent::Unknown, "{error}");
    }
    for reply in [
        refusal(429, "APIGW.0308", "slow"),
        answer(429, ""),
        refusal(403, "DMS.00403003", "no"),
    ] {
        let error = Script::new([reply])
            .client()
            .create_instance(&order())
            .await
            .unwrap_err();
        assert_eq!(error.sent(), Sent::Refused, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_proxies_prove_nothing() {
    let expected = [
        (400, Class::Malformed, Sent::Unknown),
        (404, Class::Malformed, Sent::Unknown),
        (429, Class::Throttled, Sent::Refused),
        (502, Class::Unavailable, Sent::Unknown),
    ];
    for (status, class, sent) in expected {
        let script = Script::new([with_headers(
            status,
            &[("Content-Type", "text/html")],
            "<html>sorry</html>",
        )]);
        let error = script.client().delete_instance("i1").await.unwrap_err();
        assert_eq!((error.class(), error.sent()), (class, sent), "{status}");
        assert!(error.to_string().contains("text/html, 18 bytes"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_understood_in_all_their_spellings() {
    let bodies = [
        r#"{"error_code":"DMS.00404022","error_msg":"This instance does not exist."}"#,
        r#"{"errorCode":"DMS.00404022","errorMsg":"This instance does not exist."}"#,
        r#"{"code":"DMS.0040 4022","message":"This  instance\ndoes not exist."}"#,
        r#"{"error":{"code":"DMS.00404022","message":"This instance does not exist.","request_id":"ignored"}}"#,
    ];
    for body in bodies {
        let error = Script::new([answer(404, body)])
            .client()
            .show_instance::<kafka::Instance>("i1")
            .await
            .unwrap_err();
        assert!(error.is_instance_gone(), "{body}");
        assert_eq!(
            error.to_string(),
            "failed to read the instance: This instance does not exist. (DMS.00404022, request req-1)"
        );
        assert_eq!(
            error.without_request_id(),
            "failed to read the instance: This instance does not exist. (DMS.00404022)"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_one_bounded_line_without_secrets() {
    let long = format!("{SECRET_KEY} {TOKEN}\n{}", "é".repeat(10_000));
    let error = Script::new([refusal(400, "DMS.00400062", &long)])
        .client()
        .show_instance::<kafka::Instance>("i1")
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.len() < 700 && !text.contains('\n'), "{text}");
    assert!(
        text.contains("[secret] [secret]") && !text.contains(SECRET_KEY) && !text.contains(TOKEN),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn secrets_show_neither_in_debug_nor_in_logs() {
    let log = Logged::start();
    let script = Script::new([
        answer(200, r#"{"instances":[],"instance_num":0}"#),
        bad_signature(),
        bad_signature(),
        refusal(400, "DMS.00400062", SECRET_KEY),
    ]);
    let client = script.client();
    client
        .list_instances::<kafka::Instance>(&Default::default())
        .await
        .unwrap();
    let first = client.show_instance::<kafka::Instance>("i1").await.unwrap_err();
    let second = client.show_instance::<kafka::Instance>("i1").await.unwrap_err();
    let log = log.end();
    let request = format!("{:?}", script.requests.lock().unwrap()[0].headers());
    for text in [&log, &request, &format!("{:?} {first:?} {second:?}", credentials())] {
        assert!(
            !text.contains(SECRET_KEY) && !text.contains(TOKEN) && !text.contains("Signature="),
            "{text}"
        );
    }
    assert_eq!(log.lines().count(), 4, "{log}");
    let list = log.lines().next().unwrap();
    for part in [
        r#"operation="ListInstances""#,
        "method=GET",
        r#"path="/v2/p1/instances""#,
        "status=200",
        r#""req-1""#,
    ] {
        assert!(list.contains(part), "{part} in {list}");
    }
    assert!(!list.contains("limit"), "{list}");
}

#[tokio::test(start_paused = true)]
async fn each_request_is_counted_with_its_outcome() {
    let counted = Arc::new(Mutex::new(Vec::new()));
    let sink = counted.clone();
    let observer: Observer = Arc::new(move |record: &CallRecord<'_>| {
        sink.lock().unwrap().push((
            record.operation.name(),
            record.error.map(|error| error.class().as_str()),
        ));
    });
    let script = Script::new([lost(), refusal(404, "DMS.00404022", "gone")]);
    script
        .client_with(Timeouts::default(), Some(observer))
        .show_instance::<kafka::Instance>("i1")
        .await
        .unwrap_err();
    assert_eq!(
        *counted.lock().unwrap(),
        [
            ("ShowInstance", Some("unavailable")),
            ("ShowInstance", Some("not_found"))
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_that_do_not_fit_into_a_header_are_a_clear_mistake() {
    let script = Script::new([]);
    let client = script.client();
    let secret_key = "x".into();
    client.set_credentials(Credentials::AccessKey {
        access_key: "A\nK".into(),
        secret_key,
        security_token: None,
    });
    let error = client.show_instance::<kafka::Instance>("i1").await.unwrap_err();
    assert_eq!((error.fault(), error.sent()), (Fault::Stop, Sent::Never));
    assert!(error.to_string().contains("bad characters in authorization"), "{error}");
}
