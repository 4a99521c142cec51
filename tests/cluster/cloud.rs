//! The simulated cloud's control side.

use serde_json::{Value, json};

/// Unsigned, for tests.
pub struct Cloud {
    pub url: String,
}

impl Cloud {
    /// Every call since they were last forgotten.
    pub async fn calls(&self) -> Vec<Value> {
        let calls = self.get("calls").await;
        calls.as_array().expect("a list").clone()
    }

    /// Forgets the calls so far.
    pub async fn forget_calls(&self) {
        crate::http().delete(self.at("calls")).send().await.unwrap();
    }

    /// How many calls of an operation named this in their body.
    pub async fn calls_about(&self, operation: &str, name: &str) -> usize {
        let about = |call: &&Value| {
            call["operation"] == operation
                && call["names"]
                    .as_array()
                    .is_some_and(|names| names.contains(&json!(name)))
        };
        self.calls().await.iter().filter(about).count()
    }

    /// Everything that exists.
    pub async fn instances(&self) -> Vec<Value> {
        self.get("state").await["instances"].as_array().expect("a list").clone()
    }

    /// The instance of this name.
    pub async fn instance(&self, name: &str) -> Option<Value> {
        self.instances()
            .await
            .into_iter()
            .find(|instance| instance["name"] == name)
    }

    /// A topic of an instance.
    pub async fn topic(&self, instance: &str, topic: &str) -> Option<Value> {
        self.thing(instance, "topics", topic).await
    }

    /// A consumer group of an instance.
    pub async fn group(&self, instance: &str, group: &str) -> Option<Value> {
        self.thing(instance, "groups", group).await
    }

    async fn thing(&self, instance: &str, list: &str, name: &str) -> Option<Value> {
        let instance = self.instance(instance).await?;
        let things = instance[list].as_array().expect("a list");
        things.iter().find(|found| found["name"] == name).cloned()
    }

    /// Something that goes wrong from now on.
    pub async fn inject(&self, fault: Value) {
        self.post("faults", fault).await;
    }

    /// So many clients are connected to a group from now on; on Kafka that makes it.
    pub async fn connect(&self, instance: &str, group: &str, members: u32) {
        let clients = json!({"instance": instance, "group": group, "members": members});
        self.post("clients", clients).await;
    }

    /// Nothing goes wrong any more.
    pub async fn heal(&self) {
        crate::http().delete(self.at("faults")).send().await.unwrap();
    }

    /// Faults that have not struck yet.
    pub async fn faults(&self) -> usize {
        self.get("faults").await.as_array().expect("a list").len()
    }

    async fn post(&self, page: &str, body: Value) {
        let request = crate::http()
            .post(self.at(page))
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{body}: {}", answer.text().await.unwrap());
    }

    async fn get(&self, page: &str) -> Value {
        let text = crate::http()
            .get(self.at(page))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn at(&self, page: &str) -> String {
        format!("{}/_simulator/{page}", self.url)
    }
}
