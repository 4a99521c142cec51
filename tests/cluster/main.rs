//! The real thing: a real control plane, real kubectl and Helm, the operator as a process under the chart's own service
//! account, and a cloud that is simulated but awkward. One environment serves all tests, in order:
//! `cargo test --test cluster [-- NAME...]`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod admission;
mod api_server;
mod audit;
mod bad_input;
mod cloud;
mod cluster;
mod environment;
mod first_use;
mod namespaces;
mod operator;
mod protection;
mod replicas;
mod rest;
mod rights;
mod run;
#[path = "../support/mod.rs"]
mod support;
mod tenants;

use std::process::ExitCode;
use std::sync::LazyLock;

use cluster::Cluster;
use run::Run;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nobody did before");
    // One thread, so that it is the main one that starts operators: they end with it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let run = runtime.block_on(async {
        let mut run = Run::from_args();
        let cluster = Cluster::start().await;
        tokio::select! {
            () = all(&mut run, &cluster) => {}
            _ = tokio::signal::ctrl_c() => panic!("interrupted"),
        }
        if run.has_failed() {
            println!("\nlogs: {}", cluster.dir().display());
        }
        run
    });
    println!("\n{}", run.summary());
    if run.has_failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

async fn all(run: &mut Run, cluster: &Cluster) {
    api_server::all(run, cluster).await;
    admission::all(run, cluster).await;
    first_use::all(run, cluster).await;
    bad_input::all(run, cluster).await;
    namespaces::all(run, cluster).await;
    protection::all(run, cluster).await;
    tenants::all(run, cluster).await;
    replicas::all(run, cluster).await;
    rest::all(run, cluster).await;
    rights::all(run, cluster).await;
}

/// A client for pages on loopback.
fn http() -> reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| reqwest::Client::builder().no_proxy().build().unwrap());
    CLIENT.clone()
}
