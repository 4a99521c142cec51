//! Availability zones: Kafka API reference 5.12.2, RocketMQ API reference 5.13.1.

use serde::Deserialize;

use super::client::Call;
use super::{Client, Error, Operation, decode};

impl Client {
    /// The region's zones, the same for both engines (Kafka API reference 5.12.2, RocketMQ API reference 5.13.1).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_available_zones(&self) -> Result<Vec<Zone>, Error> {
        let answer = self
            .send(Call::dms(Operation::ListAvailableZones, &["v2", "available-zones"]))
            .await?;
        let body: List = answer.json()?;
        body.available_zones.ok_or_else(|| answer.malformed("it has no list"))
    }
}

/// An availability zone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Zone {
    /// What an instance is created with and reads back.
    #[serde(deserialize_with = "decode::required")]
    pub id: String,
    /// What people call it, such as `eu-west-101a`.
    #[serde(default, deserialize_with = "decode::text")]
    pub code: Option<String>,
    /// Whether nothing can be created there now.
    #[serde(rename = "soldOut", default, deserialize_with = "decode::flag")]
    pub sold_out: Option<bool>,
    /// Whether it has IPv6.
    #[serde(default, deserialize_with = "decode::flag")]
    pub ipv6_enable: Option<bool>,
}

#[derive(Deserialize)]
struct List {
    available_zones: Option<Vec<Zone>>,
}
