//! Every environment variable we read, each documented once.

/// Names the profile to use, like `--profile`.
pub(crate) const PROFILE: &str = "CCE_LOGIN_PROFILE";
/// Pins the identity source, like `--identity`.
pub(crate) const IDENTITY: &str = "CCE_LOGIN_IDENTITY";
/// The region, like `--region`.
pub(crate) const REGION: &str = "CCE_LOGIN_REGION";
/// The project's name or id, like `--project`.
pub(crate) const PROJECT: &str = "CCE_LOGIN_PROJECT";
/// The cluster's name or id, like `--cluster`.
pub(crate) const CLUSTER: &str = "CCE_LOGIN_CLUSTER";
/// `huawei`, `otc` or a domain, like `--cloud`.
pub(crate) const CLOUD: &str = "CCE_LOGIN_CLOUD";
/// The certificate's lifetime, like `--duration`.
pub(crate) const DURATION: &str = "CCE_LOGIN_DURATION";
/// Where certificates are kept, like `--cache`.
pub(crate) const CACHE: &str = "CCE_LOGIN_CACHE";
/// The bound on the whole run, like `--timeout`.
pub(crate) const TIMEOUT: &str = "CCE_LOGIN_TIMEOUT";
/// Never ask, like `--no-input`; any value but blank, `0` and `false` counts.
pub(crate) const NO_INPUT: &str = "CCE_LOGIN_NO_INPUT";
/// CCE's base URL, like `--cce-endpoint`.
pub(crate) const CCE_ENDPOINT: &str = "CCE_LOGIN_CCE_ENDPOINT";
/// IAM's base URL, like `--iam-endpoint`.
pub(crate) const IAM_ENDPOINT: &str = "CCE_LOGIN_IAM_ENDPOINT";
/// Roots for the cloud endpoints, like `--ca-file`.
pub(crate) const CA_FILE: &str = "CCE_LOGIN_CA_FILE";
/// A file that log lines are appended to, in place of stderr.
pub(crate) const LOG: &str = "CCE_LOGIN_LOG";
/// Whether a browser may be opened: `never`, `ask`, `always` (by kubectl too).
pub(crate) const LOGIN_BROWSER: &str = "CCE_LOGIN_BROWSER";
/// Replaces the directory of `config.toml`.
pub(crate) const CONFIG_DIR: &str = "CCE_LOGIN_CONFIG_DIR";
/// Replaces the directory of the non-secret state.
pub(crate) const STATE_DIR: &str = "CCE_LOGIN_STATE_DIR";
/// Replaces the directory of `--cache file`.
pub(crate) const CACHE_DIR: &str = "CCE_LOGIN_CACHE_DIR";

/// The register that many machines share, like `--shared-cache`.
pub(crate) const SHARED_CACHE: &str = "CCE_LOGIN_SHARED_CACHE";
/// A file of 32 bytes or more that shared values are sealed with, where the identity has no secret access key.
pub(crate) const SHARED_KEY_FILE: &str = "CCE_LOGIN_SHARED_KEY_FILE";
/// Vault's address; of each of these lists the first that is set counts, as OpenBao's own client has it.
pub(crate) const VAULT_ADDR: &[&str] = &["BAO_ADDR", "VAULT_ADDR"];
/// PEM roots for Vault.
pub(crate) const VAULT_CACERT: &[&str] = &["BAO_CACERT", "VAULT_CACERT"];
/// Vault's namespace.
pub(crate) const VAULT_NAMESPACE: &[&str] = &["BAO_NAMESPACE", "VAULT_NAMESPACE"];
/// A token of Vault.
pub(crate) const VAULT_TOKEN: &[&str] = &["BAO_TOKEN", "VAULT_TOKEN"];
/// The file in which Vault's agent keeps a token.
pub(crate) const VAULT_TOKEN_FILE: &str = "CCE_LOGIN_VAULT_TOKEN_FILE";
/// The mount of Vault's auth method: `jwt` or, for an AppRole, `approle` where it is not given.
pub(crate) const VAULT_AUTH: &str = "CCE_LOGIN_VAULT_AUTH";
/// The role to sign in at Vault with an id token.
pub(crate) const VAULT_ROLE: &str = "CCE_LOGIN_VAULT_ROLE";
/// An id token for Vault, under the name that GitLab's documentation gives it.
pub(crate) const VAULT_ID_TOKEN: &str = "VAULT_ID_TOKEN";
/// The file of an id token for Vault, such as a projected service account token.
pub(crate) const VAULT_ID_TOKEN_FILE: &str = "CCE_LOGIN_VAULT_ID_TOKEN_FILE";
/// The audience of the id token that a job of GitHub Actions gets for Vault.
pub(crate) const VAULT_AUDIENCE: &str = "CCE_LOGIN_VAULT_AUDIENCE";
/// The file of an AppRole's id.
pub(crate) const VAULT_ROLE_ID_FILE: &str = "CCE_LOGIN_VAULT_ROLE_ID_FILE";
/// The file of an AppRole's secret.
pub(crate) const VAULT_SECRET_ID_FILE: &str = "CCE_LOGIN_VAULT_SECRET_ID_FILE";

