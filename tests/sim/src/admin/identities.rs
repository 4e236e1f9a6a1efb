//! Control requests about who there is: users, agencies, identity providers, tokens.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use super::{field, from_json, known_project, known_user};
use crate::{AgencySpec, IdTokenSpec, ProviderSpec, Sim, Trust, UserSpec};

/// `None`: not about identities.
pub(super) fn answer(sim: &Sim, method: &Method, segments: &[&str], body: &Bytes) -> Result<Option<Value>, String> {
    let value = match (method.as_str(), segments) {
        ("POST", ["accounts"]) => json!({"id": sim.add_account(&field(body, "name")?)}),
        ("POST", ["users"]) => {
            let spec: UserSpec = from_json(body)?;
            known_place(sim, &spec.account, &spec.projects)?;
            json!({"id": sim.create_user(&spec)})
        }
        ("POST", ["users", user, what]) => {
            known_user(sim, user)?;
            change_user(sim, user, what, body)?;
            json!({})
        }
        ("GET", ["users", user, "passcode"]) => {
            known_user(sim, user)?;
            let passcode = sim.passcode_if_any(user);
            json!({"passcode": passcode.ok_or_else(|| format!("{user} has no TOTP secret"))?})
        }
        ("POST", ["agencies"]) => {
            let spec: AgencySpec = from_json(body)?;
            known_place(sim, &spec.account, &spec.projects)?;
            if let Trust::Account(name) = &spec.trust {
                known_place(sim, name, &[])?;
            }
            json!({"id": sim.add_agency(&spec), "urn": sim.agency_urn(&spec.name)})
        }
        ("POST", ["agencies", agency, "refused"]) => {
            known_agency(sim, agency)?;
            sim.set_agency_refused(agency, boolean(body, "refused")?);
            json!({})
        }
        ("POST", ["identity-providers"]) => {
            let spec: ProviderSpec = from_json(body)?;
            known_place(sim, &spec.account, &spec.projects)?;
            sim.add_identity_provider(&spec);
            json!({"urn": sim.provider_urn(&spec.name)})
        }
        ("POST", ["id-tokens"]) => json!({"id_token": sim.id_token(&from_json::<IdTokenSpec>(body)?)}),
        ("POST", ["tokens"]) => {
            let (user, project) = (field(body, "user")?, field(body, "project").ok());
            known_user(sim, &user)?;
            project.iter().try_for_each(|project| known_project(sim, project))?;
            json!({"token": sim.token(&user, project.as_deref())})
        }
        ("DELETE", ["tokens"]) => {
            sim.revoke_all_tokens();
            json!({})
        }
        ("DELETE", ["temporary-access-keys"]) => {
            sim.expire_temporary_access_keys();
            json!({})
        }
        ("POST", [place @ ("ecs-agency" | "pod-agency")]) => {
            let agency = field(body, "agency").ok();
            agency.iter().try_for_each(|agency| known_agency(sim, agency))?;
            match *place {
                "ecs-agency" => sim.set_ecs_agency(agency.as_deref()),
                _ => sim.set_pod_agency(agency.as_deref()),
            }
            json!({})
        }
        ("GET", ["pod-token"]) => json!({"token": sim.pod_authorization_token()}),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn change_user(sim: &Sim, user: &str, what: &str, body: &Bytes) -> Result<(), String> {
    match what {
        "password" => sim.set_password(user, &field(body, "password")?),
        "totp" => sim.set_totp(user, field(body, "secret").ok().as_deref()),
        "enabled" => sim.set_enabled(user, boolean(body, "enabled")?),
        _ => return Err(format!("unknown request for user {user}")),
    }
    Ok(())
}

/// Specs that name what does not exist would end the program.
fn known_place(sim: &Sim, account: &str, projects: &[String]) -> Result<(), String> {
    if !sim.has_account(account) {
        return Err(format!("unknown account {account}"));
    }
    projects.iter().try_for_each(|project| known_project(sim, project))
}

fn known_agency(sim: &Sim, name_or_id: &str) -> Result<(), String> {
    let found = sim.has_agency(name_or_id);
    found
        .then_some(())
        .ok_or_else(|| format!("unknown agency {name_or_id}"))
}

fn boolean(body: &Bytes, name: &str) -> Result<bool, String> {
    let sent: Value = from_json(body)?;
    sent[name].as_bool().ok_or_else(|| format!("no `{name}`"))
}
