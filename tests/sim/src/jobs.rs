//! `GET …/jobs/{id}`: a rotation that makes one step per poll.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    behaviour::JobOutcome,
    clock,
    cluster::Cluster,
    errors, pki,
    world::{World, lock},
};

/// A rotation under way.
pub(crate) struct Job {
    id: String,
    cluster: Arc<Cluster>,
    created: DateTime<Utc>,
    missing_polls: u32,
    initializing_polls: u32,
    running_polls: u32,
    outcome: JobOutcome,
    /// Done at the first poll that does not answer `Initializing`, like a job that works between two polls.
    renews_ca: bool,
}

/// Returns the job's id. How it goes is decided now, by the behaviour of this moment.
pub(crate) fn start_rotation(world: &World, cluster: &Arc<Cluster>, renews_ca: bool) -> String {
    let behaviour = world.behaviour();
    let id = pki::random_uuid();
    lock(&world.jobs).push(Job {
        id: id.clone(),
        cluster: Arc::clone(cluster),
        created: world.now(),
        missing_polls: behaviour.job_missing_polls,
        initializing_polls: behaviour.job_initializing_polls,
        running_polls: behaviour.job_running_polls,
        outcome: behaviour.job_outcome,
        renews_ca,
    });
    id
}

pub(crate) fn poll(world: &World, project_id: &str, id: &str) -> Result<Answer, Answer> {
    let now = world.now();
    let mut jobs = lock(&world.jobs);
    let job = jobs
        .iter_mut()
        .find(|job| job.id == id && job.cluster.project_id == project_id);
    let not_found = || errors::cce_not_found(&format!("Job {id} not found"));
    let job = job.ok_or_else(not_found)?;
    if job.missing_polls > 0 {
        job.missing_polls -= 1;
        return Err(not_found());
    }
    if job.initializing_polls > 0 {
        job.initializing_polls -= 1;
        return Ok(job.answer("Initializing", "", now));
    }
    if std::mem::take(&mut job.renews_ca) && job.outcome == JobOutcome::Success {
        job.cluster.rotate(now);
    }
    if job.running_polls > 0 {
        job.running_polls -= 1;
        return Ok(job.answer("Running", "", now));
    }
    match &job.outcome {
        JobOutcome::Success => Ok(job.answer("Success", "", now)),
        JobOutcome::Failed(reason) => Ok(job.answer("Failed", reason, now)),
        JobOutcome::Vanished => Err(not_found()),
    }
}

impl Job {
    fn answer(&self, phase: &str, reason: &str, now: DateTime<Utc>) -> Answer {
        let steps = [
            ("RotateMasterCredentials", "control-plane"),
            ("RotateNodeCredentials", "node-1"),
        ];
        let steps: Vec<_> = steps
            .iter()
            .map(|(kind, resource)| {
                let fails = phase == "Failed" && *kind == "RotateNodeCredentials";
                let (phase, reason) = match phase {
                    "Failed" if !fails => ("Success", ""),
                    _ => (phase, reason),
                };
                self.to_json(kind, resource, phase, reason, &[], now)
            })
            .collect();
        let name = &self.cluster.spec.name;
        Answer::json(
            200,
            &self.to_json("RotateCredentials", name, phase, reason, &steps, now),
        )
    }

    fn to_json(
        &self,
        kind: &str,
        resource: &str,
        phase: &str,
        reason: &str,
        steps: &[Value],
        now: DateTime<Utc>,
    ) -> Value {
        json!({
            "kind": "Job",
            "apiVersion": "v3",
            "metadata": {
                "uid": self.id,
                "creationTimestamp": clock::go_time(self.created),
                "updateTimestamp": clock::go_time(now),
            },
            "spec": {
                "type": kind,
                "clusterUID": self.cluster.uid,
                "resourceID": self.cluster.uid,
                "resourceName": resource,
                "extendParam": {},
                "subJobs": steps,
            },
            "status": {"phase": phase, "reason": reason},
        })
    }
}
