//! Where a password, a token or an id token may go: to the hosts of its own cloud, or to an address that came from the same place.

use cce_login::host::{Directories, Env};
use cce_login::identity::{Addressee, Identity, Pin};
use cce_login::ids::{Endpoint, ProfileName, Region};

const PASSWORD: &[(&str, &str)] = &[
    ("OS_USERNAME", "jane"),
    ("OS_PASSWORD", "pw"),
    ("OS_USER_DOMAIN_NAME", "acme"),
];

fn of_variables(variables: &[(&str, &str)]) -> Identity {
    let home = tempfile::tempdir().unwrap();
    let all = variables
        .iter()
        .copied()
        .chain([("HOME", home.path().to_str().unwrap())]);
    let env = Env::given(all);
    Identity::locate(&Pin::Any, &env, &Directories::of(&env)).unwrap()
}

fn of_profile(text: &str) -> Identity {
    let home = tempfile::tempdir().unwrap();
    let env = Env::given([("HOME", home.path()), ("CCE_LOGIN_CONFIG_DIR", home.path())]);
    std::fs::write(
        home.path().join("config.toml"),
        format!("[profiles.p]\nkind = \"password\"\nuser_id = \"u\"\n{text}"),
    )
    .unwrap();
    Identity::locate(
        &Pin::Profile(ProfileName::parse("p").unwrap()),
        &env,
        &Directories::of(&env),
    )
    .unwrap()
}

/// What may go to this IAM and this CCE, by the two addresses.
#[track_caller]
fn goes(identity: &Identity, region: &str, iam: &str, cce: &str) -> (bool, bool) {
    let region = Region::parse(region).unwrap();
    let endpoint = |url: &str| Endpoint::parse(url).unwrap();
    let to = |endpoint| Addressee {
        endpoint,
        region: &region,
        ca_file: None,
    };
    (
        identity.check_iam(&to(&endpoint(iam))).is_ok(),
        identity.trusts_cce(&to(&endpoint(cce))),
    )
}

const EU_DE: (&str, &str) = (
    "https://iam.eu-de.otc.t-systems.com",
    "https://cce.eu-de.otc.t-systems.com",
);
const CN: (&str, &str) = (
    "https://iam.cn-north-4.myhuaweicloud.com",
    "https://cce.cn-north-4.myhuaweicloud.com",
);

#[test]
fn without_a_word_about_the_cloud_it_goes_nowhere() {
    let jane = of_variables(PASSWORD);
    for (region, (iam, cce)) in [("eu-de", EU_DE), ("cn-north-4", CN), ("eu-de", CN)] {
        assert_eq!(goes(&jane, region, iam, cce), (false, false));
    }
    // A region that is nobody's, or that is not known, is no word about it.
    for region in ["zz-nowhere-1", "eu-de_team"] {
        let own: Vec<_> = PASSWORD.iter().copied().chain([("OS_REGION_NAME", region)]).collect();
        assert_eq!(goes(&of_variables(&own), "cn-north-4", CN.0, CN.1), (false, false));
    }
}

#[test]
fn the_region_that_goes_with_it_says_the_cloud() {
    let own: Vec<_> = PASSWORD.iter().copied().chain([("OS_REGION_NAME", "eu-de")]).collect();
    let jane = of_variables(&own);
    assert_eq!(goes(&jane, "eu-de", EU_DE.0, EU_DE.1), (true, true));
    assert_eq!(goes(&jane, "cn-north-4", CN.0, CN.1), (false, false));
    // The Swiss part is a cloud of its own, and so is Huawei Cloud's European site.
    let swiss = (
        "https://iam-pub.eu-ch2.sc.otc.t-systems.com",
        "https://cce.eu-ch2.sc.otc.t-systems.com",
    );
    assert_eq!(goes(&jane, "eu-ch2", swiss.0, swiss.1), (false, false));
    let own: Vec<_> = PASSWORD
        .iter()
        .copied()
        .chain([("OS_REGION_NAME", "cn-north-4")])
        .collect();
    let european = (
        "https://iam.eu-west-101.myhuaweicloud.eu",
        "https://cce.eu-west-101.myhuaweicloud.eu",
    );
    let li = of_variables(&own);
    assert_eq!(goes(&li, "eu-west-101", european.0, european.1), (false, false));
    assert_eq!(
        goes(
            &li,
            "cn-east-3",
            "https://iam.cn-east-3.myhuaweicloud.com",
            "https://cce.cn-east-3.myhuaweicloud.com"
        ),
        (true, true)
    );
    for (iam, cce) in [
        (
            "https://iam.eu-de.otc.t-systems.com.evil.example",
            "https://cce.eu-de.otc.t-systems.com.evil.example",
        ),
        (
            "https://iam.eu-de.otc.t-systems.com:8443",
            "https://cce.eu-de.otc.t-systems.com:8443",
        ),
        ("https://evil.example", "https://evil.example"),
        ("https://127.0.0.1", "http://127.0.0.1"),
    ] {
        assert_eq!(goes(&jane, "eu-de", iam, cce), (false, false), "{iam}");
    }
    assert_eq!(
        goes(&jane, "eu-de", "https://IAM.eu-de.otc.t-systems.com:443/v3", EU_DE.1),
        (true, true)
    );
}

