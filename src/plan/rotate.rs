//! What `rotate` means.

use crate::cli::RotateArgs;
use crate::huaweicloud::cce::rotation::Component;
use crate::ids::JobId;
use crate::lifetime::parse_seconds;
use crate::plan::given::Given;
use crate::plan::{ClusterSelection, InputFile, PlanError};
use crate::sanitize::sanitize;
use crate::words::Word as _;

/// The longest that the old key of service account tokens is kept, in hours.
const LONGEST_OLD_VALIDITY: i64 = 8784;
/// How long it is kept when nobody says, in hours.
const OLD_VALIDITY: u16 = 24;

/// What is rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RotationChoice {
    /// The cluster's certificates and authorities.
    All,
    /// The key that signs service account tokens.
    ServiceAccountController {
        /// How long tokens of the old key stay good, in hours.
        old_valid_hours: u16,
    },
    /// The user's own certificates.
    Custom(CustomFiles),
}

/// Where the user's own certificates are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomFiles {
    /// The authorities.
    pub(crate) ca: InputFile,
    /// The certificate.
    pub(crate) certificate: InputFile,
    /// Its key.
    pub(crate) key: InputFile,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RotateTask {
    /// Start a rotation.
    Start(RotationChoice),
    /// Follow a job that was started before.
    Follow(JobId),
}

/// What `rotate` means.
#[derive(Debug, Clone)]
pub(crate) struct RotatePlan {
    /// What is to be done.
    pub(crate) task: RotateTask,
    /// On which cluster.
    pub(crate) choice: ClusterSelection,
    /// Wait for the job.
    pub(crate) is_followed: bool,
}

impl RotatePlan {
    /// Makes the plan.
    pub(crate) fn new(args: &RotateArgs) -> Result<Self, PlanError> {
        let task = match &args.job {
            Some(job) => RotateTask::Follow(typed("--job", job).parse(JobId::parse, crate::ids::InvalidId::hint)?),
            None => RotateTask::Start(rotation(args)?),
        };
        if args.choice.context.len() + args.choice.cluster.len() > 1 {
            let flag = if args.choice.cluster.is_empty() {
                "--context"
            } else {
                "--cluster"
            };
            return Err(PlanError::Invalid {
                origin: flag.to_owned(),
                problem: "one cluster is rotated at a time".to_owned(),
                cure: "run it once for each cluster; `--no-wait` does not wait for the job".to_owned(),
            });
        }
        Ok(Self {
            task,
            choice: ClusterSelection::new(&args.choice, false)?,
            is_followed: !args.no_wait,
        })
    }
}

fn typed(flag: &str, text: &str) -> Given {
    Given {
        text: text.to_owned(),
        origin: flag.to_owned(),
    }
}

fn rotation(args: &RotateArgs) -> Result<RotationChoice, PlanError> {
    use Component::{All, Custom, ServiceAccountController};
    let component = typed("--component", args.component.as_deref().unwrap_or_default()).one_of()?;
    let goes_with = |flag: &str, other: Component| {
        let other = other.as_str();
        PlanError::Invalid {
            origin: flag.to_owned(),
            problem: format!("it goes with `--component {other}` only"),
            cure: format!("leave it out, or use `--component {other}`"),
        }
    };
    let custom = [
        ("--custom-ca", &args.custom_ca),
        ("--custom-cert", &args.custom_cert),
        ("--custom-key", &args.custom_key),
    ];
    let given = custom.iter().find(|(_, file)| file.is_some());
    match (component, &args.old_cert_valid, given) {
        (All | Custom, Some(_), _) => Err(goes_with("--old-cert-valid", ServiceAccountController)),
        (All | ServiceAccountController, _, Some((flag, _))) => Err(goes_with(flag, Custom)),
        (All, ..) => Ok(RotationChoice::All),
        (ServiceAccountController, hours, _) => Ok(RotationChoice::ServiceAccountController {
            old_valid_hours: hours.as_deref().map_or(Ok(OLD_VALIDITY), old_validity)?,
        }),
        (Custom, ..) => {
            let file = |(flag, file): (&str, &Option<String>)| {
                file.as_deref().map(InputFile::new).ok_or_else(|| PlanError::Missing {
                    what: "user's own certificate, its key or its CA",
                    cure: format!("`--component custom` takes all three; give `{flag}`, too"),
                })
            };
            let [ca, certificate, key] = custom;
            let files = CustomFiles {
                ca: file(ca)?,
                certificate: file(certificate)?,
                key: file(key)?,
            };
            for (flag, file) in [(ca.0, &files.ca), (certificate.0, &files.certificate)] {
                if *file == InputFile::Stdin {
                    return Err(PlanError::Invalid {
                        origin: flag.to_owned(),
                        problem: "only the key is read from stdin".to_owned(),
                        cure: "give a file".to_owned(),
                    });
                }
            }
            Ok(RotationChoice::Custom(files))
        }
    }
}

/// Whole hours, 0 to 8784 (api-cce `RotateClusterCredentials`).
fn old_validity(text: &str) -> Result<u16, PlanError> {
    const HOUR: i64 = 3600;
    let cure = "give whole hours from `0h` to `8784h`, such as `24h`";
    let parse = |text: &str| {
        let seconds = parse_seconds(text).filter(|seconds| seconds % HOUR == 0);
        let hours = seconds.map(|seconds| seconds / HOUR);
        let hours = hours.filter(|hours| (0..=LONGEST_OLD_VALIDITY).contains(hours));
        hours
            .and_then(|hours| u16::try_from(hours).ok())
            .ok_or_else(|| format!("`{}` is not a number of hours in these bounds", sanitize(text)))
    };
    typed("--old-cert-valid", text).parse(parse, |_| cure.to_owned())
}
