//! What `tests/playground serve` starts, for as long as this value lives: a control plane and a simulated cloud.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// How often a condition that is awaited is looked at.
const GLANCE: Duration = Duration::from_millis(200);

/// Ends with this value, however the tests end: the playground notices that its stdin is closed.
pub struct Environment {
    serving: Child,
    /// What `env.json` says.
    pub described: Described,
}

/// `env.json`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    pub dir: PathBuf,
    pub kubeconfig: PathBuf,
    pub audit_log: PathBuf,
    pub kubectl: PathBuf,
    pub simulator: Simulator,
}

/// The simulated cloud.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Simulator {
    pub url: String,
    pub access_key: String,
    pub secret_key: String,
    /// The user of IAM, as a Secret has it: username, password, domainName.
    pub user: Value,
}

/// What a command printed.
pub struct Printed {
    pub success: bool,
    pub out: String,
    pub err: String,
}

impl Environment {
    /// A fresh one; the cloud is `speed` times as fast as the service.
    pub fn start(speed: u32) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster");
        let mut serving = playground(&["serve", "--speed", &speed.to_string()], &dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs the playground");
        let mut line = String::new();
        BufReader::new(serving.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .unwrap();
        let Some(path) = line.trim().strip_prefix("ready ") else {
            let _ = serving.wait();
            panic!("the playground did not start; what it said is above");
        };
        let described = std::fs::read_to_string(path).unwrap();
        Self {
            serving,
            described: serde_json::from_str(&described).unwrap(),
        }
    }

    /// kubectl as a user types it, in a namespace; `stdin` is for `-f -`.
    pub async fn kubectl(&self, namespace: &str, args: &[&str], stdin: Option<&str>) -> Printed {
        let mut command = Command::new(&self.described.kubectl);
        command
            .args(["--namespace", namespace])
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("KUBECONFIG", &self.described.kubeconfig)
            .env("KUBECACHEDIR", "/dev/null")
            .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let stdin = stdin.map(str::to_owned);
        spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            if let Some(text) = stdin {
                child
                    .stdin
                    .take()
                    .expect("it is piped")
                    .write_all(text.as_bytes())
                    .unwrap();
            }
            let output = child.wait_with_output().unwrap();
            Printed {
                success: output.status.success(),
                out: String::from_utf8(output.stdout).unwrap(),
                err: String::from_utf8(output.stderr).unwrap(),
            }
        })
        .await
        .unwrap()
    }

    /// Installs the chart; how to run its pod's command: arguments, environment, and where it will listen.
    pub fn install(&self, values: &Value) -> (Vec<String>, BTreeMap<String, String>, String) {
        let path = self.described.dir.join("test-values.json");
        std::fs::write(&path, values.to_string()).unwrap();
        let printed = playground(&["operator", "--values", path.to_str().unwrap()], &self.described.dir)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&printed.stderr);
        assert!(printed.status.success(), "the chart was not installed: {err}");
        let said: Value = serde_json::from_slice(&printed.stdout).unwrap();
        let read = |key: &str| said[key].clone();
        (
            serde_json::from_value(read("argv")).unwrap(),
            serde_json::from_value(read("env")).unwrap(),
            serde_json::from_value(read("url")).unwrap(),
        )
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        drop(self.serving.stdin.take());
        let _ = self.serving.wait();
    }
}

fn playground(args: &[&str], dir: &Path) -> Command {
    let binaries = Path::new(env!("CARGO_BIN_EXE_dms-operator"))
        .parent()
        .expect("it is in a folder");
    let mut command = Command::new("python3");
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("tests/playground")
        .args(args)
        .arg("--dir")
        .arg(dir)
        .arg("--binaries")
        .arg(binaries);
    command
}

/// Waits until `look` finds what is awaited; its error says what it found instead.
pub async fn eventually<T>(what: &str, limit: u64, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) if begun.elapsed() > Duration::from_secs(limit) => {
                panic!("waited {limit} s in vain: {what}; instead: {instead}")
            }
            Err(_) => tokio::time::sleep(GLANCE).await,
        }
    }
}

/// [`eventually`] for what is either so or not.
pub async fn until(what: &str, limit: u64, mut holds: impl AsyncFnMut() -> bool) {
    eventually(
        what,
        limit,
        async || if holds().await { Ok(()) } else { Err("not yet".into()) },
    )
    .await;
}
