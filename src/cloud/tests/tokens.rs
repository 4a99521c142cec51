//! Passwords and the tokens that they are exchanged for.

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::kafka::Instance;
use super::*;

const PASSWORD: &str = "c0rrect-horse";

fn password() -> Credentials {
    Credentials::Password {
        user_name: "carol".to_owned(),
        password: PASSWORD.into(),
        domain_name: "shop".to_owned(),
    }
}

/// A client with a password instead of a key.
fn client(script: &Script) -> Client {
    let client = script.client();
    client.set_credentials(password());
    client
}

fn issued(token: &str) -> Reply {
    with_headers(201, &[("X-Subject-Token", token)], "{}")
}

fn refused_token() -> Reply {
    refusal(401, "DMS.10240101", "Invalid token.")
}

fn refused_password() -> Reply {
    let message = format!("The username or password is wrong: {PASSWORD}");
    let error = json!({"code": 401, "message": message, "title": "Unauthorized"});
    answer(401, &json!({"error": error}).to_string())
}

fn done() -> Reply {
    answer(204, "")
}

/// Of each request, where it went and with which token.
fn seen(script: &Script) -> Vec<String> {
    let requests = script.requests.lock().unwrap();
    let line = |request: &http::Request<Bytes>| {
        let token = request
            .headers()
            .get("x-auth-token")
            .map(|token| token.to_str().unwrap());
        format!("{} {}", request.uri().path(), token.unwrap_or("-"))
    };
    requests.iter().map(line).collect()
}

const ASKED: &str = "/v3/auth/tokens -";

#[tokio::test(start_paused = true)]
async fn a_password_goes_to_iam_once_and_the_token_with_every_call() {
    let script = Script::new([issued("T1"), done(), done()]);
    let client = client(&script);
    client.delete_instance("i1").await.unwrap();
    client.clone().delete_instance("i2").await.unwrap();
    assert_eq!(
        seen(&script),
        [ASKED, "/v2/p1/instances/i1 T1", "/v2/p1/instances/i2 T1"]
    );
    let requests = script.requests.lock().unwrap();
    let [ask, call, _] = requests.as_slice() else { panic!() };
    assert_eq!(
        format!("{} {}", ask.method(), ask.uri()),
        "POST https://iam.eu-west-101.myhuaweicloud.eu/v3/auth/tokens"
    );
    let user = json!({"name": "carol", "password": PASSWORD, "domain": {"name": "shop"}});
    assert_eq!(
        serde_json::from_slice::<Value>(ask.body()).unwrap(),
        json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"id": "p1"}},
        }})
    );
    for request in [ask, call] {
        assert!(!request.headers().contains_key("authorization"));
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["host"], request.uri().host().unwrap());
    }
    assert_eq!(call.headers()["x-project-id"], "p1");
    assert!(call.headers()["x-auth-token"].is_sensitive());
}

#[tokio::test(start_paused = true)]
async fn a_project_is_looked_up_with_a_token_for_its_name() {
    let list = r#"{"projects":[{"id":"p1","name":"eu-west-101"}]}"#;
    let script = Script::new([issued("T1"), answer(200, list)]);
    let client = script.client_of(Config {
        project_id: String::new(),
        ..script.config()
    });
    client.set_credentials(password());
    assert_eq!(client.find_projects(None).await.unwrap()[0].id, "p1");
    assert_eq!(seen(&script), [ASKED, "/v3/projects T1"]);
    let body: Value = serde_json::from_slice(script.requests.lock().unwrap()[0].body()).unwrap();
    assert_eq!(body["auth"]["scope"], json!({"project": {"name": "eu-west-101"}}));
}

#[tokio::test(start_paused = true)]
async fn without_a_project_there_is_nothing_to_ask_for() {
    let script = Script::new([]);
    let client = script.client_of(Config {
        project_id: String::new(),
        project_name: String::new(),
        ..script.config()
    });
    client.set_credentials(password());
    let error = client.find_projects(None).await.unwrap_err();
    assert_eq!((error.fault(), error.sent()), (Fault::Stop, Sent::Never));
    assert_eq!(
        error.to_string(),
        "failed to look up the project: no token: neither the id nor the name of a project is known"
    );
}