/// What the terminal can do; `dumb` cannot move its cursor.
pub(crate) const TERM: &str = "TERM";
/// Opens a browser, in place of the system's opener.
pub(crate) const BROWSER: &str = "BROWSER";
/// Set in an SSH session.
pub(crate) const SSH_CONNECTION: &str = "SSH_CONNECTION";
/// Set in an SSH session at a terminal.
pub(crate) const SSH_TTY: &str = "SSH_TTY";
/// The X display, without which Linux shows no windows.
pub(crate) const DISPLAY: &str = "DISPLAY";
/// The Wayland display.
pub(crate) const WAYLAND_DISPLAY: &str = "WAYLAND_DISPLAY";
/// What this machine is called, where a shell exports it.
pub(crate) const HOSTNAME: &str = "HOSTNAME";
/// What this machine is called, on Windows.
pub(crate) const COMPUTERNAME: &str = "COMPUTERNAME";
/// Set in Linux under Windows.
pub(crate) const WSL_DISTRO_NAME: &str = "WSL_DISTRO_NAME";
/// No colours, whatever its value.
pub(crate) const NO_COLOR: &str = "NO_COLOR";

/// Access key id, as the Huawei Cloud SDKs read it.
pub(crate) const SDK_AK: &str = "HUAWEICLOUD_SDK_AK";
/// Secret access key, as the Huawei Cloud SDKs read it.
pub(crate) const SDK_SK: &str = "HUAWEICLOUD_SDK_SK";
/// Security token of a temporary access key, as the Huawei Cloud SDKs read it.
pub(crate) const SDK_SECURITY_TOKEN: &str = "HUAWEICLOUD_SDK_SECURITY_TOKEN";
/// Project id, as the Huawei Cloud SDKs read it.
pub(crate) const SDK_PROJECT_ID: &str = "HUAWEICLOUD_SDK_PROJECT_ID";

