//! What an instance shows of itself, in the words of the spec.

use crate::api::kafka_instance::{Endpoint, MaintenanceWindow, ObservedKafkaInstance, ObservedMaintenanceWindow};
use crate::cloud::{InstanceStatus, kafka};

pub(super) fn brokers(found: &kafka::Instance) -> Option<u32> {
    found.broker_num.or(found.node_num)
}

/// An empty description is left out of answers, and so may any other be: one that was shown before is known to be empty.
pub(super) fn description(found: &kafka::Instance, before: Option<&ObservedKafkaInstance>) -> Option<String> {
    let shown_before = before.is_some_and(|before| before.description.is_some());
    found.description.clone().or_else(|| shown_before.then(String::new))
}

pub(super) fn window(found: &kafka::Instance) -> Option<ObservedMaintenanceWindow> {
    let (begin, end) = (found.maintain_begin.clone()?, found.maintain_end.clone()?);
    Some(normal(&MaintenanceWindow { begin, end }))
}

/// `HH:mm:ss`, whatever was written.
pub(super) fn normal(window: &MaintenanceWindow) -> ObservedMaintenanceWindow {
    let full = |time: &str| match time.matches(':').count() {
        0 => format!("{time}:00:00"),
        1 => format!("{time}:00"),
        _ => time.to_owned(),
    };
    ObservedMaintenanceWindow {
        begin: full(&window.begin),
        end: full(&window.end),
    }
}

pub(super) fn observe(found: &kafka::Instance) -> ObservedKafkaInstance {
    ObservedKafkaInstance {
        name: found.name.clone(),
        description: found.description.clone(),
        engine_version: found.engine_version.clone(),
        product_id: found.product_id.clone(),
        broker_num: brokers(found),
        storage_space: found.total_storage_space.and_then(|total| u32::try_from(total).ok()),
        storage_spec_code: found.storage_spec_code.clone(),
        available_zones: found.available_zones.iter().flatten().cloned().collect(),
        vpc_id: found.vpc_id.clone(),
        subnet_id: found.subnet_id.clone(),
        security_group_id: found.security_group_id.clone(),
        ipv6_enable: found.ipv6_enable,
        retention_policy: found.retention_policy.clone(),
        maintenance_window: window(found),
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

pub(super) fn summary(found: &kafka::Instance) -> String {
    let state = found.status.as_ref().map_or("state unknown", InstanceStatus::as_str);
    let brokers = brokers(found).map(|n| {
        if n == 1 {
            ", 1 broker".to_owned()
        } else {
            format!(", {n} brokers")
        }
    });
    let storage = found.total_storage_space.map(|gb| format!(", {gb} GB"));
    format!("{state}{}{}", brokers.unwrap_or_default(), storage.unwrap_or_default())
}