#[tokio::test(start_paused = true)]
async fn however_many_wait_for_a_token_iam_is_asked_once() {
    let script = Script::new([issued("T1")].into_iter().chain((0..30).map(|_| done())));
    script.delay(Duration::from_secs(3));
    let client = client(&script);
    let calls = (0..30).map(|_| client.delete_instance("i1"));
    for result in futures::future::join_all(calls).await {
        result.unwrap();
    }
    let asked = seen(&script).iter().filter(|line| *line == ASKED).count();
    assert_eq!((asked, script.count()), (1, 31));
}

#[tokio::test(start_paused = true)]
async fn who_no_longer_waits_takes_the_token_from_nobody() {
    let script = Script::new([issued("T1"), done()]);
    script.delay(Duration::from_secs(3));
    let client = client(&script);
    let patient = client.delete_instance("i1");
    let hasty = tokio::time::timeout(Duration::from_secs(1), client.delete_instance("i2"));
    // The hasty one asks first.
    let (hasty, patient) = tokio::join!(hasty, patient);
    hasty.unwrap_err();
    patient.unwrap();
    assert_eq!(seen(&script), [ASKED, "/v2/p1/instances/i1 T1"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_an_hour_before_its_24_end() {
    let script = Script::new([issued("T1"), done(), done(), issued("T2"), done()]);
    let client = client(&script);
    client.delete_instance("i1").await.unwrap();
    sleep(Duration::from_hours(23) - Duration::from_mins(1)).await;
    client.delete_instance("i1").await.unwrap();
    sleep(Duration::from_mins(2)).await;
    client.delete_instance("i1").await.unwrap();
    let call = |token: &str| format!("/v2/p1/instances/i1 {token}");
    assert_eq!(seen(&script), [ASKED, &call("T1"), &call("T1"), ASKED, &call("T2")]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_sooner_is_replaced_sooner() {
    let ends = |token: &str, end: &str| {
        let body = json!({"token": {"expires_at": end, "issued_at": "2026-11-22T12:00:00.000000Z"}});
        with_headers(201, &[("X-Subject-Token", token)], &body.to_string())
    };
    // What has passed already by our clock says that the clocks differ; what cannot be read says nothing.
    for (end, life) in [
        ("2026-11-22T13:00:00.000000Z", Duration::from_mins(30)),
        ("2026-11-23T00:00:00.000000Z", Duration::from_hours(11)),
        ("2026-11-22T11:00:00.000000Z", Duration::from_hours(23)),
        ("2036-11-22T11:00:00.000000Z", Duration::from_hours(23)),
        ("soon", Duration::from_hours(23)),
    ] {
        let script = Script::new([ends("T1", end), done(), done(), issued("T2"), done()]);
        let client = client(&script);
        client.delete_instance("i1").await.unwrap();
        sleep(life - Duration::from_secs(1)).await;
        client.delete_instance("i1").await.unwrap();
        assert_eq!(script.count(), 3, "{end}");
        sleep(Duration::from_secs(2)).await;
        client.delete_instance("i1").await.unwrap();
        assert_eq!(script.count(), 5, "{end}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_iam_is_away_the_old_token_serves_to_its_end() {
    let away = || answer(503, "");
    let script = Script::new([issued("T1"), done(), away(), done(), done(), away(), done(), away()]);
    let client = client(&script);
    client.delete_instance("i1").await.unwrap();
    sleep(Duration::from_hours(23)).await;
    for _ in 0..2 {
        client.delete_instance("i1").await.unwrap();
    }
    sleep(Duration::from_mins(2)).await;
    client.delete_instance("i1").await.unwrap();
    assert_eq!(
        script.count(),
        7,
        "IAM is asked again after a minute, not with each call"
    );
    sleep(Duration::from_hours(1)).await;
    let error = client.delete_instance("i1").await.unwrap_err();
    assert_eq!((error.class(), error.sent()), (Class::Unavailable, Sent::Never));
    assert_eq!(script.count(), 8);
}

#[tokio::test(start_paused = true)]
async fn an_old_token_serves_no_longer_than_to_its_end() {
    let script = Script::new([issued("T1"), done(), answer(503, ""), done(), issued("T2"), done()]);
    let client = client(&script);
    client.delete_instance("i1").await.unwrap();
    sleep(Duration::from_hours(24) - Duration::from_secs(30)).await;
    client.delete_instance("i1").await.unwrap();
    sleep(Duration::from_secs(40)).await;
    client.delete_instance("i1").await.unwrap();
    assert_eq!(seen(&script)[4..], [ASKED, "/v2/p1/instances/i1 T2"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_for_creates_too() {
    let made = answer(200, r#"{"instance_id":"i1"}"#);
    let script = Script::new([issued("T1"), refused_token(), issued("T2"), made]);
    assert_eq!(client(&script).create_instance(&order()).await.unwrap(), "i1");
    let call = |token: &str| format!("/v2/kafka/p1/instances {token}");
    assert_eq!(seen(&script), [ASKED, &call("T1"), ASKED, &call("T2")]);

    let script = Script::new([issued("T1"), refused_token(), issued("T2"), refused_token()]);
    let error = client(&script).create_instance(&order()).await.unwrap_err();
    assert_eq!(
        (error.class(), error.sent(), script.count()),
        (Class::Reauthenticate, Sent::Refused, 4)
    );
    assert_eq!(
        error.to_string(),
        "failed to create the instance: the service does not accept these credentials (DMS.10240101, request req-1)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_401_that_may_be_anyones_repeats_reads_but_no_creates() {
    let anyones = || with_headers(401, &[("Content-Type", "text/html")], "<html>");
    let script = Script::new([issued("T1"), anyones()]);
    let error = client(&script).create_instance(&order()).await.unwrap_err();
    assert_eq!((error.sent(), script.count()), (Sent::Unknown, 2));

    let found = answer(200, r#"{"instance_id":"i1"}"#);
    let script = Script::new([issued("T1"), anyones(), issued("T2"), found]);
    client(&script).show_instance::<Instance>("i1").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn many_refusals_of_one_token_make_one_new_one() {
    let replies = [issued("T1"), done()].into_iter();
    let replies = replies.chain((0..5).map(|_| refused_token())).chain([issued("T2")]);
    let script = Script::new(replies.chain((0..5).map(|_| done())));
    let client = client(&script);
    client.delete_instance("i1").await.unwrap();
    script.delay(Duration::from_secs(1));
    for result in futures::future::join_all((0..5).map(|_| client.delete_instance("i1"))).await {
        result.unwrap();
    }
    assert_eq!(seen(&script).iter().filter(|line| *line == ASKED).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_of_the_old_token_leaves_the_new_one() {
    let script = Script::new([
        issued("T1"),
        done(),
        refused_token(),
        refused_token(),
        issued("T2"),
        done(),
        done(),
    ]);
    let client = client(&script);
    client.delete_instance("i0").await.unwrap();
    script.delay(Duration::from_secs(10));
    let late = client.delete_instance("late");
    let early = async {
        script.delay(Duration::ZERO);
        client.delete_instance("early").await
    };
    let (late, early) = tokio::join!(late, early);
    late.unwrap();
    early.unwrap();
    let call = |id: &str, token: &str| format!("/v2/p1/instances/{id} {token}");
    assert_eq!(
        seen(&script)[2..],
        [
            call("late", "T1"),
            call("early", "T1"),
            ASKED.to_owned(),
            call("early", "T2"),
            call("late", "T2")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_password_stops_and_is_not_tried_again_for_a_minute() {
    let script = Script::new([refused_password(), refused_password()]);
    let client = client(&script);
    for _ in 0..3 {
        let error = client.create_instance(&order()).await.unwrap_err();
        assert_eq!(
            (error.class(), error.fault(), error.sent()),
            (Class::Reauthenticate, Fault::Stop, Sent::Never)
        );
        assert_eq!(
            error.to_string(),
            "failed to create the instance: no token: the service does not accept these credentials \
             (401, request req-1)"
        );
    }
    assert_eq!(script.count(), 1, "IAM locks out who tries too often");
    sleep(Duration::from_secs(61)).await;
    client.create_instance(&order()).await.unwrap_err();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn new_credentials_drop_the_token_and_the_refusal() {
    let script = Script::new([refused_password(), issued("T1"), done(), issued("T2"), done(), done()]);
    let client = client(&script);
    client.delete_instance("i1").await.unwrap_err();
    client.set_credentials(password());
    client.delete_instance("i1").await.unwrap();
    client.set_credentials(password());
    client.delete_instance("i1").await.unwrap();
    client.set_credentials(credentials());
    client.delete_instance("i1").await.unwrap();
    assert!(script.header(5, "authorization").contains("Access=AK,"));
    let call = |token: &str| format!("/v2/p1/instances/i1 {token}");
    assert_eq!(
        seen(&script),
        [ASKED, ASKED, &call("T1"), ASKED, &call("T2"), &call("-")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_of_old_credentials_that_comes_late_is_not_kept() {
    let script = Script::new([issued("OLD"), done(), issued("NEW"), done()]);
    script.delay(Duration::from_secs(3));
    let client = client(&script);
    let late = client.delete_instance("i1");
    let change = async {
        sleep(Duration::from_secs(1)).await;
        client.set_credentials(password());
    };
    let (late, ()) = tokio::join!(late, change);
    late.unwrap();
    client.delete_instance("i2").await.unwrap();
    assert_eq!(
        seen(&script),
        [ASKED, "/v2/p1/instances/i1 OLD", ASKED, "/v2/p1/instances/i2 NEW"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_create_waits_for_its_token_within_its_eight_seconds() {
    let script = Script::new([Reply::Silence]);
    let start = Instant::now();
    let error = client(&script).create_instance(&order()).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 8);
    assert_eq!((error.class(), error.sent()), (Class::Unavailable, Sent::Never));

    let script = Script::new([issued("T1"), Reply::Silence]);
    script.delay(Duration::from_secs(5));
    let start = Instant::now();
    let error = client(&script).create_instance(&order()).await.unwrap_err();
    assert_eq!((start.elapsed().as_secs(), error.sent()), (8, Sent::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_lost_token_is_asked_for_once_more_and_one_that_is_missing_is_an_error() {
    let script = Script::new([lost(), issued("T1"), done()]);
    client(&script).delete_instance("i1").await.unwrap();
    let script = Script::new([answer(201, "{}")]);
    let error = client(&script).delete_instance("i1").await.unwrap_err();
    assert_eq!((error.class(), error.sent()), (Class::Malformed, Sent::Never));
    assert!(error.to_string().contains("it has no X-Subject-Token"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_replaced_meanwhile_is_not_told_either() {
    let slow = with_headers(429, &[("Retry-After", "10")], "");
    let script = Script::new([slow, refusal(400, "IAM.0011", PASSWORD)]);
    let client = script.client();
    client.delete_instance("i1").await.unwrap_err();
    client.set_credentials(password());
    let call = client.delete_instance("i1");
    let change = async {
        sleep(Duration::from_secs(1)).await;
        client.set_credentials(credentials());
    };
    let (result, ()) = tokio::join!(call, change);
    let error = result.unwrap_err().to_string();
    assert!(error.contains("no token: [secret]"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn neither_password_nor_token_is_told() {
    let log = Logged::start();
    let message = format!("bad: {PASSWORD} T0KEN");
    let script = Script::new([
        refused_password(),
        refusal(400, "IAM.0011", PASSWORD),
        issued("T0KEN"),
        refusal(400, "DMS.00400062", &message),
        refused_token(),
        issued("T0KEN"),
        refused_token(),
    ]);
    let client = client(&script);
    let mut told = String::new();
    for _ in 0..4 {
        let error = client.show_instance::<Instance>("i1").await.unwrap_err();
        told.push_str(&format!("{error} {error:?}"));
        sleep(Duration::from_mins(2)).await;
    }
    told.push_str(&format!("{:?}", password()));
    for request in script.requests.lock().unwrap().iter() {
        told.push_str(&format!("{:?}", request.headers()));
    }
    let log = log.end();
    assert_eq!(log.lines().count(), 7, "{log}");
    told.push_str(&log);
    assert!(
        told.contains("no token: [secret]") && told.contains("bad: [secret] [secret]"),
        "{told}"
    );
    assert!(!told.contains(PASSWORD) && !told.contains("T0KEN"), "{told}");
}