/// IAM's base URL, as the Huawei Cloud SDKs read it.
pub(crate) const SDK_IAM_ENDPOINT: &str = "HUAWEICLOUD_SDK_IAM_ENDPOINT";
/// The base URL of STS, as the Huawei Cloud SDKs read it.
pub(crate) const SDK_STS_ENDPOINT: &str = "HUAWEICLOUD_SDK_STS_ENDPOINT";
/// The SDKs' file of access keys, in place of `~/.huaweicloud/credentials`.
pub(crate) const SDK_CREDENTIALS_FILE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";
/// The identity provider's name at IAM, as the Huawei Cloud SDKs read it.
pub(crate) const SDK_IDP_ID: &str = "HUAWEICLOUD_SDK_IDP_ID";
/// The file of the identity provider's id token, as the Huawei Cloud SDKs read it.
pub(crate) const SDK_ID_TOKEN_FILE: &str = "HUAWEICLOUD_SDK_ID_TOKEN_FILE";
/// The identity provider's URN, for STS.
pub(crate) const OIDC_PROVIDER_URN: &str = "HUAWEICLOUD_OIDC_PROVIDER_URN";
/// The URN of the agency that STS shall give out.
pub(crate) const OIDC_AGENCY_URN: &str = "HUAWEICLOUD_OIDC_AGENCY_URN";
/// An id token for STS.
pub(crate) const OIDC_ID_TOKEN: &str = "HUAWEICLOUD_OIDC_ID_TOKEN";
/// The file of an id token for STS.
pub(crate) const OIDC_TOKEN_FILE: &str = "HUAWEICLOUD_OIDC_TOKEN_FILE";
/// Who we are in the audit trail of STS.
pub(crate) const OIDC_SESSION_NAME: &str = "HUAWEICLOUD_OIDC_SESSION_NAME";
/// How long a key of STS shall live, in seconds.
pub(crate) const OIDC_DURATION_SECONDS: &str = "HUAWEICLOUD_OIDC_DURATION_SECONDS";
/// Narrows what a key of STS may do.
pub(crate) const OIDC_POLICY: &str = "HUAWEICLOUD_OIDC_POLICY";
/// Policies by id, with commas, that narrow what a key of STS may do.
pub(crate) const OIDC_POLICY_IDS: &str = "HUAWEICLOUD_OIDC_POLICY_IDS";
/// Where a job of GitHub Actions asks for its id token.
pub(crate) const ACTIONS_ID_TOKEN_REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
/// The bearer token for that.
pub(crate) const ACTIONS_ID_TOKEN_REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
/// The repository of a job of GitHub Actions.
pub(crate) const GITHUB_REPOSITORY: &str = "GITHUB_REPOSITORY";
/// Where a pod asks for its agency's access key.
pub(crate) const POD_CREDENTIALS_URI: &str = "HC_CONTAINER_CREDENTIALS_FULL_URI";
/// The file of the pod's token for that.
pub(crate) const POD_TOKEN_FILE: &str = "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE";
/// The ECS metadata service, in place of its link-local address.
pub(crate) const METADATA_ENDPOINT: &str = "CCE_LOGIN_METADATA_ENDPOINT";

/// Access key id, as Terraform's provider reads it.
pub(crate) const HW_ACCESS_KEY: &str = "HW_ACCESS_KEY";
/// Secret access key, as Terraform's provider reads it.
pub(crate) const HW_SECRET_KEY: &str = "HW_SECRET_KEY";
/// Security token of a temporary access key, as Terraform's provider reads it.
pub(crate) const HW_SECURITY_TOKEN: &str = "HW_SECURITY_TOKEN";
/// The region, as Terraform's provider reads it.
pub(crate) const HW_REGION_NAME: &str = "HW_REGION_NAME";
/// The project's name, as Terraform's provider reads it.
pub(crate) const HW_PROJECT_NAME: &str = "HW_PROJECT_NAME";
/// The cloud's domain, as Terraform's provider reads it.
pub(crate) const HW_CLOUD: &str = "HW_CLOUD";
/// IAM's URL, as Terraform's provider reads it.
pub(crate) const HW_AUTH_URL: &str = "HW_AUTH_URL";
/// The agency to assume on top of any source but our own profiles.
pub(crate) const HW_ASSUME_ROLE_AGENCY_NAME: &str = "HW_ASSUME_ROLE_AGENCY_NAME";
/// The name of the account that delegates it.
pub(crate) const HW_ASSUME_ROLE_DOMAIN_NAME: &str = "HW_ASSUME_ROLE_DOMAIN_NAME";
/// The id of the account that delegates it.
pub(crate) const HW_ASSUME_ROLE_DOMAIN_ID: &str = "HW_ASSUME_ROLE_DOMAIN_ID";
/// How long its key shall live, in seconds.
pub(crate) const HW_ASSUME_ROLE_DURATION: &str = "HW_ASSUME_ROLE_DURATION";

