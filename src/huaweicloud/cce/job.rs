//! A job: what CCE does in the background after `rotatecredentials` and the like (`GET …/jobs/{id}`).

use serde_json::Value;

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// The cluster that it is about.
    pub(crate) cluster_id: String,
    /// How far it is.
    pub phase: JobPhase,
    /// Why it failed, in CCE's words.
    pub reason: String,
    /// Its parts that failed, each with its reason.
    pub failed_parts: Vec<String>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobPhase {
    /// Not begun.
    Initializing,
    /// At work.
    Running,
    /// Over, and what was asked for is so.
    Success,
    /// Over, without success.
    Failed,
    /// A phase that we do not know: neither done nor failed.
    Other(String),
}

impl Job {
    /// Reads the answer for one job; `None` without an id or a phase.
    pub fn from_json(json: &Value) -> Option<Self> {
        let text = |json: &Value, pointer: &str| {
            json.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let id = Some(text(json, "/metadata/uid")).filter(|id| !id.is_empty())?;
        let phase = match text(json, "/status/phase").as_str() {
            "" => return None,
            "Initializing" => JobPhase::Initializing,
            "Running" => JobPhase::Running,
            "Success" => JobPhase::Success,
            "Failed" => JobPhase::Failed,
            other => JobPhase::Other(other.to_owned()),
        };
        let parts = json
            .pointer("/spec/subJobs")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let failed_parts = parts
            .filter(|part| text(part, "/status/phase") == "Failed")
            .map(|part| format!("{}: {}", text(part, "/spec/type"), text(part, "/status/reason")))
            .collect();
        Some(Self {
            id,
            cluster_id: text(json, "/spec/clusterUID"),
            phase,
            reason: text(json, "/status/reason"),
            failed_parts,
        })
    }

    /// The id in the answer of the call that starts a job; it is `jobid` there.
    pub fn id_of_started(json: &Value) -> Option<String> {
        ["jobid", "jobID", "job_id"]
            .iter()
            .find_map(|name| json.get(name)?.as_str().map(str::to_owned))
    }
}
