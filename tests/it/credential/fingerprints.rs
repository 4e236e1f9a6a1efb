//! What tells one identity from another, offline: two that differ never share a certificate, and one that gets new keys keeps its own.

use cce_login::host::{Directories, Env};
use cce_login::identity::{Identity, Pin};
use std::collections::BTreeSet;
use std::fs;

const AUTH: &str = "OS_AUTH_URL=https://iam.eu-de.otc.t-systems.com/v3";
const OTHER_AUTH: &str = "OS_AUTH_URL=https://iam.eu-nl.otc.t-systems.com/v3";

/// The fingerprint with these variables, and with these files in the home directory.
fn fingerprint(variables: &[&str], files: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let home_text = home.path().to_str().unwrap().to_owned();
    let pairs = variables.iter().map(|line| line.split_once('=').unwrap());
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.replace('~', &home_text)));
    let env = Env::given(pairs.chain([("HOME".to_owned(), home_text.clone())]));
    let env = env.with_tokens_below(home.path().to_owned());
    let identity = Identity::locate(&Pin::Any, &env, &Directories::of(&env)).unwrap();
    identity.fingerprint().replace(&home_text, "~")
}

fn jwt(subject: &str) -> String {
    use base64::Engine as _;
    let encode = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let nonce = cce_login::host::random_u64();
    format!(
        "e30.{}.x",
        encode(format!("{{\"sub\":\"{subject}\",\"jti\":\"{nonce}\"}}"))
    )
}

