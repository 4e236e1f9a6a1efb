//! The rows of the report: a cluster each, or a place that could not be asked.

use crate::discovery::search::{LocatedCluster, Location, SearchFailure};
use crate::host::Host;
use crate::huaweicloud::cce::cluster::Access;
use crate::output::{self, Format};
use crate::sanitize::{line, sanitize};
use serde::Serialize;

/// A row; what is not known is `null`. The order of the fields is that of the rows.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterRow {
    region: Option<String>,
    project: Option<String>,
    project_id: Option<String>,
    name: Option<String>,
    id: Option<String>,
    category: Option<String>,
    version: Option<String>,
    phase: Option<String>,
    endpoints: EndpointColumn,
    error: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointColumn {
    internal: Option<String>,
    external: Option<String>,
}

impl ClusterRow {
    pub(super) fn of_cluster(located: &LocatedCluster) -> Self {
        let LocatedCluster { location, cluster } = located;
        let Location { region, project } = location;
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let endpoint = |access| cluster.endpoints_for(access).next().map(ToString::to_string);
        Self {
            region: Some(region.to_string()),
            project: Some(project.name.clone()),
            project_id: Some(project.id.to_string()),
            name: Some(cluster.name.clone()),
            id: Some(cluster.id.to_string()),
            category: known(&cluster.category),
            version: known(&cluster.version),
            phase: known(&cluster.phase),
            endpoints: EndpointColumn {
                internal: endpoint(Access::Internal),
                external: endpoint(Access::External),
            },
            error: None,
        }
    }

    pub(super) fn of_failure(failure: &SearchFailure) -> Self {
        let project = failure.project.as_ref();
        Self {
            region: failure.region.as_ref().map(ToString::to_string),
            project: project.map(|project| project.name.clone()),
            project_id: project.map(|project| project.id.to_string()),
            error: Some(failure.error.cause()),
            ..Self::default()
        }
    }

    fn cells(&self) -> Vec<String> {
        let cells = [
            &self.region,
            &self.project,
            &self.name,
            &self.id,
            &self.category,
            &self.version,
            &self.phase,
            &self.endpoints.internal,
            &self.endpoints.external,
        ];
        let shown = |cell: &Option<String>| cell.as_deref().map_or("-".to_owned(), sanitize);
        cells.into_iter().map(shown).chain(self.error.clone()).collect()
    }
}

/// The rows in this form.
pub(super) fn render(rows: &[ClusterRow], format: Format) -> String {
    match format {
        Format::Json => output::json(&rows),
        Format::Yaml => output::yaml(&rows),
        Format::Name => rows
            .iter()
            .filter_map(|row| Some(line(row.name.as_ref()?) + "\n"))
            .collect(),
        Format::Table => {
            let mut head = vec![
                "REGION", "PROJECT", "NAME", "ID", "CATEGORY", "VERSION", "PHASE", "INTERNAL", "EXTERNAL",
            ];
            head.extend(rows.iter().any(|row| row.error.is_some()).then_some("ERROR"));
            let head = head.into_iter().map(str::to_owned).collect();
            output::table(
                &std::iter::once(head)
                    .chain(rows.iter().map(ClusterRow::cells))
                    .collect::<Vec<_>>(),
            )
        }
    }
}

/// Tells people what this form has no room for.
pub(super) fn say_what_it_does_not_show(rows: &[ClusterRow], format: Format, host: &Host) {
    if rows.is_empty() && format == Format::Table {
        host.say("no clusters found");
    }
    for row in rows.iter().filter(|_| format == Format::Name) {
        if let Some(error) = &row.error {
            let place = row.project.as_ref().or(row.region.as_ref());
            let place = place.map_or(String::new(), |place| format!("{}: ", sanitize(place)));
            host.say(&format!("warning: {place}{error}"));
        }
    }
}
