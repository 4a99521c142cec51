//! What is asked of one thing at a time goes slowly: "up to 1s for each instance call", says Kafka's API reference (5.5.8),
//! which is read cautiously and holds for all such calls to an instance, whoever makes them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often one thing may be asked.
pub const EVERY: Duration = Duration::from_secs(60);
/// How often an instance may be asked.
const EACH: Duration = Duration::from_secs(1);

/// The pace of one instance. Nobody waits here: whoever comes before its turn has a place, and comes again.
#[derive(Debug, Default)]
pub struct Pace {
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    /// The first moment that nobody has.
    free: Option<Instant>,
    /// The first that nobody has who is in a hurry.
    first: Option<Instant>,
    by_name: BTreeMap<String, Place>,
}

#[derive(Debug)]
struct Place {
    /// Until then it was asked lately enough.
    rests: Instant,
    turn: Option<Instant>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its own: one call may be made now, and [`Pace::more`] goes before each other.
    Now,
    /// It comes after so long.
    After(Duration),
    /// It was here less than its time ago; so long is left of that, or until its turn comes.
    Rests(Duration),
}

impl Pace {
    /// Whether it is the turn of `who`, which comes once in [`EVERY`]; else it takes a place.
    pub fn turn(&self, who: &str) -> Turn {
        self.turn_in(who, EVERY, false)
    }

    /// The same for somebody who goes before all who are not in a hurry, as often as it comes.
    pub fn turn_first(&self, who: &str) -> Turn {
        self.turn_in(who, Duration::ZERO, true)
    }

    fn turn_in(&self, who: &str, every: Duration, hurries: bool) -> Turn {
        let now = Instant::now();
        let mut places = self.places();
        // Those that never come again have no place for ever.
        places
            .by_name
            .retain(|_, place| place.rests.max(place.turn.unwrap_or(now)) + EVERY > now);
        let known = places.by_name.get(who);
        let (rests, turn) = known.map_or((now, None), |place| (place.rests, place.turn));
        // Those in a hurry have all that comes first.
        let turn = turn.map(
            |turn| match !hurries && turn <= now && places.first.is_some_and(|first| first > now) {
                true => places.take(now, false),
                false => turn,
            },
        );
        let (rests, turn, answer) = match turn {
            Some(turn) if turn <= now => (now + every, None, Turn::Now),
            turn if rests > now => (
                rests,
                turn,
                Turn::Rests(turn.map_or(rests, |turn| turn.min(rests)) - now),
            ),
            Some(turn) => (now + every, Some(turn), Turn::After(turn - now)),
            None => match places.take(now, hurries) {
                turn if turn <= now => (now + every, None, Turn::Now),
                turn => (now + every, Some(turn), Turn::After(turn - now)),
            },
        };
        places.by_name.insert(who.to_owned(), Place { rests, turn });
        answer
    }

    /// Whoever has its turn makes another call: all who come later wait longer for it.
    pub fn more(&self) {
        let (now, mut places) = (Instant::now(), self.places());
        let hurries = places.first.is_some_and(|first| first > now);
        places.take(now, hurries);
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn take(&mut self, now: Instant, hurries: bool) -> Instant {
        let free = self.free.map_or(now, |free| free.max(now));
        self.free = Some(free + EACH);
        if !hurries {
            return free;
        }
        let first = self.first.map_or(now, |first| first.max(now));
        self.first = Some(first + EACH);
        first
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn one_a_second_and_each_of_them_once_a_minute() {
        let pace = Pace::default();
        let turn = |who: &str| pace.turn(who);
        assert_eq!(turn("a"), Turn::Now);
        assert_eq!(turn("a"), Turn::Rests(60 * SECOND));
        assert_eq!(turn("b"), Turn::After(SECOND));
        assert_eq!(turn("c"), Turn::After(2 * SECOND));
        assert_eq!(turn("b"), Turn::Rests(SECOND), "asking again takes no second place");
        advance(SECOND).await;
        assert_eq!(turn("d"), Turn::After(2 * SECOND));
        assert_eq!(turn("b"), Turn::Now);
        advance(5 * SECOND).await;
        assert_eq!(
            (turn("c"), turn("d")),
            (Turn::Now, Turn::Now),
            "what was missed is not lost"
        );
        advance(54 * SECOND).await;
        assert_eq!((turn("a"), turn("b")), (Turn::Now, Turn::Rests(SECOND)));
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_a_minute_has_room_for_take_turns() {
        let pace = Pace::default();
        let names: Vec<String> = (0..90).map(|n| n.to_string()).collect();
        let mut turns = BTreeMap::new();
        for second in 0..900 {
            for name in &names {
                if pace.turn(name) == Turn::Now {
                    turns.entry(name).or_insert_with(Vec::new).push(second);
                }
            }
            advance(SECOND).await;
        }
        assert_eq!(turns.len(), 90);
        assert!(turns.values().map(Vec::len).sum::<usize>() <= 900, "one a second");
        assert!(turns.values().all(|turns| turns.len() >= 8), "{turns:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_needs_more_calls_lets_the_others_wait_longer() {
        let pace = Pace::default();
        assert_eq!(pace.turn("a"), Turn::Now);
        (0..4).for_each(|_| pace.more());
        assert_eq!(pace.turn("b"), Turn::After(5 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_in_a_hurry_goes_before_all_others_and_still_one_a_second() {
        let pace = Pace::default();
        for n in 0..90 {
            pace.turn(&n.to_string());
        }
        assert_eq!(pace.turn_first("x"), Turn::Now);
        assert_eq!(pace.turn_first("y"), Turn::After(SECOND));
        assert_eq!(pace.turn_first("z"), Turn::After(2 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn as_long_as_somebody_is_in_a_hurry_the_others_give_way() {
        let pace = Pace::default();
        assert_eq!((pace.turn("a"), pace.turn("b")), (Turn::Now, Turn::After(SECOND)));
        assert_eq!(pace.turn_first("x"), Turn::Now);
        assert_eq!(pace.turn_first("y"), Turn::After(SECOND));
        advance(SECOND).await;
        assert_ne!(pace.turn("b"), Turn::Now, "y has this second");
        assert_eq!(pace.turn_first("y"), Turn::Now);
        advance(5 * SECOND).await;
        assert_eq!(pace.turn("b"), Turn::Now);
    }
}
