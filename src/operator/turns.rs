//! Whose turn it is to write to one instance.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::kind::Reference;
use super::snapshot::Wakes;
use crate::cloud::{Line, Priority};

/// How many creates may be under way at once.
const WIDTH: u32 = 4;
/// After "busy", writes go one at a time for this long.
const NARROW: Duration = Duration::from_secs(60);

/// How a write goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Beside others of its kind.
    Beside,
    /// Alone.
    Alone,
    /// With others in one call, which has its turn as a whole.
    Together,
}

/// The turns of one instance's writes, the most urgent first: of what goes beside others, four at once, else one at a time.
#[derive(Debug)]
pub struct Turns {
    line: Line,
    state: Mutex<State>,
    wakes: Wakes,
}

#[derive(Debug, Default)]
struct State {
    taken: u32,
    narrow_until: Option<Instant>,
    /// Who was sent away, and is woken one by one.
    later: VecDeque<Reference>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    weight: u32,
}

/// How many may wait in the line as they are; a round that waits holds some ten kilobytes.
const CROWD: usize = 64;

impl Turns {
    /// Nobody's turn.
    pub fn new(wakes: Wakes) -> Self {
        Self {
            line: Line::default(),
            state: Mutex::default(),
            wakes,
        }
    }

    /// Whether the line is so long that an object should come again: it is woken.
    pub fn sends_away(&self, object: &Reference) -> bool {
        let away = self.line.length() >= CROWD;
        if away {
            let mut state = self.state();
            if !state.later.contains(object) {
                state.later.push_back(object.clone());
            }
        }
        away
    }

    /// Waits for a turn.
    pub async fn take(self: &Arc<Self>, priority: Priority, way: Way) -> Turn {
        let weight = if way == Way::Beside { 1 } else { WIDTH };
        let place = self.line.join(priority);
        while !(place.is_first() && self.state().admits(weight)) {
            place.nudged().await;
        }
        Turn {
            turns: self.clone(),
            weight,
        }
    }

    /// The instance said that it is busy.
    pub fn narrow(&self) {
        self.state().narrow_until = Some(Instant::now() + NARROW);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl State {
    fn admits(&mut self, weight: u32) -> bool {
        let narrow = self.narrow_until.is_some_and(|until| Instant::now() < until);
        let room = if narrow { 1 } else { WIDTH };
        let admitted = self.taken == 0 || self.taken + weight <= room;
        if admitted {
            self.taken += weight;
        }
        admitted
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        state.taken -= self.weight;
        // One that is woken need not come to the line again: where it grows short, two are.
        let many = if self.turns.line.length() < CROWD / 2 { 2 } else { 1 };
        let many = many.min(state.later.len());
        for next in state.later.drain(..many) {
            // An operator that ends needs no waking.
            let _ = self.turns.wakes.send(next);
        }
        drop(state);
        self.turns.line.nudge();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn creates_go_four_at_once_and_everything_else_alone() {
        let turns = Arc::new(Turns::new(tokio::sync::mpsc::unbounded_channel().0));
        let take = |priority, way| Box::pin(turns.take(priority, way));
        let mut creates = vec![];
        for _ in 0..WIDTH {
            creates.push(
                take(Priority::Create, Way::Beside)
                    .now_or_never()
                    .expect("there is room"),
            );
        }
        let mut fifth = take(Priority::Create, Way::Beside);
        let mut delete = take(Priority::Delete, Way::Alone);
        assert!((&mut fifth).now_or_never().is_none() && (&mut delete).now_or_never().is_none());
        creates.pop();
        assert!(
            (&mut fifth).now_or_never().is_none(),
            "the delete came later, and is more urgent"
        );
        creates.clear();
        let deleting = (&mut delete).now_or_never().expect("it is alone");
        assert!((&mut fifth).now_or_never().is_none());
        drop(deleting);
        turns.narrow();
        let creating = (&mut fifth).now_or_never().expect("it is its turn");
        assert!(
            take(Priority::Create, Way::Beside).now_or_never().is_none(),
            "one at a time after busy"
        );
        drop(creating);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_a_crowd_is_woken_later_in_the_order_of_coming() {
        let (wakes, mut woken) = tokio::sync::mpsc::unbounded_channel();
        let turns = Arc::new(Turns::new(wakes));
        let named = |n: usize| Reference::new("Topic", "default", &n.to_string());
        let mut crowd: VecDeque<_> = (0..=CROWD)
            .map(|_| Box::pin(turns.take(Priority::Create, Way::Alone)))
            .collect();
        let first = crowd
            .pop_front()
            .expect("one")
            .now_or_never()
            .expect("nobody else writes");
        crowd
            .iter_mut()
            .for_each(|waits| assert!(waits.now_or_never().is_none()));
        for n in [1, 2, 1, 3, 4] {
            assert!(turns.sends_away(&named(n)));
        }
        drop(first);
        assert_eq!(woken.try_recv(), Ok(named(1)), "one for one that has had its turn");
        assert!(woken.try_recv().is_err());

        crowd.truncate(CROWD / 2 - 1);
        assert!(!turns.sends_away(&named(5)), "there is room again");
        drop(crowd.pop_front().expect("one").now_or_never().expect("its turn"));
        assert_eq!(woken.try_recv(), Ok(named(2)));
        assert_eq!(woken.try_recv(), Ok(named(3)), "two where the line is short");
        assert!(woken.try_recv().is_err());
    }
}
