//! What can be bought here: flavours, zones (Kafka 5.12.2, RocketMQ 5.13.1), and the projects that IAM shows (Kafka 8.4,
//! RocketMQ 9.4).

use serde_json::{Value, json};

use super::codes::ApiError;
use super::gateway::{Context, Reply};
use super::state::Engine;
use super::{Config, kafka, rocketmq};

/// A flavour, with its limits.
pub(crate) struct Flavour {
    pub(crate) id: &'static str,
    /// The fewest and the most brokers.
    pub(crate) brokers: (i64, i64),
    /// What a broker holds: partitions on Kafka; on RocketMQ topics, and as many consumer groups.
    pub(crate) per_broker: i64,
    pub(crate) storage: Storage,
}

/// The least and the most storage, GB.
pub(crate) enum Storage {
    OfInstance(i64, i64),
    OfBroker(i64, i64),
}

impl Storage {
    /// Whether an instance can have `total` GB.
    pub(crate) fn holds(&self, total: i64, brokers: i64) -> bool {
        let within = match *self {
            Self::OfInstance(least, most) => (least..=most).contains(&total),
            Self::OfBroker(least, most) => (least..=most).contains(&(total / brokers)),
        };
        within && total % brokers == 0
    }
}

/// An availability zone; its code is the region's name with `letter`.
pub(crate) struct Zone {
    pub(crate) id: &'static str,
    letter: char,
    pub(crate) sold_out: bool,
    pub(crate) ipv6: bool,
}

/// The id of the account that the projects belong to.
pub(crate) const DOMAIN_ID: &str = "65382450e8f64ac0870cd180d14e684b";

/// Three good zones, one that is sold out, one without IPv6.
pub(crate) const ZONES: [Zone; 5] = [
    Zone {
        id: "d539378ec1314c85b76fefa3f7071458",
        letter: 'a',
        sold_out: false,
        ipv6: true,
    },
    Zone {
        id: "9f1c5806706d4c1fb0eb72f0a9b18c77",
        letter: 'b',
        sold_out: false,
        ipv6: true,
    },
    Zone {
        id: "38b0f7a602344246bcb0da47b5d548e7",
        letter: 'c',
        sold_out: false,
        ipv6: true,
    },
    Zone {
        id: "effdbc2a6b42f565330a1f3bb2c95d0e",
        letter: 'd',
        sold_out: true,
        ipv6: true,
    },
    Zone {
        id: "0d1f5b3e8c7a4f6d9e2b4a6c8d0f1e3a",
        letter: 'e',
        sold_out: false,
        ipv6: false,
    },
];

impl Flavour {
    /// The flavours of an engine's version, in rising order.
    pub(crate) fn all(engine: Engine, version: &str) -> &'static [Self] {
        match engine {
            Engine::Kafka => &kafka::FLAVOURS,
            Engine::RocketMq if version == rocketmq::FIVE => &rocketmq::FLAVOURS_OF_FIVE,
            Engine::RocketMq => &rocketmq::FLAVOURS,
        }
    }

    pub(crate) fn find(engine: Engine, version: &str, id: &str) -> Option<&'static Self> {
        Self::all(engine, version).iter().find(|flavour| flavour.id == id)
    }
}

impl Zone {
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        ZONES.iter().find(|zone| zone.id == id)
    }

    pub(crate) fn name(&self) -> String {
        format!("AZ{}", 1 + self.letter as u32 - 'a' as u32)
    }
}

/// The names and ids of the projects: beside the one of the region a second, so that a client which takes the first or a
/// likely one is caught.
pub(crate) fn all_projects(config: &Config) -> [(String, String); 2] {
    [
        (
            format!("{}_team", config.region),
            "b52f1bd4a7c14e6f8a0d9f3e5c7b6a18".into(),
        ),
        (config.region.clone(), config.project_id.clone()),
    ]
}

/// `ListAvailableZones`.
pub(crate) fn zones(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let region = &context.config.region;
    let zones: Vec<Value> = ZONES
        .iter()
        .map(|zone| {
            json!({
                "soldOut": zone.sold_out,
                "id": zone.id,
                "code": format!("{region}{}", zone.letter),
                "name": zone.name(),
                "port": "8003",
                "resource_availability": (!zone.sold_out).to_string(),
                "default_az": zone.letter == 'a',
                // As the example prints it: beyond a signed 64-bit integer.
                "remain_time": 9_223_372_036_854_776_000_u64,
                "ipv6_enable": zone.ipv6,
            })
        })
        .collect();
    Ok(Reply::ok(json!({"region_id": region, "available_zones": zones})))
}

/// IAM's `KeystoneListProjects`, 8.4; the `name` filter is not in the reference.
pub(crate) fn projects(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let wanted = context.query.text("name");
    let projects: Vec<Value> = all_projects(context.config)
        .iter()
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted == name))
        .map(|(name, id)| {
            json!({
                "domain_id": DOMAIN_ID,
                "is_domain": false,
                "parent_id": DOMAIN_ID,
                "name": name,
                "description": "",
                "links": {"next": null, "previous": null, "self": format!("https://www.example.com/v3/projects/{id}")},
                "id": id,
                "enabled": true,
            })
        })
        .collect();
    let links = json!({"next": null, "previous": null, "self": "https://www.example.com/v3/projects"});
    Ok(Reply::ok(json!({"projects": projects, "links": links})))
}
