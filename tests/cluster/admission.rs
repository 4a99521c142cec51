//! The real API server lets in and refuses what the table says, with the same words.

use kube::api::{DeleteParams, Patch, PatchParams};
use kube::core::Status;
use serde_json::{Value, json};

use crate::cluster::{Cluster, merged};
use crate::run::Run;
use crate::support::admission::{ALL, Case};

const NAMESPACE: &str = "admission";

/// What a part of the table asks for: a kind, a base, cases, and whether they are updates.
type Question = (&'static str, Value, Vec<Case>, bool);

pub async fn all(run: &mut Run, cluster: &Cluster) {
    cluster.make_namespace(NAMESPACE).await;
    for (name, part) in ALL {
        let mut questions: Vec<Question> = vec![];
        part(&mut |kind, base, cases, update| questions.push((kind, base.clone(), cases.to_vec(), update)));
        let test = async {
            for question in questions {
                judge(cluster, question).await;
            }
        };
        run.test(&format!("admission::{}", name.replace('-', "_")), test).await;
    }
}

async fn judge(cluster: &Cluster, (kind, mut base, cases, update): Question) {
    base["metadata"]["namespace"] = json!(NAMESPACE);
    let name = base["metadata"]["name"].as_str().expect("it is named").to_owned();
    let api = cluster.api(kind, NAMESPACE);
    if update {
        let made = serde_json::from_value(base.clone()).unwrap();
        api.create(&Default::default(), &made).await.unwrap();
        let status = Patch::Merge(json!({"status": base["status"]}));
        let made = api.patch_status(&name, &PatchParams::default(), &status).await.unwrap();
        base["metadata"]["resourceVersion"] = json!(made.metadata.resource_version);
    }
    for (change, refusal) in &cases {
        let object = merged(&base, change);
        let answer = cluster.dry_run(kind, &object, update).await;
        match (refusal, answer) {
            (None, Ok(())) => {}
            (None, Err(refused)) => panic!("{change} was refused: {}", refused.message),
            (Some(word), Ok(())) => panic!("{change} was let in; should be refused with {word:?}"),
            (Some(word), Err(refused)) => assert!(says(&refused, word), "{change}: {word:?} is not in {refused:#?}"),
        }
    }
    if update {
        api.delete(&name, &DeleteParams::default()).await.unwrap();
    }
}

/// The refusal has the word, or where that is a path, names the field or something in it.
fn says(refused: &Status, word: &str) -> bool {
    match word.strip_prefix('/') {
        None => refused.message.contains(word),
        Some(path) => {
            let field = path.replace('/', ".");
            let causes = refused.details.iter().flat_map(|details| &details.causes);
            causes.into_iter().any(|cause| cause.field.starts_with(&field))
        }
    }
}
