//! The certificate that somebody else keeps (`--cache-from`): no identity is needed for it.

use crate::cache::entry::CacheEntry;
use crate::cache::freshness::Schedule;
use crate::cache::handed_over::{self, HandedOverError};
use crate::credential::whose;
use crate::error::Result;
use crate::host::{Host, Input};
use crate::plan::GetCredentialPlan;
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use std::path::Path;

/// Reads it and checks all of it, and says when the client is to ask again.
pub(super) fn read(plan: &GetCredentialPlan, host: &Host) -> Result<(CacheEntry, DateTime<Utc>)> {
    let directory = plan.certificate.cache_from.as_deref().unwrap_or(Path::new("."));
    let path = handed_over::file(directory, &plan.cluster_id);
    let now = host.clock.now();
    let entry = match host.env.read_file(&path, Input::Certificates) {
        Ok(text) => handed_over::from_text(&Secret::new(text), &path, &plan.cluster_id, now)?,
        Err(source) => return Err(HandedOverError::Unreadable { path, source }.into()),
    };
    whose::check_handed_over(plan.principal.as_ref(), &entry.cert.common_name)?;
    let ask_again = Schedule::of(&entry, &host.clock).ask_again(now);
    Ok((entry, ask_again))
}
