//! One cloud's entry of `clouds.yaml` as openstacksdk puts it together: the vendor's profile below it, the region's values above it, and
//! keys that may stand in `auth:` or beside it.

use super::plain_yaml::{Map, PlainYaml};
use crate::secret::Secret;
use std::rc::Rc;

/// The built-in vendor profiles whose IAM is known to us; openstacksdk has no other one with CCE.
const OTC: &str = "otc";
const OTC_SWISS: &str = "otc-swiss";
/// All the regions that `otc-swiss` has.
const SWISS_REGION: &str = "eu-ch2";
/// These stand beside `auth:` first; any other key stands in it first.
const BESIDE_FIRST: [&str; 11] = [
    "domain_id",
    "domain_name",
    "user_domain_id",
    "user_domain_name",
    "project_domain_id",
    "project_domain_name",
    "project_id",
    "project_name",
    "tenant_id",
    "tenant_name",
    "passcode",
];

/// An entry, put together.
pub(crate) struct Entry {
    config: Map,
    auth: Map,
    /// The region, if the entry leaves no choice or the choice was made.
    pub(crate) region: Option<Secret<String>>,
    /// The vendor's profile by name, if it is not one that says itself where IAM is.
    pub(crate) vendor: Option<String>,
}

/// `auth_url` names something that is not there.
pub(crate) struct Unfilled {
    pub(crate) name: String,
}

impl Entry {
    /// Puts `own` together, `public` being `clouds-public.yaml`. `wanted` is the region that the environment asks for.
    pub(crate) fn new(own: &Map, public: Option<&PlainYaml>, wanted: Option<&str>) -> Self {
        let own = normal(own);
        let profile = profile(&own).map(|name| name.expose().clone()); // a name
        let described = |name: &String| Some(normal(public?.map()?.get("public-clouds")?.map()?.get(name)?.map()?));
        let vendor = profile.as_ref().and_then(described);
        let mut entry = Self {
            config: Map::new(),
            auth: Map::new(),
            region: None,
            vendor: profile.filter(|_| vendor.is_none()),
        };
        let vendor = vendor.unwrap_or_default();
        entry.put(&vendor);
        entry.put(&own);
        let regions = regions(&own).or_else(|| regions(&vendor)).unwrap_or_default();
        entry.choose(&regions, wanted);
        entry
    }

    /// The cloud that the built-in profile of a vendor means, where nothing is written that goes before it.
    pub(crate) fn known_cloud(&self) -> Option<&'static str> {
        let is_known = matches!(self.vendor.as_deref(), Some(OTC | OTC_SWISS));
        (is_known && self.get(&["auth_url"]).is_none()).then_some("otc")
    }

    /// The first of these keys that has a value, with its name.
    pub(crate) fn get(&self, keys: &[&'static str]) -> Option<(Secret<String>, &'static str)> {
        keys.iter().find_map(|key| {
            let places = if BESIDE_FIRST.contains(key) {
                [&self.config, &self.auth]
            } else {
                [&self.auth, &self.config]
            };
            let text = places.into_iter().find_map(|place| place.get(*key)?.text())?;
            Some((text, *key))
        })
    }

    /// `auth_url`, with every `{name}` in it filled.
    pub(crate) fn auth_url(&self) -> Option<Result<Secret<String>, Unfilled>> {
        let (template, _) = self.get(&["auth_url"])?;
        let mut filled = String::new();
        let mut rest = template.expose().as_str(); // a URL
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else {
                break;
            };
            let value = match name {
                "region_name" => self.region.clone(),
                _ => self.config.get(name).and_then(|value| value.text()),
            };
            let Some(value) = value else {
                return Some(Err(Unfilled { name: name.to_owned() }));
            };
            filled.push_str(before);
            filled.push_str(value.expose()); // into a URL
            rest = behind;
        }
        filled.push_str(rest);
        Some(Ok(Secret::new(filled)))
    }

    /// These settings go over what there is; `auth:` key by key.
    fn put(&mut self, settings: &Map) {
        for (key, value) in settings {
            if key != "auth" {
                self.config.insert(key.clone(), Rc::clone(value));
            } else if let Some(auth) = value.map() {
                let normal = normal(auth);
                self.auth.extend(normal);
            }
        }
    }

    /// The region that is asked for, else the first one, with its values.
    fn choose(&mut self, regions: &[Region], wanted: Option<&str>) {
        let named = |name: &str| regions.iter().find(|region| region.name == name);
        let chosen = wanted.and_then(named).or_else(|| regions.first());
        let Some(chosen) = chosen.cloned() else {
            let swiss = (self.vendor.as_deref() == Some(OTC_SWISS)).then_some(SWISS_REGION);
            self.region = wanted.or(swiss).map(|name| Secret::new(name.to_owned()));
            return;
        };
        let is_choice = regions.len() > 1 && wanted != Some(&*chosen.name);
        let values = chosen
            .values
            .iter()
            .filter(|(_, value)| !matches!(***value, PlainYaml::Null));
        let values = values.map(|(key, value)| (key.clone(), Rc::clone(value))).collect();
        self.put(&values);
        self.region = Some(Secret::new(chosen.name)).filter(|_| !is_choice || self.is_region_needed());
    }

    /// The address has the region in it: then it is the first one's, as openstacksdk has it.
    fn is_region_needed(&self) -> bool {
        let url = self.get(&["auth_url"]);
        url.is_some_and(|(url, _)| url.expose().contains("{region_name}")) // a URL
    }
}

/// A vendor's profile is named, which may be one of `clouds-public.yaml`.
pub(crate) fn has_profile(own: &Map) -> bool {
    profile(own).is_some()
}

fn profile(own: &Map) -> Option<Secret<String>> {
    ["profile", "cloud"].iter().find_map(|key| own.get(*key)?.text())
}

/// One of an entry's regions.
#[derive(Clone)]
struct Region {
    name: String,
    values: Map,
}

/// `regions:`, each a name or `{name, values}`; else `region_name`, which may be several.
fn regions(settings: &Map) -> Option<Vec<Region>> {
    let name = |text: Secret<String>| text.expose().clone(); // a region's name
    let of = |node: &Rc<PlainYaml>| match &**node {
        PlainYaml::Map(map) => Some(Region {
            name: map.get("name")?.text().map(name)?,
            values: map
                .get("values")
                .and_then(|values| values.map())
                .map(normal)
                .unwrap_or_default(),
        }),
        other => Some(Region {
            name: other.text().map(name)?,
            values: Map::new(),
        }),
    };
    if let Some(PlainYaml::List(items)) = settings.get("regions").map(|regions| &**regions) {
        return Some(items.iter().filter_map(of).collect());
    }
    match &**settings.get("region_name")? {
        PlainYaml::List(items) => Some(items.iter().filter_map(of).collect()),
        other => {
            let names = name(other.text()?);
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            let region = |name: &str| Region {
                name: name.to_owned(),
                values: Map::new(),
            };
            Some(names.map(region).collect())
        }
    }
}

/// `-` in a key means `_`.
fn normal(map: &Map) -> Map {
    map.iter()
        .map(|(key, value)| (key.replace('-', "_"), Rc::clone(value)))
        .collect()
}
