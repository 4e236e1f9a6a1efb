//! Which endpoints get a signature from kubectl's calls: a signed request can be sent on by whoever gets it, so an argument alone names none.

use crate::env_vars as names;
use crate::host::{Directories, Env};
use crate::huaweicloud::observed;
use crate::identity::home::Home;
use crate::identity::trust::provenance::{is_foreign, is_from_elsewhere};
use crate::identity::{Identity, IdentityError};
use crate::ids::Endpoint;

/// Who can vouch for an endpoint besides the arguments.
pub(crate) struct Witnesses<'a> {
    pub(crate) env: &'a Env,
    /// Where logins note which endpoints they have used.
    pub(crate) directories: &'a Directories,
}

impl Identity {
    /// Refuses an endpoint that is not built in, of the identity's own source, named by this variable too, or used by a login here.
    pub(crate) fn check_vouched(
        &self,
        endpoint: &Endpoint,
        variable: &'static str,
        witnesses: &Witnesses<'_>,
    ) -> Result<(), IdentityError> {
        let is_vouched = is_built_in(endpoint)
            || self.names_itself(endpoint, witnesses.env)
            || self.is_named_by_environment(endpoint, variable, witnesses.env)
            || is_used_here(endpoint, witnesses);
        if is_vouched {
            return Ok(());
        }
        Err(IdentityError::NotVouched {
            endpoint: endpoint.clone(),
            variable,
        })
    }

    /// The source of the identity, or its profile, names the endpoint or its cloud.
    fn names_itself(&self, endpoint: &Endpoint, env: &Env) -> bool {
        const PLACES: [&str; 7] = [
            names::HW_CLOUD,
            names::HW_AUTH_URL,
            names::SDK_IAM_ENDPOINT,
            names::SDK_STS_ENDPOINT,
            names::openstack::CONFIG_FILE,
            names::openstack::SECURE_FILE,
            "OS_AUTH_URL",
        ];
        if PLACES.iter().any(|name| is_from_elsewhere(self, env, name)) {
            return false;
        }
        let settings = &self.found.settings;
        let own = [&settings.cce_endpoint, &settings.iam_endpoint];
        let is_own = |url: &Option<String>| {
            let own = url.as_deref().and_then(|url| Endpoint::parse(url).ok());
            own.is_some_and(|own| own.is_same_as(endpoint))
        };
        own.into_iter().any(is_own) || Home::of(settings).is_some_and(|home| home.has_host(endpoint.host()))
    }

    fn is_named_by_environment(&self, endpoint: &Endpoint, variable: &str, env: &Env) -> bool {
        let named = |name: &str| env.var(name).filter(|_| !is_from_elsewhere(self, env, name));
        let is_named = named(variable).and_then(|url| Endpoint::parse(&url).ok());
        let cloud = named(names::CLOUD).and_then(|text| crate::huaweicloud::cloud::Cloud::parse(&text).ok());
        is_named.is_some_and(|named| named.is_same_as(endpoint))
            || cloud.is_some_and(|cloud| cloud.has_host(endpoint.host()))
    }
}

/// One of the services of the clouds that are known without being named.
pub(crate) fn is_built_in(endpoint: &Endpoint) -> bool {
    let is_usual = endpoint.as_str().starts_with("https://") && endpoint.host_and_port().1 == 443;
    is_usual && Home::of_host(endpoint.host()).is_some()
}

/// A login on this machine has used it; somebody else's notes do not count.
fn is_used_here(endpoint: &Endpoint, witnesses: &Witnesses<'_>) -> bool {
    let places = [names::STATE_DIR, names::XDG_STATE_HOME, names::HOME];
    let place = places.into_iter().find(|name| witnesses.env.var_os(name).is_some());
    place.is_none_or(|name| !is_foreign(witnesses.env, name))
        && observed::was_used_by_login(witnesses.directories, endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_usual_port_of_a_known_service_is_built_in() {
        let is = |url: &str| is_built_in(&Endpoint::parse(url).unwrap());
        assert!(is("https://cce.eu-de.otc.t-systems.com") && is("https://iam.cn-north-4.myhuaweicloud.com"));
        assert!(!is("https://cce.eu-de.otc.t-systems.com:8443"));
        assert!(!is("https://cce.example") && !is("https://127.0.0.1"));
    }
}
