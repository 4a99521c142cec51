//! Runs tests one after the other, one line each: they share an environment, and some must come last.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt as _;

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
        if !self.wanted.is_empty() && !self.wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            self.skipped += 1;
            return;
        }
        let begun = Instant::now();
        let ended = AssertUnwindSafe(test).catch_unwind().await;
        let verdict = if ended.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {verdict} ({:.1} s)", begun.elapsed().as_secs_f64());
        match ended {
            Ok(()) => self.passed += 1,
            Err(_) => self.failed.push(name.to_owned()),
        }
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
