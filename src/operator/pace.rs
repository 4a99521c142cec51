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
    /// Whether it is the turn of `who`, which comes once in `every`; else it takes a place.
    pub fn turn(&self, who: &str, every: Duration) -> Turn {
        let now = Instant::now();
        let mut places = self.places();
        // Those that never come again have no place for ever.
        places
            .by_name
            .retain(|_, place| place.rests.max(place.turn.unwrap_or(now)) + EVERY > now);
        let known = places.by_name.get(who);
        let (rests, turn) = known.map_or((now, None), |place| (place.rests, place.turn));
        let (rests, turn, answer) = match turn {
            Some(turn) if turn <= now => (now + every, None, Turn::Now),
            turn if rests > now => (
                rests,
                turn,
                Turn::Rests(turn.map_or(rests, |turn| turn.min(rests)) - now),
            ),
            Some(turn) => (now + every, Some(turn), Turn::After(turn - now)),
            None => match places.take(now) {
                turn if turn <= now => (now + every, None, Turn::Now),
                turn => (now + every, Some(turn), Turn::After(turn - now)),
            },
        };
        places.by_name.insert(who.to_owned(), Place { rests, turn });
        answer
    }

    /// Whoever has its turn makes another call: all who come later wait longer for it.
    pub fn more(&self) {
        self.places().take(Instant::now());
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn take(&mut self, now: Instant) -> Instant {
        let turn = self.free.map_or(now, |free| free.max(now));
        self.free = Some(turn + EACH);
        turn
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
        let turn = |who: &str| pace.turn(who, EVERY);
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
                if pace.turn(name, EVERY) == Turn::Now {
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
        assert_eq!(pace.turn("a", EVERY), Turn::Now);
        (0..4).for_each(|_| pace.more());
        assert_eq!(pace.turn("b", EVERY), Turn::After(5 * SECOND));
    }
}
