//! The rows of the report: a cluster each, or a place that could not be asked.

use crate::discovery::search::{LocatedCluster, Location, SearchFailure};
use crate::host::Host;
use crate::huaweicloud::cce::cluster::Access;
use crate::output::natural_order::natural_order;
use crate::output::{self, Format};
use crate::sanitize::{line, sanitize};
use serde::Serialize;
use std::cmp::Ordering;

/// A row; what is not known is `null`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterRow {
    region: Option<String>,
    project: Option<String>,
    project_id: Option<String>,
    name: Option<String>,
    /// The name that can be changed, where it is another one.
    alias: Option<String>,
    id: Option<String>,
    category: Option<String>,
    version: Option<String>,
    phase: Option<String>,
    endpoints: EndpointColumn,
    error: Option<String>,
    /// What `--cluster` takes for this cluster alone.
    #[serde(skip)]
    own_name: Option<String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointColumn {
    internal: Option<String>,
    external: Option<String>,
}

impl EndpointColumn {
    /// From where the cluster can be reached.
    fn access(&self) -> &'static str {
        match (&self.internal, &self.external) {
            (Some(_), Some(_)) => "both",
            (Some(_), None) => "internal",
            (None, Some(_)) => "external",
            (None, None) => "-",
        }
    }
}

impl ClusterRow {
    pub(super) fn of_cluster(located: &LocatedCluster, own_name: String) -> Self {
        let LocatedCluster { location, cluster } = located;
        let Location { region, project } = location;
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let endpoint = |access| cluster.endpoints_for(access).next().map(ToString::to_string);
        Self {
            region: Some(region.to_string()),
            project: Some(project.name.clone()),
            project_id: Some(project.id.to_string()),
            name: Some(cluster.name.clone()),
            alias: cluster.alias.clone().filter(|alias| *alias != cluster.name),
            id: Some(cluster.id.to_string()),
            category: known(&cluster.category),
            version: known(&cluster.version),
            phase: known(&cluster.phase),
            endpoints: EndpointColumn {
                internal: endpoint(Access::Internal),
                external: endpoint(Access::External),
            },
            error: None,
            own_name: Some(own_name),
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

    /// By region, project and name, as people count.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let key =
            |row: &Self| [&row.region, &row.project, &row.name, &row.id].map(|cell| cell.clone().unwrap_or_default());
        let (ours, theirs) = (key(self), key(other));
        let pairs = ours.iter().zip(&theirs);
        pairs.fold(Ordering::Equal, |order, (a, b)| order.then_with(|| natural_order(a, b)))
    }

    fn cells(&self, columns: &[&str]) -> Vec<String> {
        let cell = |column: &&str| {
            let cell = match *column {
                "NAME" => &self.name,
                "PROJECT" => &self.project,
                "CATEGORY" => &self.category,
                "VERSION" => &self.version,
                "PHASE" => &self.phase,
                "REGION" => &self.region,
                "ALIAS" => &self.alias,
                "ID" => &self.id,
                "INTERNAL" => &self.endpoints.internal,
                "EXTERNAL" => &self.endpoints.external,
                _access => return self.endpoints.access().to_owned(),
            };
            cell.as_deref().map_or("-".to_owned(), sanitize)
        };
        columns.iter().map(cell).collect()
    }
}

/// The columns for a terminal that nobody has made wider.
const NARROW: &[&str] = &["NAME", "PROJECT", "CATEGORY", "VERSION", "PHASE", "ACCESS"];
/// All of them.
const WIDE: &[&str] = &[
    "NAME", "PROJECT", "REGION", "ALIAS", "ID", "CATEGORY", "VERSION", "PHASE", "INTERNAL", "EXTERNAL",
];

/// The rows in this form.
pub(super) fn render(rows: &[ClusterRow], format: Format) -> String {
    match format {
        Format::Json => output::json(&rows),
        Format::Yaml => output::yaml(&rows),
        Format::Name => rows
            .iter()
            .filter_map(|row| Some(line(row.own_name.as_ref()?) + "\n"))
            .collect(),
        Format::Table => output::narrow_table(&cells(rows, NARROW), &["CATEGORY", "ACCESS", "VERSION"]),
        Format::Wide => output::table(&cells(rows, WIDE)),
    }
}

/// The clusters, with the head; what failed is told below, where a sentence has room.
fn cells(rows: &[ClusterRow], columns: &[&str]) -> Vec<Vec<String>> {
    let listed = rows.iter().filter(|row| row.error.is_none());
    let mut cells: Vec<Vec<String>> = listed.map(|row| row.cells(columns)).collect();
    if !cells.is_empty() {
        cells.insert(0, columns.iter().map(|&column| column.to_owned()).collect());
    }
    cells
}

/// Tells people what this form has no room for; all but the error that the run ends with, which is told then.
pub(super) fn say_what_it_does_not_show(rows: &[ClusterRow], format: Format, end: Option<&str>, host: &Host) {
    if matches!(format, Format::Json | Format::Yaml) {
        return;
    }
    if rows.is_empty() && format != Format::Name {
        host.say("no clusters found");
    }
    let failed = rows.iter().filter_map(|row| Some((row, row.error.as_ref()?)));
    for (row, error) in failed.filter(|(_, error)| Some(error.as_str()) != end) {
        let place = row.project.as_ref().or(row.region.as_ref());
        let place = place.map_or(String::new(), |place| format!("{}: ", sanitize(place)));
        host.say(&format!("warning: {place}{error}"));
    }
}
