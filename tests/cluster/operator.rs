//! The operator as a process: the rendered pod's command, under the chart's service account.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::environment::until;

/// Becomes the operator, after having asked to be killed when we end: a test binary that is killed leaves nothing behind.
const ENDS_WITH_US: &str = "import ctypes, json, os, sys
if sys.platform == 'linux': ctypes.CDLL(None).prctl(1, 9)
argv, env = json.loads(sys.argv[1])
os.execve(argv[0], argv, env)";

/// How to start it.
#[derive(Clone)]
pub struct Recipe {
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
}

/// A running operator; killed when dropped.
pub struct Operator {
    process: Child,
    url: String,
}

impl Operator {
    /// Starts it, on a port of its own; `log` gets what it says.
    pub fn start(recipe: &Recipe, log: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = |arg: &String| match arg.starts_with("--listen=") {
            true => format!("--listen=127.0.0.1:{port}"),
            false => arg.clone(),
        };
        let argv: Vec<_> = recipe.argv.iter().map(listen).collect();
        let log = File::options().create(true).append(true).open(log).unwrap();
        let process = Command::new("python3")
            .args(["-c", ENDS_WITH_US, &json!([argv, recipe.env]).to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// The status and the text of one of its pages; none while it does not listen.
    pub async fn page(&self, path: &str) -> Option<(u16, String)> {
        let answer = crate::http().get(format!("{}{path}", self.url)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Waits until /readyz says 200 and `stage`; how long that took.
    pub async fn becomes(&self, stage: &str, limit: u64) -> Duration {
        let begun = Instant::now();
        let wanted = Some((200, stage.to_owned()));
        until(&format!("/readyz says {stage}"), limit, async || {
            self.page("/readyz").await == wanted
        })
        .await;
        begun.elapsed()
    }

    /// Waits for its end after a SIGTERM.
    pub async fn terminate(&mut self) -> ExitStatus {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        until("the operator ends after SIGTERM", 20, async || {
            self.has_ended().is_some()
        })
        .await;
        self.has_ended().expect("it has ended")
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// How it ended, if it has.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().unwrap()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.kill();
    }
}
