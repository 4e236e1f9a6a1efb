//! What `get-credential` means.

use crate::cli::{GetCredentialArgs, GlobalArgs};
use crate::config::Profile;
use crate::env_vars;
use crate::exec_credential::{ApiVersion, ExecInfo};
use crate::host::{Env, Terminal};
use crate::ids::{ClusterId, PrincipalId, ProjectId, Region};
use crate::plan::given::{Given, Sources, none};
use crate::plan::settings::{CertificateSettings, CloudSettings, RunSettings, TIMEOUT, is_set, timeout};
use crate::plan::{PlanError, api_version};
use std::time::Duration;

/// The bound on a `get-credential` that nobody watches.
pub(crate) const GET_CREDENTIAL_TIMEOUT: Duration = Duration::from_secs(25);

/// What `get-credential` means.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own")]
pub(crate) struct GetCredentialPlan {
    pub(crate) region: Region,
    /// Whose; looked up at IAM when it is not given.
    pub(crate) project_id: Option<ProjectId>,
    pub(crate) cluster_id: ClusterId,
    /// Its path at CCE is another one.
    pub(crate) is_autopilot: bool,
    /// Nobody else is served.
    pub(crate) principal: Option<PrincipalId>,
    /// Where the cloud answers.
    pub(crate) cloud: CloudSettings,
    /// The certificate and where it is kept.
    pub(crate) certificate: CertificateSettings,
    /// Another lifetime than asked for is refused.
    pub(crate) is_lifetime_strict: bool,
    /// Skip the cache.
    pub(crate) is_refresh_forced: bool,
    /// The version to answer in.
    pub(crate) api_version: ApiVersion,
    /// A person at a terminal reads the answer, so the key is not shown.
    pub(crate) is_key_redacted: bool,
    /// How the run behaves.
    pub(crate) run: RunSettings,
    /// Somebody has said how long it may take: throttling is sat out.
    pub(crate) is_patient: bool,
}

impl GetCredentialPlan {
    /// Makes the plan; `exec_info` is what the client told us, `profile` the settings of the identity's profile.
    pub(crate) fn new(
        args: &GetCredentialArgs,
        global: &GlobalArgs,
        env: &Env,
        profile: Option<&Profile>,
        terminal: Terminal,
        exec_info: Option<&ExecInfo>,
    ) -> Result<Self, PlanError> {
        let sources = Sources { env, profile };
        let typed = |flag: &str, text: &str| Given {
            text: text.to_owned(),
            origin: flag.to_owned(),
        };
        let project_id = sources.find(
            "--project-id",
            args.project_id.as_deref(),
            Some(env_vars::SDK_PROJECT_ID),
            none,
        );
        let id_hint = crate::ids::InvalidId::hint;
        let api_version = api_version(args.exec_api_version.as_deref())?;
        let asks =
            exec_info.is_none_or(|info| info.interactive) && terminal.stdin && terminal.stderr && !global.no_input;
        let is_interactive = asks && !is_set(env, env_vars::NO_INPUT);
        let timeout = timeout(global, env)?;
        // A person who is asked for a passcode takes a while.
        let usual = if is_interactive {
            TIMEOUT
        } else {
            GET_CREDENTIAL_TIMEOUT
        };
        Ok(Self {
            region: typed("--region", &args.region).parse(Region::parse, id_hint)?,
            project_id: project_id
                .map(|given| given.parse(ProjectId::parse, id_hint))
                .transpose()?,
            cluster_id: typed("--cluster-id", &args.cluster_id).parse(ClusterId::parse, id_hint)?,
            is_autopilot: args.autopilot,
            principal: match &args.principal {
                Some(text) => Some(typed("--principal", text).parse(PrincipalId::parse, id_hint)?),
                None => None,
            },
            cloud: CloudSettings::new(&args.cloud, &sources)?,
            certificate: CertificateSettings::new(&args.certificate, &sources)?,
            is_lifetime_strict: args.strict_duration,
            is_refresh_forced: args.force_refresh,
            api_version: exec_info.map_or(api_version.unwrap_or_default(), |info| info.api_version),
            is_key_redacted: exec_info.is_none() && terminal.stdout && !args.show_key,
            run: RunSettings {
                timeout: timeout.unwrap_or(usual),
                timeout_per_certificate: Duration::ZERO,
                is_interactive,
            },
            is_patient: timeout.is_some(),
        })
    }
}