/// OpenStack's variables with OTC's spellings; of each list the first that is set counts.
pub(crate) mod openstack {
    /// How OpenStack's clients would sign in.
    pub(crate) const AUTH_TYPE: &[&str] = &["OS_AUTH_TYPE", "OS_AUTH_PLUGIN"];
    /// Access key id.
    pub(crate) const ACCESS_KEY: &[&str] = &["OS_ACCESS_KEY", "OS_ACCESS_KEY_ID", "OS_AK"];
    /// Secret access key.
    pub(crate) const SECRET_KEY: &[&str] = &["OS_SECRET_KEY", "OS_ACCESS_KEY_SECRET", "OS_SK"];
    /// Security token of a temporary access key.
    pub(crate) const SECURITY_TOKEN: &[&str] = &["OS_SECURITY_TOKEN", "OS_AKSK_SECURITY_TOKEN", "OS_ST"];
    /// A token of IAM.
    pub(crate) const TOKEN: &[&str] = &["OS_TOKEN", "OS_AUTH_TOKEN"];
    /// The user's id.
    pub(crate) const USER_ID: &[&str] = &["OS_USER_ID", "OS_USERID"];
    /// The user's name.
    pub(crate) const USERNAME: &[&str] = &["OS_USERNAME"];
    /// The user's password.
    pub(crate) const PASSWORD: &[&str] = &["OS_PASSWORD"];
    /// The passcode of the user's virtual MFA device.
    pub(crate) const PASSCODE: &[&str] = &["OS_PASSCODE"];
    /// The user's account by name.
    pub(crate) const DOMAIN_NAME: &[&str] = &["OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"];
    /// The user's account by id.
    pub(crate) const DOMAIN_ID: &[&str] = &["OS_USER_DOMAIN_ID", "OS_DOMAIN_ID", "OS_PROJECT_DOMAIN_ID"];
    /// The project by name.
    pub(crate) const PROJECT_NAME: &[&str] = &["OS_PROJECT_NAME", "OS_TENANT_NAME"];
    /// The project by id.
    pub(crate) const PROJECT_ID: &[&str] = &["OS_PROJECT_ID", "OS_TENANT_ID"];
    /// The region.
    pub(crate) const REGION: &[&str] = &["OS_REGION_NAME", "OS_REGION"];
    /// IAM's URL.
    pub(crate) const AUTH_URL: &[&str] = &["OS_AUTH_URL"];
    /// Roots for the cloud endpoints.
    pub(crate) const CACERT: &[&str] = &["OS_CACERT"];
    /// The agency to assume.
    pub(crate) const AGENCY: &[&str] = &["OS_AGENCY_NAME", "OS_TARGET_AGENCY_NAME"];
    /// The account that delegates it.
    pub(crate) const AGENCY_DOMAIN: &[&str] = &["OS_AGENCY_DOMAIN_NAME"];
    /// The cloud in `clouds.yaml`.
    pub(crate) const CLOUD: &str = "OS_CLOUD";
    /// `clouds.yaml`, in place of the usual places.
    pub(crate) const CONFIG_FILE: &str = "OS_CLIENT_CONFIG_FILE";
    /// `secure.yaml`, in place of the usual places.
    pub(crate) const SECURE_FILE: &str = "OS_CLIENT_SECURE_FILE";
}

/// What client-go tells an exec plugin: an `ExecCredential` object as JSON.
pub(crate) const KUBERNETES_EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";
/// The kubeconfig list.
pub(crate) const KUBECONFIG: &str = "KUBECONFIG";
/// Set by our completion scripts: the shell that wants to know how words go on.
pub(crate) const COMPLETE: &str = "_CCE_LOGIN_COMPLETE";
/// Whether kubectl reads its own settings.
pub(crate) const KUBECTL_KUBERC: &str = "KUBECTL_KUBERC";
/// kubectl's own settings, or `off`.
pub(crate) const KUBERC: &str = "KUBERC";
/// Roots for the cloud endpoints when no `--ca-file` is given (OpenSSL's name).
pub(crate) const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// Directories of roots in place of the system's, where no file is named (OpenSSL's name): read by the TLS library.
pub(crate) const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
/// Set in every pod: one of the signs of a container.
pub(crate) const KUBERNETES_SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";
/// The port that goes with it.
pub(crate) const KUBERNETES_SERVICE_PORT: &str = "KUBERNETES_SERVICE_PORT";
/// Set by podman, systemd-nspawn and others: one of the signs of a container.
pub(crate) const CONTAINER: &str = "container";
/// The session bus of the Secret Service.
pub(crate) const DBUS_SESSION_BUS_ADDRESS: &str = "DBUS_SESSION_BUS_ADDRESS";
/// The user's private runtime directory.
pub(crate) const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// The directory of users' settings.
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The directory of users' state.
pub(crate) const XDG_STATE_HOME: &str = "XDG_STATE_HOME";
/// The directory of users' caches.
pub(crate) const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// The home directory.
pub(crate) const HOME: &str = "HOME";
/// Where programs are looked up.
pub(crate) const PATH: &str = "PATH";
/// The proxies for https, http and any scheme, and the hosts that need none; lower case is read too.
pub(crate) const PROXIES: [&str; 4] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];
