//! The API server in memory behaves as the real one: the same scenarios, with equal answers.

use kube::api::{Api, PostParams};

use crate::cluster::Cluster;
use crate::environment::until;
use crate::run::Run;
use crate::support::gadgets::{gadget_api, gadgets};
use crate::support::scenarios;

pub async fn all(run: &mut Run, cluster: &Cluster) {
    let client = cluster.client.clone();
    let definitions = Api::all(client.clone());
    definitions.create(&PostParams::default(), &gadgets()).await.unwrap();
    until("gadgets can be listed", 30, async || {
        gadget_api(client.clone(), "default")
            .list(&Default::default())
            .await
            .is_ok()
    })
    .await;
    for (name, scenario) in scenarios::ALL {
        let test = async {
            cluster.make_namespace(name).await;
            scenario(gadget_api(client.clone(), name)).await;
        };
        run.test(&format!("api_server::{}", name.replace('-', "_")), test).await;
    }
}
