//! How many calls go out in which time.

use tokio::time::{Instant, advance};

use super::*;

/// How many tokens can be taken within `time`.
async fn taken(limiter: &Limiter, time: Duration) -> usize {
    let end = Instant::now() + time;
    let mut count = 0;
    while tokio::time::timeout_at(end, limiter.acquire()).await.is_ok() {
        count += 1;
    }
    count
}

#[tokio::test(start_paused = true)]
async fn twenty_at_once_and_then_twenty_a_second() {
    let limiter = Limiter::new();
    advance(Duration::from_secs(3600)).await;
    let start = Instant::now();
    for _ in 0..20 {
        limiter.acquire().await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    let count = taken(&limiter, Duration::from_secs(10)).await;
    assert!((198..=200).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_429_halves_the_rate_for_a_minute() {
    let limiter = Limiter::new();
    limiter.throttled(None);
    let slow = taken(&limiter, Duration::from_secs(60)).await;
    assert!((590..=600).contains(&slow), "{slow}");
    let again = taken(&limiter, Duration::from_secs(10)).await;
    assert!((196..=201).contains(&again), "{again}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_also_by_those_who_already_wait() {
    let limiter = Arc::new(Limiter::new());
    taken(&limiter, Duration::from_millis(1)).await;
    let waiting = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire().await }
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    limiter.throttled(Some(Duration::from_secs(7)));
    waiting.await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(7), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_absurd_retry_after_does_not_stop_everything() {
    let limiter = Limiter::new();
    limiter.throttled(Some(Duration::from_secs(86_400)));
    let start = Instant::now();
    limiter.acquire().await;
    assert!(start.elapsed() <= Duration::from_secs(301), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_loses_nothing_for_the_others() {
    let limiter = Limiter::new();
    taken(&limiter, Duration::from_millis(1)).await;
    for _ in 0..100 {
        let _ = tokio::time::timeout(Duration::from_micros(1), limiter.acquire()).await;
    }
    advance(Duration::from_secs(1)).await;
    assert!(taken(&limiter, Duration::from_millis(1)).await >= 20);
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
