//! What an instance shows of itself, in the words of the spec.

use crate::api::kafka_instance::Endpoint;
use crate::api::{ObservedInstance, ObservedMaintenanceWindow};
use crate::cloud::kafka;

/// `HH:mm:ss`, whatever was written.
pub(super) fn normal(begin: &str, end: &str) -> ObservedMaintenanceWindow {
    let full = |time: &str| match time.matches(':').count() {
        0 => format!("{time}:00:00"),
        1 => format!("{time}:00"),
        _ => time.to_owned(),
    };
    ObservedMaintenanceWindow {
        begin: full(begin),
        end: full(end),
    }
}

/// An empty description is left out of answers, and so may any other be: one that was shown before is known to be empty.
pub(super) fn observe(found: &kafka::Instance, before: Option<&ObservedInstance>) -> ObservedInstance {
    let shown_before = before.is_some_and(|before| before.description.is_some());
    let window = found.maintain_begin.as_ref().zip(found.maintain_end.as_ref());
    ObservedInstance {
        name: found.name.clone(),
        description: found.description.clone().or_else(|| shown_before.then(String::new)),
        engine_version: found.engine_version.clone(),
        product_id: found.product_id.clone(),
        broker_num: found.broker_num.or(found.node_num),
        storage_space: found.total_storage_space.and_then(|total| u32::try_from(total).ok()),
        storage_spec_code: found.storage_spec_code.clone(),
        available_zones: found.available_zones.iter().flatten().cloned().collect(),
        vpc_id: found.vpc_id.clone(),
        subnet_id: found.subnet_id.clone(),
        security_group_id: found.security_group_id.clone(),
        ipv6_enable: found.ipv6_enable,
        maintenance_window: window.map(|(begin, end)| normal(begin, end)),
        enterprise_project_id: found.enterprise_project_id.clone(),
        extend_times: found.extend_times,
        create_time: found.created_at.map(|t| t.to_string()),
    }
}

pub(super) fn endpoints(found: &kafka::Instance) -> Vec<Endpoint> {
    let Some(ports) = &found.port_protocols else {
        return vec![];
    };
    let modes = [
        (
            "PrivatePlaintext",
            "PLAINTEXT",
            ports.private_plain_enable,
            &ports.private_plain_address,
        ),
        (
            "PrivateSasl",
            "SASL_SSL",
            ports.private_sasl_ssl_enable,
            &ports.private_sasl_ssl_address,
        ),
        (
            "PrivateSasl",
            "SASL_PLAINTEXT",
            ports.private_sasl_plaintext_enable,
            &ports.private_sasl_plaintext_address,
        ),
        (
            "PublicPlaintext",
            "PLAINTEXT",
            ports.public_plain_enable,
            &ports.public_plain_address,
        ),
        (
            "PublicSasl",
            "SASL_SSL",
            ports.public_sasl_ssl_enable,
            &ports.public_sasl_ssl_address,
        ),
        (
            "PublicSasl",
            "SASL_PLAINTEXT",
            ports.public_sasl_plaintext_enable,
            &ports.public_sasl_plaintext_address,
        ),
    ];
    let mut endpoints: Vec<Endpoint> = vec![];
    for (name, protocol, enabled, address) in modes {
        let Some(servers) = address.as_ref().filter(|a| enabled == Some(true) && !a.is_empty()) else {
            continue;
        };
        if !endpoints.iter().any(|e| e.name == name) {
            endpoints.push(Endpoint {
                name: name.into(),
                protocol: protocol.into(),
                bootstrap_servers: servers.clone(),
            });
        }
    }
    endpoints
}
