//! Where a variable came from. kubectl hands its own environment on, and adds `exec.env` of the kubeconfig, which may be anybody's: what
//! decides where a secret or a file's content goes is not taken from there.
//!
//! Only Linux shows the environment of the program that runs us; elsewhere nothing can be told, and nothing is refused.

use crate::env_vars as names;
use crate::host::Env;
use crate::identity::found::AuthMethod;
use crate::identity::id_token::IdTokenSource;
use crate::identity::{Identity, IdentityError, IdentityOrigin, SourceName};

/// Refuses a variable that the program that runs us does not have, where it would decide where this identity's secret goes.
pub(in crate::identity) fn check(identity: &Identity, env: &Env) -> Result<(), IdentityError> {
    let Some(Exposed { what, secret, deciding }) = exposed(identity, env) else {
        return Ok(());
    };
    // A secret that is from elsewhere too is not ours to guard.
    if secret.iter().any(|name| is_foreign(env, name)) {
        return Ok(());
    }
    match deciding.into_iter().find(|name| is_foreign(env, name)) {
        None => Ok(()),
        Some(variable) => Err(IdentityError::ForeignVariable { variable, what }),
    }
}

/// Whether the program that runs us does not have this variable as we do. `false` where that cannot be told.
pub(crate) fn is_foreign(env: &Env, name: &str) -> bool {
    let under_kubectl = env.var_os(names::KUBERNETES_EXEC_INFO).is_some();
    under_kubectl && env.var_os(name).is_some() && env.is_of_parent(name) == Some(false)
}

/// [`is_foreign`], where the identity itself is not from the same place.
pub(crate) fn is_from_elsewhere(identity: &Identity, env: &Env, name: &str) -> bool {
    let keys = [
        names::SDK_SK,
        names::HW_SECRET_KEY,
        "OS_SECRET_KEY",
        "OS_ACCESS_KEY_SECRET",
        "OS_SK",
    ];
    let is_own = matches!(identity.source, IdentityOrigin::Named(SourceName::Env));
    is_foreign(env, name) && !(is_own && keys.iter().any(|key| is_foreign(env, key)))
}

/// What an identity shows to somebody.
struct Exposed {
    what: &'static str,
    /// The variables that hold it.
    secret: Vec<&'static str>,
    /// The variables that decide what is shown, and to whom.
    deciding: Vec<&'static str>,
}

fn exposed(identity: &Identity, env: &Env) -> Option<Exposed> {
    use SourceName::{Clouds, Env as Environment, SdkFile};
    use names::openstack;
    let openstack_places = || [openstack::AUTH_URL, openstack::CACERT, openstack::REGION].concat();
    let clouds_places = || vec![openstack::CONFIG_FILE, openstack::SECURE_FILE];
    let (what, secret, mut deciding) = match (&identity.source, &identity.found.means) {
        (_, AuthMethod::AccessKey { .. } | AuthMethod::Metadata { .. }) => return None,
        (_, AuthMethod::Pod { .. }) => {
            let places = vec![names::POD_CREDENTIALS_URI, names::POD_TOKEN_FILE];
            ("the pod's token", Vec::new(), places)
        }
        (IdentityOrigin::Named(Environment), AuthMethod::Password { .. }) => {
            ("the password", openstack::PASSWORD.to_vec(), openstack_places())
        }
        (IdentityOrigin::Named(Environment), AuthMethod::Token(_)) => {
            ("the token", openstack::TOKEN.to_vec(), openstack_places())
        }
        (IdentityOrigin::Named(Clouds), AuthMethod::Password { .. }) => ("the password", Vec::new(), clouds_places()),
        // `config.toml` says which program is run, and where one signs in.
        (_, AuthMethod::Command(_) | AuthMethod::Portal { .. }) => {
            ("the sign-in", Vec::new(), config_directory(env).into_iter().collect())
        }
        (_, AuthMethod::Token(_)) => ("the token", Vec::new(), clouds_places()),
        // The keyring's is kept together with where it may go.
        (_, AuthMethod::Password { .. }) => ("the password", Vec::new(), Vec::new()),
        (source, AuthMethod::IdToken { token, .. } | AuthMethod::Sts { token, .. }) => {
            let (secret, mut places) = match token {
                IdTokenSource::Text(_) => (vec![names::OIDC_ID_TOKEN], Vec::new()),
                IdTokenSource::File(_) => (Vec::new(), vec![names::OIDC_TOKEN_FILE, names::SDK_ID_TOKEN_FILE]),
                IdTokenSource::Person { .. } => (Vec::new(), Vec::new()),
                IdTokenSource::Actions { .. } => (
                    vec![names::ACTIONS_ID_TOKEN_REQUEST_TOKEN],
                    vec![names::ACTIONS_ID_TOKEN_REQUEST_URL],
                ),
            };
            places.extend([names::SDK_IAM_ENDPOINT, names::SDK_STS_ENDPOINT]);
            match source {
                IdentityOrigin::Profile(_) => places.extend(config_directory(env)),
                IdentityOrigin::Named(SdkFile) => places.extend([names::SDK_CREDENTIALS_FILE, names::HOME]),
                IdentityOrigin::Named(_) => {}
            }
            ("the id token", secret, places)
        }
    };
    deciding.extend([names::SSL_CERT_FILE, names::SSL_CERT_DIR]);
    Some(Exposed { what, secret, deciding })
}

/// The variable that says where `config.toml` is.
fn config_directory(env: &Env) -> Option<&'static str> {
    [names::CONFIG_DIR, names::XDG_CONFIG_HOME, names::HOME]
        .into_iter()
        .find(|name| env.var_os(name).is_some())
}
