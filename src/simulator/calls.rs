//! The record of calls.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

/// How many calls are kept one by one; older ones only count.
const KEPT: usize = 100_000;

/// One call to the APIs; recorded when it arrives, completed when it is answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// When it arrived.
    pub time: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// The operation's name in the vendor's SDK; `Unknown` for what is not served.
    pub operation: String,
    /// Names in the body, of an instance, topics, groups, a quota's user or client; and what the path names after the
    /// instance.
    pub names: Vec<String>,
    /// The HTTP status of the answer; absent while there is none, and for a lost one.
    pub status: Option<u16>,
    /// The answer's `error_code`.
    pub code: Option<String>,
    /// The answer's `X-Request-Id`.
    pub request_id: String,
    /// Whether the connection broke instead of an answer.
    pub lost: bool,
}

/// What one operation had to bear.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    /// Its calls.
    pub calls: usize,
    /// What they named, together: items of batches count one by one.
    pub names: usize,
    /// How many of them are not answered yet.
    pub under_way: usize,
    /// The most that were under way at once.
    pub most_at_once: usize,
    /// Answers by HTTP status, with the `error_code` of a refusal: `200`, `429 APIGW.0308`; `lost` for a broken connection.
    pub answers: BTreeMap<String, usize>,
    /// When the first one arrived.
    pub first: Option<Timestamp>,
    /// When the last one was answered.
    pub last: Option<Timestamp>,
}

/// The calls so far.
#[derive(Default)]
pub(crate) struct Log {
    latest: VecDeque<Call>,
    /// How many came before those.
    forgotten: usize,
    load: BTreeMap<String, Load>,
}

impl Log {
    /// Records a call that arrives; its number completes it.
    pub(crate) fn arrive(&mut self, call: Call) -> usize {
        let load = self.load.entry(call.operation.clone()).or_default();
        load.calls += 1;
        load.names += call.names.len();
        load.under_way += 1;
        load.most_at_once = load.most_at_once.max(load.under_way);
        load.first.get_or_insert(call.time);
        if self.latest.len() == KEPT {
            self.latest.pop_front();
            self.forgotten += 1;
        }
        self.latest.push_back(call);
        self.forgotten + self.latest.len() - 1
    }

    /// The answer to a call: `status` unless it was lost.
    pub(crate) fn answer(
        &mut self,
        number: usize,
        operation: &str,
        now: Timestamp,
        status: Option<u16>,
        code: Option<String>,
    ) {
        if let Some(load) = self.load.get_mut(operation) {
            let answer = match (status, &code) {
                (None, _) => "lost".to_owned(),
                (Some(status), None) => status.to_string(),
                (Some(status), Some(code)) => format!("{status} {code}"),
            };
            *load.answers.entry(answer).or_default() += 1;
            load.under_way = load.under_way.saturating_sub(1);
            load.last = Some(now);
        }
        let call = number.checked_sub(self.forgotten);
        if let Some(call) = call.and_then(|at| self.latest.get_mut(at)) {
            (call.status, call.code, call.lost) = (status, code, status.is_none());
        }
    }

    /// The latest calls, in order of arrival.
    pub(crate) fn latest(&self) -> Vec<Call> {
        self.latest.iter().cloned().collect()
    }

    /// All calls by operation.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let counts = self
            .load
            .iter()
            .map(|(operation, load)| (operation.clone(), load.calls));
        counts.collect()
    }

    pub(crate) fn load(&self) -> &BTreeMap<String, Load> {
        &self.load
    }

    /// Forgets the calls so far.
    pub(crate) fn forget(&mut self) {
        self.forgotten += self.latest.len();
        self.latest.clear();
        self.load.clear();
    }
}
