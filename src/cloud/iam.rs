//! Identity and Access Management: the one call that finds a project's id.

use serde::Deserialize;

use super::client::Call;
use super::{Client, Error, Operation, decode};

/// A project: the resources of one account in one region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// What the paths of all other calls begin with.
    #[serde(deserialize_with = "decode::required")]
    pub id: String,
    /// The main project of a region is named like the region.
    #[serde(default, deserialize_with = "decode::text")]
    pub name: Option<String>,
    /// A disabled project refuses all calls.
    #[serde(default, deserialize_with = "decode::flag")]
    pub enabled: Option<bool>,
}

impl Client {
    /// The projects that the credentials can see, perhaps only those of one name (Kafka API reference 8.4, RocketMQ API
    /// reference 9.4; the `name` filter is not in the reference). Needs no project id.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn find_projects(&self, name: Option<&str>) -> Result<Vec<Project>, Error> {
        let call = Call::iam(Operation::KeystoneListProjects, &["v3", "projects"]).filter("name", name);
        let answer = self.send(call).await?;
        let body: Body = answer.json()?;
        // The reference's own example ends its list with an element that is only links.
        let projects = body
            .projects
            .ok_or_else(|| answer.malformed("it has no projects"))?
            .into_iter();
        Ok(projects
            .filter_map(|project| serde_json::from_value(project).ok())
            .collect())
    }
}

#[derive(Deserialize)]
struct Body {
    projects: Option<Vec<serde_json::Value>>,
}
