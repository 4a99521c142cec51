use serde_json::{Value, json};

use super::{Judge, object, spec, with_status};

const PROVIDER: &str = "ProviderConfig";

fn provider() -> Value {
    let credentials = json!({"type": "AccessKey", "secretRef": {"name": "huawei"}});
    object(
        PROVIDER,
        "default",
        &json!({"region": "eu-west-101", "credentials": credentials}),
    )
}

pub fn a_provider_config_is_let_in_or_refused(judge: &mut Judge<'_>) {
    let endpoint = |dms: &str| spec(json!({"endpoints": {"dms": dms}}));
    let rate = |limit: Value| spec(json!({"rateLimit": limit}));
    let resync = |text: &str| spec(json!({"resyncInterval": text}));
    let cases = [
        (json!({}), None),
        (spec(json!({"region": null})), Some("region")),
        (spec(json!({"region": "EU WEST"})), Some("/spec/region")),
        (spec(json!({"projectId": "0c1f"})), None),
        (spec(json!({"projectName": "eu-west-101_team-a"})), None),
        (
            spec(json!({"projectId": "0c1f", "projectName": "a"})),
            Some("at most one of projectId and projectName"),
        ),
        (spec(json!({"credentials": {"type": "Password"}})), None),
        (
            spec(json!({"credentials": {"type": "Token"}})),
            Some("/spec/credentials/type"),
        ),
        (spec(json!({"credentials": {"secretRef": null}})), Some("secretRef")),
        (
            spec(json!({"credentials": {"secretRef": {"name": ""}}})),
            Some("/spec/credentials/secretRef/name"),
        ),
        (endpoint("https://dms.eu-west-101.myhuaweicloud.eu"), None),
        (endpoint("http://127.0.0.1:8080"), None),
        (endpoint("http://localhost:8080"), None),
        (endpoint("http://[::1]:8080"), None),
        (
            endpoint("http://dms.eu-west-101.myhuaweicloud.eu"),
            Some("/spec/endpoints/dms"),
        ),
        (endpoint("http://localhost.evil.example"), Some("/spec/endpoints/dms")),
        (
            endpoint("dms.eu-west-101.myhuaweicloud.eu"),
            Some("/spec/endpoints/dms"),
        ),
        (resync("1m"), None),
        (resync("1440m"), None),
        (resync("24h"), None),
        (resync("0m"), Some("/spec/resyncInterval")),
        (resync("1441m"), Some("/spec/resyncInterval")),
        (resync("25h"), Some("/spec/resyncInterval")),
        (resync("30s"), Some("/spec/resyncInterval")),
        (rate(json!({"requests": 200, "period": "5m"})), None),
        (rate(json!({"requests": 5, "period": "1s", "burst": 1})), None),
        (rate(json!({"requests": 200})), Some("period")),
        (
            rate(json!({"requests": 0, "period": "1s"})),
            Some("/spec/rateLimit/requests"),
        ),
        (
            rate(json!({"requests": 5, "period": "0s"})),
            Some("/spec/rateLimit/period"),
        ),
        (
            rate(json!({"requests": 5, "period": "1d"})),
            Some("/spec/rateLimit/period"),
        ),
        (
            rate(json!({"requests": 5, "period": "1s", "burst": 0})),
            Some("/spec/rateLimit/burst"),
        ),
        (spec(json!({"rateLimits": {}})), Some("rateLimits")),
    ];
    judge(PROVIDER, &provider(), &cases, false);
}

pub fn region_and_project_stay_once_the_project_is_found(judge: &mut Judge<'_>) {
    let elsewhere = spec(json!({"region": "eu-west-102"}));
    judge(
        PROVIDER,
        &provider(),
        &[(elsewhere.clone(), None), (spec(json!({"projectId": "ffff"})), None)],
        true,
    );

    let cases = [
        (elsewhere, Some("cannot change")),
        (spec(json!({"projectId": "0c1f"})), None),
        (spec(json!({"projectId": "ffff"})), Some("cannot change")),
        (
            spec(json!({"projectName": "eu-west-101_team-a"})),
            Some("cannot change"),
        ),
        (
            spec(json!({"resyncInterval": "5m", "credentials": {"secretRef": {"name": "other"}}})),
            None,
        ),
    ];
    judge(
        PROVIDER,
        &with_status(provider(), json!({"projectId": "0c1f"})),
        &cases,
        true,
    );

    let mut named = with_status(provider(), json!({"projectId": "0c1f"}));
    named["spec"]["projectName"] = json!("eu-west-101_team-a");
    let cases = [
        (
            spec(json!({"projectName": "eu-west-101_team-b"})),
            Some("cannot change"),
        ),
        (spec(json!({"projectName": null})), Some("cannot change")),
        (spec(json!({"projectName": null, "projectId": "0c1f"})), None),
    ];
    judge(PROVIDER, &named, &cases, true);
}
