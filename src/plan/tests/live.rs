//! What moves by itself is told roughly, and only when it has moved.

use proptest::prelude::*;

use super::*;
use crate::api::{ConsumerGroupLive, TopicLag, TopicLive};
use crate::plan::live::{group, rounded, topic};

fn lagging(lag: u64) -> ConsumerGroupLive {
    ConsumerGroupLive {
        state: Some("STABLE".into()),
        members: Some(4),
        lag: Some(lag),
        topics: vec![TopicLag {
            topic: "orders".into(),
            lag: Some(lag),
        }],
        topics_total: Some(1),
        ..Default::default()
    }
}

#[test]
fn numbers_are_told_to_two_digits() {
    for (number, told) in [
        (0, 0),
        (9, 9),
        (99, 99),
        (100, 100),
        (104, 100),
        (105, 110),
        (1249, 1200),
        (1250, 1300),
        (999, 1000),
        (u64::MAX, 18_000_000_000_000_000_000),
    ] {
        assert_eq!(rounded(number), told, "{number}");
    }
}

#[test]
fn a_little_more_or_less_moves_nothing_and_the_time_is_that_of_the_last_move() {
    let told = group(None, lagging(1234), at(0));
    assert_eq!((told.lag, told.topics[0].lag), (Some(1200), Some(1200)));
    assert_eq!(told.time, at(0).to_string());
    for lag in [1080, 1249, 1251, 1320] {
        assert_eq!(group(Some(&told), lagging(lag), at(60)), told, "{lag}");
    }
    for (lag, shown) in [(1079, 1100), (1321, 1300), (0, 0), (7, 7)] {
        let moved = group(Some(&told), lagging(lag), at(60));
        assert_eq!((moved.lag, moved.time), (Some(shown), at(60).to_string()), "{lag}");
    }
    // Few are counted one by one.
    let few = group(None, lagging(12), at(0));
    assert_eq!(group(Some(&few), lagging(13), at(60)).lag, Some(13));
    let mut left = lagging(1234);
    left.members = Some(3);
    assert_eq!(group(Some(&told), left, at(60)).time, at(60).to_string());
    // What is not told any more is not known any more.
    let silent = ConsumerGroupLive {
        lag: None,
        ..lagging(1234)
    };
    assert_eq!(group(Some(&told), silent, at(60)).lag, None);
}

#[test]
fn lists_are_cut_to_the_worst_and_ordered_by_name() {
    let mut many = lagging(0);
    let of = |n: u64| TopicLag {
        topic: format!("t{n:02}"),
        lag: Some(n % 17),
    };
    many.topics = (0..17).rev().map(of).collect();
    many.topics_total = Some(17);
    let told = group(None, many, at(0));
    let names: Vec<_> = told.topics.iter().map(|t| t.topic.as_str()).collect();
    let worst: Vec<_> = (7..17).map(|n| format!("t{n:02}")).collect();
    assert_eq!(
        (names, told.topics_total),
        (worst.iter().map(String::as_str).collect(), Some(17))
    );

    let seen = TopicLive {
        consumer_groups: (0..30).map(|n| format!("g{n:02}")).collect(),
        consumer_groups_total: Some(30),
        messages: Some(123_456),
        ..Default::default()
    };
    let told = topic(None, seen.clone(), at(0));
    assert_eq!((told.consumer_groups.len(), told.messages), (20, Some(120_000)));
    assert_eq!(topic(Some(&told), seen, at(60)), told);
}

proptest! {
    #[test]
    fn what_is_told_is_never_off_by_much_more_than_a_tenth(lags in prop::collection::vec(0u64..1_000_000, 1..20)) {
        let mut before: Option<ConsumerGroupLive> = None;
        for (second, lag) in lags.into_iter().enumerate() {
            let told = group(before.as_ref(), lagging(lag), at(second as i64));
            let shown = told.lag.unwrap();
            prop_assert!(shown.abs_diff(lag) <= lag / 8 + 1, "{lag} is told as {shown}");
            prop_assert_eq!(shown == 0, lag == 0);
            before = Some(told);
        }
    }
}
