//! What `profile set` keeps of a profile that is there: everything that no flag says otherwise. Only the secret is asked for anew.

use crate::cli::ProfileSetArgs;
use crate::config::{Profile, ProfileKind};
use crate::sanitize::shell_word;
use crate::words::Word as _;

/// The flags as they were typed, completed by the profile that is there; and which these are, with their values, for people.
pub(crate) fn with_kept(typed: &ProfileSetArgs, kept: &Profile) -> (ProfileSetArgs, Vec<String>) {
    let mut args = typed.clone();
    if args.kind.is_none() && args.access_key_id.is_none() {
        args.kind = Some(kept.kind.clone());
    }
    let mut told = Vec::new();
    let kind = args.kind.as_deref().unwrap_or(ProfileKind::AccessKey.as_str());
    if kind == kept.kind {
        keep_identity(&mut args, kept, &mut told);
    }
    keep_place(&mut args, kept, &mut told);
    if args.secret_store.is_none() {
        args.secret_store.clone_from(&kept.secret_store);
    }
    (args, told)
}

/// Who it is; of two flags that say the same, only what was typed.
fn keep_identity(args: &mut ProfileSetArgs, kept: &Profile, told: &mut Vec<String>) {
    if args.user_id.is_none() && args.username.is_none() {
        keep("username", &mut args.username, kept.username.as_ref(), told);
        keep("user-id", &mut args.user_id, kept.user_id.as_ref(), told);
    }
    let pairs = [
        ("access-key-id", &mut args.access_key_id, &kept.access_key_id),
        ("domain", &mut args.domain, &kept.domain),
        ("agency", &mut args.agency, &kept.agency),
        ("base-profile", &mut args.base_profile, &kept.base_profile),
        ("idp", &mut args.idp, &kept.idp),
        ("id-token-file", &mut args.id_token_file, &kept.id_token_file),
        ("start-url", &mut args.start_url, &kept.start_url),
        ("sso-region", &mut args.sso_region, &kept.sso_region),
        ("account", &mut args.account, &kept.account),
        ("permission-set", &mut args.permission_set, &kept.permission_set),
        ("sso-endpoint", &mut args.sso_endpoint, &kept.sso_endpoint),
        ("portal-endpoint", &mut args.portal_endpoint, &kept.portal_endpoint),
        ("issuer", &mut args.issuer, &kept.issuer),
        ("client-id", &mut args.client_id, &kept.client_id),
        ("sign-in", &mut args.sign_in, &kept.sign_in),
        ("redirect-url", &mut args.redirect_url, &kept.redirect_url),
        ("issuer-ca-file", &mut args.issuer_ca_file, &kept.issuer_ca_file),
        ("browser", &mut args.browser, &kept.browser),
    ];
    for (flag, typed, kept) in pairs {
        keep(flag, typed, kept.as_ref(), told);
    }
    for (flag, typed, kept) in [
        ("scope", &mut args.scope, &kept.scope),
        ("auth-param", &mut args.auth_param, &kept.auth_param),
    ] {
        if let (true, Some(kept)) = (typed.is_empty(), kept) {
            typed.clone_from(kept);
            told.extend(kept.iter().map(|value| format!("--{flag} {}", shell_word(value))));
        }
    }
    if let (true, Some(kept)) = (args.command.is_empty(), &kept.command) {
        args.command.clone_from(kept);
        told.push(format!(
            "-- {}",
            kept.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
        ));
    }
    if !args.totp && kept.totp == Some(true) {
        args.totp = true;
        told.push("--totp".to_owned());
    }
}

/// Where it is. Another cloud or region has other endpoints and projects.
fn keep_place(args: &mut ProfileSetArgs, kept: &Profile, told: &mut Vec<String>) {
    let is_other = |typed: Option<&String>, kept: Option<&String>| typed.is_some() && typed != kept;
    let is_other_cloud = is_other(args.cloud.cloud.as_ref(), kept.cloud.as_ref());
    let is_other_region = is_other(args.region.as_ref(), kept.region.as_ref());
    keep("proxy", &mut args.proxy, kept.proxy.as_ref(), told);
    if is_other_cloud {
        return;
    }
    keep("cloud", &mut args.cloud.cloud, kept.cloud.as_ref(), told);
    keep("ca-file", &mut args.cloud.ca_file, kept.ca_file.as_ref(), told);
    if is_other_region {
        return;
    }
    keep("region", &mut args.region, kept.region.as_ref(), told);
    keep("project", &mut args.project, kept.project.as_ref(), told);
    keep(
        "cce-endpoint",
        &mut args.cloud.cce_endpoint,
        kept.cce_endpoint.as_ref(),
        told,
    );
    keep(
        "iam-endpoint",
        &mut args.cloud.iam_endpoint,
        kept.iam_endpoint.as_ref(),
        told,
    );
}

fn keep(flag: &str, typed: &mut Option<String>, kept: Option<&String>, told: &mut Vec<String>) {
    if let (None, Some(kept)) = (&typed, kept) {
        told.push(format!("--{flag} {}", shell_word(kept)));
        *typed = Some(kept.clone());
    }
}