#[test]
fn different_identities_have_different_fingerprints() {
    let id_token = [("token", jwt("jane").leak() as &str)];
    let other_subject = [("token", jwt("john").leak() as &str)];
    let federated = &["HUAWEICLOUD_SDK_IDP_ID=idp", "HUAWEICLOUD_SDK_ID_TOKEN_FILE=~/token"][..];
    let agency = |name| {
        [
            "HUAWEICLOUD_SDK_AK=AKONE",
            "HUAWEICLOUD_SDK_SK=s",
            name,
            "HW_ASSUME_ROLE_DOMAIN_NAME=acme",
        ]
    };
    let all = [
        fingerprint(&["HUAWEICLOUD_SDK_AK=AKONE", "HUAWEICLOUD_SDK_SK=s"], &[]),
        fingerprint(&["HUAWEICLOUD_SDK_AK=AKTWO", "HUAWEICLOUD_SDK_SK=s"], &[]),
        fingerprint(&agency("HW_ASSUME_ROLE_AGENCY_NAME=a"), &[]),
        fingerprint(&agency("HW_ASSUME_ROLE_AGENCY_NAME=b"), &[]),
        fingerprint(
            &[
                &agency("HW_ASSUME_ROLE_AGENCY_NAME=b")[..3],
                &["HW_ASSUME_ROLE_DOMAIN_NAME=other"],
            ]
            .concat(),
            &[],
        ),
        fingerprint(
            &[AUTH, "OS_USERNAME=jane", "OS_PASSWORD=p", "OS_USER_DOMAIN_NAME=acme"],
            &[],
        ),
        fingerprint(
            &[AUTH, "OS_USERNAME=john", "OS_PASSWORD=p", "OS_USER_DOMAIN_NAME=acme"],
            &[],
        ),
        fingerprint(
            &[AUTH, "OS_USERNAME=jane", "OS_PASSWORD=p", "OS_USER_DOMAIN_NAME=other"],
            &[],
        ),
        fingerprint(
            &[
                OTHER_AUTH,
                "OS_USERNAME=jane",
                "OS_PASSWORD=p",
                "OS_USER_DOMAIN_NAME=acme",
            ],
            &[],
        ),
        fingerprint(&[AUTH, "OS_TOKEN=one"], &[]),
        fingerprint(&[AUTH, "OS_TOKEN=two"], &[]),
        fingerprint(federated, &id_token),
        fingerprint(federated, &other_subject),
        fingerprint(&["HUAWEICLOUD_SDK_IDP_ID=other", federated[1]], &id_token),
        fingerprint(
            &[
                "HUAWEICLOUD_OIDC_PROVIDER_URN=iam::1:oidcProvider:p",
                "HUAWEICLOUD_OIDC_AGENCY_URN=iam::1:agency:a",
                "HUAWEICLOUD_OIDC_TOKEN_FILE=~/token",
            ],
            &id_token,
        ),
        fingerprint(
            &[
                "HC_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/x",
                "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE=~/token",
            ],
            &id_token,
        ),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:#?}");
}

#[test]
fn a_temporary_key_that_was_swapped_in_its_file_is_another_identity() {
    let sdk = |id: &str| format!("[basic]\nak = {id}\nsk = s\nsecurity_token = t\n");
    let hcloud = |id: &str| {
        format!(
            "{{\"current\":\"w\",\"profiles\":[{{\"name\":\"w\",\"mode\":\"SSO\",\"ssoAuth\":{{\"stsToken\":{{\"accessKeyId\":\"{id}\",\"secretAccessKey\":\"s\",\"securityToken\":\"t\"}}}}}}]}}"
        )
    };
    let clouds = |id: &str| format!("clouds:\n  mine:\n    auth: {{ak: {id}, sk: s, security_token: t}}\n");
    let check = |name: &str, text: &dyn Fn(&str) -> String| {
        let with = |id: &str| fingerprint(&["OS_CLOUD=mine"], &[(name, &text(id))]);
        assert_eq!(with("STONE"), with("STONE"), "{name}");
        assert_ne!(with("STONE"), with("STTWO"), "{name}");
    };
    check(".huaweicloud/credentials", &sdk);
    check(".hcloud/config.json", &hcloud);
    check(".config/openstack/clouds.yaml", &clouds);
}

#[test]
fn a_new_id_token_password_or_passcode_is_still_the_same_identity() {
    let federated = ["HUAWEICLOUD_SDK_IDP_ID=idp", "HUAWEICLOUD_SDK_ID_TOKEN_FILE=~/token"];
    let with = || fingerprint(&federated, &[("token", &jwt("jane"))]);
    assert_eq!(with(), with());
    let with = |password: &str, passcode: &str| {
        fingerprint(
            &[
                AUTH,
                "OS_USER_ID=u",
                &format!("OS_PASSWORD={password}"),
                &format!("OS_PASSCODE={passcode}"),
            ],
            &[],
        )
    };
    assert_eq!(with("p", "123456"), with("q", "654321"));
}

#[test]
fn the_id_counts_and_not_the_name_beside_it() {
    let with = |id: &str, name: &str| {
        fingerprint(
            &[
                AUTH,
                &format!("OS_USER_ID={id}"),
                &format!("OS_USERNAME={name}"),
                "OS_PASSWORD=p",
            ],
            &[],
        )
    };
    assert_ne!(with("one", "jane"), with("two", "jane"));
    assert_eq!(with("one", "jane"), with("one", "renamed"));
    // An account's name may look like another one's id, and a name like an id.
    let of_account = |variable: &str| fingerprint(&[AUTH, "OS_USERNAME=jane", "OS_PASSWORD=p", variable], &[]);
    assert_ne!(of_account("OS_USER_DOMAIN_ID=x"), of_account("OS_USER_DOMAIN_NAME=x"));
    assert_ne!(with("jane", ""), of_account("OS_USER_DOMAIN_NAME=x"));
}

#[test]
fn parts_do_not_run_into_each_other() {
    let with = |account: &str, name: &str| {
        fingerprint(
            &[
                AUTH,
                &format!("OS_USERNAME={name}"),
                &format!("OS_USER_DOMAIN_NAME={account}"),
                "OS_PASSWORD=p",
            ],
            &[],
        )
    };
    assert_ne!(with("a|b", "c"), with("a", "b|c"));
    let agency = |account: &str, name: &str| {
        fingerprint(
            &[
                "HUAWEICLOUD_SDK_AK=AKONE",
                "HUAWEICLOUD_SDK_SK=s",
                &format!("HW_ASSUME_ROLE_AGENCY_NAME={name}"),
                &format!("HW_ASSUME_ROLE_DOMAIN_ID={account}"),
            ],
            &[],
        )
    };
    assert_ne!(agency("a", "1:b"), agency("a1:b", ""));
}

#[test]
fn jobs_of_one_name_are_not_one_identity() {
    let with = |token: &str| {
        fingerprint(
            &[
                "HUAWEICLOUD_SDK_IDP_ID=idp",
                "ACTIONS_ID_TOKEN_REQUEST_URL=https://127.0.0.1/x",
                &format!("ACTIONS_ID_TOKEN_REQUEST_TOKEN={token}"),
                "GITHUB_REPOSITORY=acme/shop",
                "GITHUB_REF=refs/heads/main",
                "GITHUB_JOB=deploy",
            ],
            &[],
        )
    };
    // The environment or the workflow differs, which only the tokens tell.
    assert_ne!(with("one"), with("two"));
    assert_eq!(with("one"), with("one"));
}

#[test]
fn id_tokens_that_do_not_say_whom_they_are_about_are_not_shared() {
    let federated = ["HUAWEICLOUD_SDK_IDP_ID=idp", "HUAWEICLOUD_SDK_ID_TOKEN_FILE=~/token"];
    let with = |token: &str| fingerprint(&federated, &[("token", token)]);
    assert_ne!(with("opaque-of-jane"), with("opaque-of-john"));
    assert_ne!(with(&jwt("")), with(&jwt("")));
}

#[test]
fn the_same_access_key_is_the_same_identity_wherever_it_comes_from() {
    let env = fingerprint(&["HUAWEICLOUD_SDK_AK=AKONE", "HUAWEICLOUD_SDK_SK=s"], &[]);
    assert_eq!(fingerprint(&["HW_ACCESS_KEY=AKONE", "HW_SECRET_KEY=s"], &[]), env);
    assert_eq!(fingerprint(&["OS_AK=AKONE", "OS_SK=s"], &[]), env);
    assert_eq!(
        fingerprint(&[], &[(".huaweicloud/credentials", "[basic]\nak=AKONE\nsk=s\n")]),
        env
    );
    let config = "[profiles.default]\nkind = \"access-key\"\naccess_key_id = \"AKONE\"\n";
    assert_eq!(fingerprint(&[], &[(".config/cce-login/config.toml", config)]), env);
}
