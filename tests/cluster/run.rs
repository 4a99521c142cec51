//! Runs tests one after the other, one line each: they share an environment, and some must come last.

use std::panic::AssertUnwindSafe;

use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;

/// The tests that were asked for, and how they went.
pub struct Run {
    /// A test runs if its name contains one of these; none means all.
    wanted: Vec<String>,
    passed: usize,
    skipped: usize,
    failed: Vec<String>,
}

impl Run {
    /// As the command line says: `cargo test --test cluster -- NAME...`.
    pub fn from_args() -> Self {
        let wanted = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
        Self {
            wanted,
            passed: 0,
            skipped: 0,
            failed: vec![],
        }
    }

    /// One test: it fails by a panic.
    pub async fn test(&mut self, name: &str, test: impl Future<Output = ()>) {
        self.together(vec![(name, test.boxed_local())]).await;
    }

    /// Tests that do not disturb each other, at the same time.
    pub async fn together(&mut self, tests: Vec<(&str, LocalBoxFuture<'_, ()>)>) {
        let (asked, others): (Vec<_>, Vec<_>) = tests.into_iter().partition(|(name, _)| self.asks_for(name));
        self.skipped += others.len();
        let mut running: FuturesUnordered<_> = asked.into_iter().map(timed).collect();
        while let Some((name, passed, seconds)) = running.next().await {
            println!(
                "test {name} ... {} ({seconds:.1} s)",
                if passed { "ok" } else { "FAILED" }
            );
            match passed {
                true => self.passed += 1,
                false => self.failed.push(name.to_owned()),
            }
        }
    }

    fn asks_for(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|wanted| name.contains(wanted.as_str()))
    }

    /// Whether a test has failed so far.
    pub fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Whether every test has run so far.
    pub fn is_complete(&self) -> bool {
        self.skipped == 0
    }

    /// The last lines.
    pub fn summary(&self) -> String {
        let counts = format!(
            "{} passed; {} failed; {} filtered out",
            self.passed,
            self.failed.len(),
            self.skipped
        );
        if self.failed.is_empty() {
            return format!("test result: ok. {counts}");
        }
        format!(
            "failures:\n    {}\n\ntest result: FAILED. {counts}",
            self.failed.join("\n    ")
        )
    }
}

async fn timed<'a>((name, test): (&'a str, LocalBoxFuture<'_, ()>)) -> (&'a str, bool, f64) {
    let begun = Instant::now();
    let passed = AssertUnwindSafe(test).catch_unwind().await.is_ok();
    (name, passed, begun.elapsed().as_secs_f64())
}
