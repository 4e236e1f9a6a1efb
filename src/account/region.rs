//! The region of a new identity, asked for at a terminal where nothing else says whom to ask.

use crate::error::Result;
use crate::huaweicloud::cloud::Cloud;
use crate::ids::Region;
use crate::output;
use crate::session::Session;

/// One of the regions of all clouds that are known.
pub(crate) fn ask(session: &Session<'_>) -> Result<Region> {
    let mut regions: Vec<Region> = Cloud::known_regions().collect();
    let cells = regions.iter().map(|region| {
        let cloud = Cloud::of_region(region).name().to_owned();
        vec![region.to_string(), cloud, Cloud::place_of(region).to_owned()]
    });
    let rows = output::table_rows(&cells.collect::<Vec<_>>());
    let at = session.host.pick("Region", &rows)?;
    Ok(regions.swap_remove(at.min(rows.len().saturating_sub(1))))
}
