//! Faults a test orders: what goes wrong, at which operation, how often.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The request waits, then is answered as usual.
    Latency(#[serde(with = "milliseconds")] Duration),
    /// This answer instead of the usual one; nothing else happens.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body, as it is.
        #[serde(default)]
        body: String,
        /// Headers; `application/json` unless they name a content type.
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// 429 with `APIGW.0308`.
    Throttle {
        /// The `Retry-After` header, as it is.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The usual answer with its full `Content-Length`, cut after so many bytes of the body.
    Truncate {
        /// Bytes that arrive.
        at: usize,
    },
    /// 200 with `application/json` and this body; nothing else happens.
    Malformed(String),
    /// 200 with an HTML page, as a captive portal or proxy does.
    Html,
    /// The connection is reset before anything happens.
    ResetBeforeAnswer,
    /// The request is acted upon, then the connection is reset.
    ResetAfterActing,
    /// No answer, ever.
    Hang,
    /// 302 to this URL.
    Redirect(String),
}

/// The faults ordered, per operation.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    by_operation: HashMap<String, VecDeque<Ordered>>,
}

#[derive(Debug)]
struct Ordered {
    fault: Fault,
    times: Option<u32>,
}

impl Faults {
    /// Adds a fault behind those ordered before for the same operation.
    pub(crate) fn add(&mut self, operation: &str, fault: Fault, times: Option<u32>) {
        if times == Some(0) {
            return;
        }
        let queue = self.by_operation.entry(operation.to_owned()).or_default();
        queue.push_back(Ordered { fault, times });
    }

    pub(crate) fn clear(&mut self, operation: &str) {
        self.by_operation.remove(operation);
    }

    pub(crate) fn clear_all(&mut self) {
        self.by_operation.clear();
    }

    /// The fault for this request, used up by one: the operation's own first, then that for `*`.
    pub(crate) fn take(&mut self, operation: &str) -> Option<Fault> {
        self.take_exact(operation).or_else(|| self.take_exact("*"))
    }

    fn take_exact(&mut self, operation: &str) -> Option<Fault> {
        let queue = self.by_operation.get_mut(operation)?;
        let first = queue.front_mut()?;
        let fault = first.fault.clone();
        if let Some(times) = &mut first.times {
            *times -= 1;
            if *times == 0 {
                queue.pop_front();
            }
        }
        Some(fault)
    }
}

mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_millis().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_and_are_used_up() {
        let mut faults = Faults::default();
        faults.add("*", Fault::Html, None);
        faults.add("clustercert", Fault::Hang, Some(2));
        faults.add("clustercert", Fault::ResetBeforeAnswer, Some(1));
        let taken: Vec<_> = (0..4).map(|_| faults.take("clustercert").unwrap()).collect();
        assert_eq!(taken, [Fault::Hang, Fault::Hang, Fault::ResetBeforeAnswer, Fault::Html]);
    }
}
