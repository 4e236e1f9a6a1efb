//! Every environment variable we read, each documented once.

/// Names the profile to use, like `--profile`.
pub const PROFILE: &str = "CCE_LOGIN_PROFILE";
/// Pins the identity source, like `--identity`.
pub const IDENTITY: &str = "CCE_LOGIN_IDENTITY";
/// The region, like `--region`.
pub const REGION: &str = "CCE_LOGIN_REGION";
/// The project's name or id, like `--project`.
pub const PROJECT: &str = "CCE_LOGIN_PROJECT";
/// The cluster's name or id, like `--cluster`.
pub const CLUSTER: &str = "CCE_LOGIN_CLUSTER";
/// `huawei`, `otc` or a domain, like `--cloud`.
pub const CLOUD: &str = "CCE_LOGIN_CLOUD";
/// The certificate's lifetime, like `--duration`.
pub const DURATION: &str = "CCE_LOGIN_DURATION";
/// Where certificates are kept, like `--cache`.
pub const CACHE: &str = "CCE_LOGIN_CACHE";
/// The bound on the whole run, like `--timeout`.
pub const TIMEOUT: &str = "CCE_LOGIN_TIMEOUT";
/// Never ask, like `--no-input`; any value but blank, `0` and `false` counts.
pub const NO_INPUT: &str = "CCE_LOGIN_NO_INPUT";
/// CCE's base URL, like `--cce-endpoint`.
pub const CCE_ENDPOINT: &str = "CCE_LOGIN_CCE_ENDPOINT";
/// IAM's base URL, like `--iam-endpoint`.
pub const IAM_ENDPOINT: &str = "CCE_LOGIN_IAM_ENDPOINT";
/// Roots for the cloud endpoints, like `--ca-file`.
pub const CA_FILE: &str = "CCE_LOGIN_CA_FILE";
/// A file that log lines are appended to, in place of stderr.
pub const LOG: &str = "CCE_LOGIN_LOG";
/// Replaces the directory of `config.toml`.
pub const CONFIG_DIR: &str = "CCE_LOGIN_CONFIG_DIR";
/// Replaces the directory of the non-secret state.
pub const STATE_DIR: &str = "CCE_LOGIN_STATE_DIR";
/// Replaces the directory of `--cache file`.
pub const CACHE_DIR: &str = "CCE_LOGIN_CACHE_DIR";

/// Access key id, as the Huawei Cloud SDKs read it.
pub const SDK_AK: &str = "HUAWEICLOUD_SDK_AK";
/// Secret access key, as the Huawei Cloud SDKs read it.
pub const SDK_SK: &str = "HUAWEICLOUD_SDK_SK";
/// Security token of a temporary access key, as the Huawei Cloud SDKs read it.
pub const SDK_SECURITY_TOKEN: &str = "HUAWEICLOUD_SDK_SECURITY_TOKEN";
/// Project id, as the Huawei Cloud SDKs read it.
pub const SDK_PROJECT_ID: &str = "HUAWEICLOUD_SDK_PROJECT_ID";

/// What client-go tells an exec plugin: an `ExecCredential` object as JSON.
pub const KUBERNETES_EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";
/// The kubeconfig list.
pub const KUBECONFIG: &str = "KUBECONFIG";
/// Roots for the cloud endpoints when no `--ca-file` is given (OpenSSL's name).
pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// Set in every pod: one of the signs of a container.
pub const KUBERNETES_SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";
/// Set by podman, systemd-nspawn and others: one of the signs of a container.
pub const CONTAINER: &str = "container";
/// The session bus of the Secret Service.
pub const DBUS_SESSION_BUS_ADDRESS: &str = "DBUS_SESSION_BUS_ADDRESS";
/// The user's private runtime directory.
pub const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// The directory of users' settings.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The directory of users' state.
pub const XDG_STATE_HOME: &str = "XDG_STATE_HOME";
/// The directory of users' caches.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// Where programs are looked up.
pub const PATH: &str = "PATH";
/// The proxies for https, http and any scheme, and the hosts that need none; lower case is read too.
pub const PROXIES: [&str; 4] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];
