//! What can be bought here: flavours (5.4.2, 5.12.3), zones (5.12.2), and the projects that IAM shows (8.4).

use serde_json::{Value, json};

use super::codes::ApiError;
use super::gateway::{Context, Reply};

/// A flavour, with its limits per broker or for the instance.
pub(crate) struct Flavour {
    pub(crate) id: &'static str,
    /// Partitions a broker.
    pub(crate) partitions: i64,
    /// Upper bound of the total storage, GB. 5.1.1 and 5.12.3 disagree; the call's own table wins.
    pub(crate) storage: i64,
}

/// The flavours in rising order.
pub(crate) const FLAVOURS: [Flavour; 5] = [
    Flavour {
        id: "c6.2u4g.cluster",
        partitions: 250,
        storage: 300_000,
    },
    Flavour {
        id: "c6.4u8g.cluster",
        partitions: 500,
        storage: 600_000,
    },
    Flavour {
        id: "c6.8u16g.cluster",
        partitions: 1000,
        storage: 1_500_000,
    },
    Flavour {
        id: "c6.12u24g.cluster",
        partitions: 1500,
        storage: 1_500_000,
    },
    Flavour {
        id: "c6.16u32g.cluster",
        partitions: 2000,
        storage: 1_500_000,
    },
];

/// An availability zone; its code is the region's name with `letter`.
pub(crate) struct Zone {
    pub(crate) id: &'static str,
    letter: char,
    pub(crate) sold_out: bool,
    pub(crate) ipv6: bool,
}

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
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        FLAVOURS.iter().find(|flavour| flavour.id == id)
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

/// `ListAvailableZones`, 5.12.2.
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
    let region = context.config.region.as_str();
    // A second project of the region, so that a client which takes the first or a likely one is caught.
    let team = format!("{region}_team");
    let all = [
        (team.as_str(), "b52f1bd4a7c14e6f8a0d9f3e5c7b6a18"),
        (region, context.config.project_id.as_str()),
    ];
    let wanted = context.query.text("name");
    let projects: Vec<Value> = all
        .iter()
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name))
        .map(|(name, id)| {
            json!({
                "domain_id": "65382450e8f64ac0870cd180d14e684b",
                "is_domain": false,
                "parent_id": "65382450e8f64ac0870cd180d14e684b",
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
