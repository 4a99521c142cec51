//! How many calls go out in which time.

use tokio::time::{Instant, advance};

use super::*;
use crate::cloud::limiter::{Throttled, policy_in};
use crate::cloud::{Pace, Priority};

const SECOND: Duration = Duration::from_secs(1);

fn told(policy: Option<(u32, Duration)>) -> Throttled {
    Throttled {
        sent: Instant::now(),
        retry_after: None,
        policy,
    }
}

/// How many tokens can be taken within `time`.
async fn taken(limiter: &Limiter, time: Duration) -> usize {
    let end = Instant::now() + time;
    let mut count = 0;
    while tokio::time::timeout_at(end, limiter.acquire(Priority::Edit))
        .await
        .is_ok()
    {
        count += 1;
    }
    count
}

#[tokio::test(start_paused = true)]
async fn ten_at_once_and_then_twenty_a_second() {
    let limiter = Limiter::new();
    advance(Duration::from_secs(3600)).await;
    let start = Instant::now();
    for _ in 0..10 {
        limiter.acquire(Priority::Edit).await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    let count = taken(&limiter, Duration::from_secs(10)).await;
    assert!((198..=200).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_429_halves_the_pace_once_and_quiet_brings_it_back() {
    let limiter = Limiter::new();
    let sent = Instant::now();
    advance(SECOND).await;
    for _ in 0..5 {
        limiter.throttled(Throttled { sent, ..told(None) });
    }
    assert_eq!(
        limiter.pace(),
        (10.0, true),
        "all but the first were under way when it slowed down"
    );
    let slow = taken(&limiter, SECOND).await;
    assert!((9..=10).contains(&slow), "{slow}");
    advance(50 * SECOND).await;
    assert_eq!(limiter.pace(), (20.0, false));
    for _ in 0..9 {
        advance(SECOND / 1000).await;
        limiter.throttled(told(None));
    }
    let (pace, slowed) = limiter.pace();
    assert!(slowed && (0.4..=0.5).contains(&pace), "it does not stand still: {pace}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_named_is_the_ceiling_until_it_is_old() {
    let limiter = Limiter::new();
    limiter.throttled(told(Some((200, 300 * SECOND))));
    let (pace, slowed) = limiter.pace();
    assert!((0.6..0.667).contains(&pace) && slowed, "{pace}");
    let window = taken(&limiter, 300 * SECOND).await;
    assert!((180..=200).contains(&window), "{window}");
    advance(3600 * SECOND).await;
    let later = taken(&limiter, SECOND).await;
    assert!((29..=30).contains(&later), "{later}");
}

#[tokio::test(start_paused = true)]
async fn the_least_that_a_user_of_the_credential_allows_holds() {
    let limiter = Limiter::new();
    limiter.allow("a", Some(Pace::of(100, SECOND, Some(50))));
    assert_eq!(limiter.pace(), (100.0, false));
    limiter.allow("b", Some(Pace::of(200, 300 * SECOND, None)));
    assert!(limiter.pace().0 < 0.7);
    limiter.allow("b", None);
    assert_eq!(limiter.pace(), (100.0, false));
}

#[tokio::test(start_paused = true)]
async fn an_edit_overtakes_a_thousand_resyncs() {
    let limiter = Arc::new(Limiter::new());
    let wait = |limiter: Arc<Limiter>| async move { limiter.acquire(Priority::Resync).await };
    let storm: Vec<_> = (0..1000).map(|_| tokio::spawn(wait(limiter.clone()))).collect();
    tokio::time::sleep(SECOND).await;
    let begun = Instant::now();
    limiter.acquire(Priority::Edit).await;
    assert!(begun.elapsed() <= SECOND / 10, "{:?}", begun.elapsed());
    storm.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn the_gateway_is_taken_at_its_word() {
    let text = r#"{"error_code":"APIGW.0308","error_msg":"The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute"}"#;
    let script = Script::new([answer(429, text), answer(204, ""), answer(204, "")]);
    let client = script.client();
    client.delete_instance("i1").await.unwrap_err();
    let start = Instant::now();
    client.delete_instance("i1").await.unwrap();
    client.delete_instance("i1").await.unwrap();
    assert!(start.elapsed() >= 2 * SECOND, "one a second: {:?}", start.elapsed());
}

#[test]
fn a_policy_is_read_from_the_text() {
    for (text, policy) in [
        (
            "policy user over ratelimit,limit:200,time:5 minute",
            Some((200, 300 * SECOND)),
        ),
        ("policy ip over ratelimit, limit:5, time:1 second", Some((5, SECOND))),
        ("limit:0,time:1 second", None),
        ("limit:5,time:1 fortnight", None),
        ("Too many requests", None),
    ] {
        assert_eq!(policy_in(text), policy, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_also_by_those_who_already_wait() {
    let limiter = Arc::new(Limiter::new());
    taken(&limiter, Duration::from_millis(1)).await;
    let waiting = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(Priority::Edit).await }
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    limiter.throttled(Throttled {
        retry_after: Some(7 * SECOND),
        ..told(None)
    });
    waiting.await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(7), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_absurd_retry_after_does_not_stop_everything() {
    let limiter = Limiter::new();
    limiter.throttled(Throttled {
        retry_after: Some(86_400 * SECOND),
        ..told(None)
    });
    let start = Instant::now();
    limiter.acquire(Priority::Edit).await;
    assert!(start.elapsed() <= Duration::from_secs(301), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_loses_nothing_for_the_others() {
    let limiter = Limiter::new();
    taken(&limiter, Duration::from_millis(1)).await;
    for _ in 0..100 {
        let _ = tokio::time::timeout(Duration::from_micros(1), limiter.acquire(Priority::Edit)).await;
    }
    advance(Duration::from_secs(1)).await;
    assert!(taken(&limiter, Duration::from_millis(1)).await >= 10);
}

#[tokio::test(start_paused = true)]
async fn flow_control_slows_all_calls_down_even_as_a_404() {
    let throttled = with_headers(
        404,
        &[("Retry-After", "5")],
        r#"{"error_code":"DMS.10240407","error_msg":"slow"}"#,
    );
    let script = Script::new([throttled, answer(204, "")]);
    let client = script.client();
    let error = client.delete_instance("i1").await.unwrap_err();
    assert_eq!((error.fault(), error.sent()), (Fault::Retry, Sent::Refused));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
    let start = Instant::now();
    client.delete_instance("i1").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_turn_does_not_come_in_time_was_never_sent() {
    let throttled = with_headers(429, &[("Retry-After", "60")], "");
    let script = Script::new([throttled]);
    let client = script.client();
    client.delete_instance("i1").await.unwrap_err();
    let error = client.create_instance(&order()).await.unwrap_err();
    assert_eq!(
        (error.class(), error.sent(), script.count()),
        (Class::Throttled, Sent::Never, 1)
    );
}