#[test]
fn a_password_of_one_cloud_does_not_go_to_another() {
    for own in [
        "cloud = \"otc\"\n",
        "region = \"eu-de\"\n",
        "iam_endpoint = \"https://iam.eu-de.otc.t-systems.com\"\n",
    ] {
        let jane = of_profile(own);
        assert_eq!(goes(&jane, "cn-north-4", CN.0, CN.1), (false, false), "{own}");
        assert_eq!(goes(&jane, "eu-de", EU_DE.0, EU_DE.1), (true, true), "{own}");
    }
    let jane = of_profile("cloud = \"cloud.example.com\"\n");
    assert_eq!(goes(&jane, "eu-de", EU_DE.0, EU_DE.1), (false, false));
    let own = (
        "https://iam-apigateway-proxy.cloud.example.com",
        "https://cce.eu-de.cloud.example.com",
    );
    assert_eq!(goes(&jane, "eu-de", own.0, own.1), (true, true));
}

#[test]
fn an_address_of_its_own_is_the_only_one() {
    let own = [("OS_AUTH_URL", "https://iam.acme.example:5000/v3/")];
    let all: Vec<_> = PASSWORD.iter().chain(&own).copied().collect();
    let jane = of_variables(&all);
    // Whose IAM is elsewhere has no business with the well-known CCE.
    assert_eq!(
        goes(&jane, "eu-de", "https://iam.acme.example:5000", EU_DE.1),
        (true, false)
    );
    assert_eq!(
        goes(&jane, "eu-de", EU_DE.0, "https://iam.acme.example:5000"),
        (false, false)
    );

    let both = of_profile("iam_endpoint = \"https://iam.acme.example\"\ncce_endpoint = \"https://cce.acme.example\"\n");
    assert_eq!(
        goes(&both, "eu-de", "https://iam.acme.example", "https://cce.acme.example"),
        (true, true)
    );
    assert_eq!(goes(&both, "eu-de", "https://iam.acme.example", EU_DE.1), (true, false));
}

#[test]
fn an_access_key_may_sign_for_anybody_because_its_secret_stays_here() {
    let key = of_variables(&[
        ("HUAWEICLOUD_SDK_AK", "AKAKAKAKAKAKAKAKAKAK"),
        ("HUAWEICLOUD_SDK_SK", "secret"),
    ]);
    assert!(goes(&key, "eu-de", "https://iam.example.com", "https://cce.example.com").0);
}

/// The variables and the file of Huawei Cloud's SDKs know no other cloud.
#[test]
fn an_id_token_of_the_sdks_variables_goes_to_huawei_cloud_alone() {
    let token = tempfile::NamedTempFile::new().unwrap();
    let job = of_variables(&[
        ("HUAWEICLOUD_SDK_IDP_ID", "company"),
        ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", token.path().to_str().unwrap()),
    ]);
    assert_eq!(goes(&job, "cn-north-4", CN.0, CN.1), (true, true));
    assert_eq!(goes(&job, "eu-de", EU_DE.0, EU_DE.1), (false, false));
    assert_eq!(goes(&job, "cn-north-4", EU_DE.0, EU_DE.1), (false, false));
}
