//! Runs the simulated cloud on its own: prints where everything is as `NAME=value` lines, then serves until it is told to stop.

use std::{
    fmt::Write as _,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use cce_sim::{ClusterSpec, ExpireAt, Sim};

const USAGE: &str = "\
Usage: cce-sim [OPTIONS]

Prints endpoints, CA file, region, project, cluster and access key as NAME=value lines, then serves.

  --dir DIR               write the CA file there (default: a new directory below the system's temporary one, removed at the end)
  --env-file FILE         write the lines to this file too, once everything serves
  --until-stdin-closes    serve until stdin closes (default: until SIGINT or SIGTERM)
  --clusters N            so many clusters: prod, prod-2, prod-3, … (default: 1)
  --seconds-lifetime N    certificates live N seconds, whatever was asked for
  --no-expire-at          answer 400 to requests with `expire_at`
  --help

The cloud listens to control requests (JSON over plain HTTP) at the address CCE_SIM_ADMIN, for example:

  curl $CCE_SIM_ADMIN/requests
  curl $CCE_SIM_ADMIN/behaviour -d '{\"clock_offset\": 10800, \"certificate_lifetime\": 30}'
  curl $CCE_SIM_ADMIN/faults -d '{\"operation\": \"clustercert\", \"fault\": {\"throttle\": {\"retry_after\": \"1.5\"}}, \"times\": 2}'
  curl $CCE_SIM_ADMIN/faults -X DELETE
  curl $CCE_SIM_ADMIN/clusters -d '{\"name\": \"test\", \"eip\": false, \"endpoints\": \"otc_object\"}'
  curl $CCE_SIM_ADMIN/users/alice/password -d '{\"password\": \"correct horse\"}'
  curl $CCE_SIM_ADMIN/revoke -d '{\"cluster\": \"prod\", \"user\": \"alice\"}'

All requests and fields: `cargo doc -p cce-sim`, `Sim::serve_admin`, `Behaviour`, `Fault`, `ClusterSpec`, `UserSpec`, `AgencySpec`.
";

/// What the command line says.
#[derive(Default)]
struct Options {
    dir: Option<PathBuf>,
    env_file: Option<PathBuf>,
    until_stdin_closes: bool,
    clusters: Option<u32>,
    lifetime: Option<Duration>,
    no_expire_at: bool,
    help: bool,
}

impl Options {
    fn new(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(arg) = args.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            };
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| args.next())
                    .ok_or(format!("{name} needs a value"))
            };
            let number = |text: String| text.parse::<u32>().map_err(|_| format!("`{text}` is not a number"));
            match name.as_str() {
                "--dir" => options.dir = Some(value()?.into()),
                "--env-file" => options.env_file = Some(value()?.into()),
                "--until-stdin-closes" => options.until_stdin_closes = true,
                "--clusters" => options.clusters = Some(number(value()?)?),
                "--seconds-lifetime" => options.lifetime = Some(Duration::from_secs(number(value()?)?.into())),
                "--no-expire-at" => options.no_expire_at = true,
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("unknown option `{name}`")),
            }
        }
        Ok(options)
    }
}

/// A directory that is removed at the end if it was made here.
struct Directory {
    path: PathBuf,
    is_temporary: bool,
}

impl Directory {
    fn new(wanted: Option<PathBuf>) -> io::Result<Self> {
        let is_temporary = wanted.is_none();
        let path = wanted.unwrap_or_else(|| std::env::temp_dir().join(format!("cce-sim-{}", std::process::id())));
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, is_temporary })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.is_temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

fn main() -> ExitCode {
    let served = Options::new(std::env::args().skip(1)).map_err(|error| format!("{error}\n\n{USAGE}"));
    match served.and_then(|options| run(options).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say_to_stderr(&message);
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> io::Result<()> {
    if options.help {
        return print(USAGE);
    }
    let sim = Arc::new(Sim::start());
    for number in 2..=options.clusters.unwrap_or(1) {
        sim.add_cluster(ClusterSpec::named(&format!("prod-{number}")));
    }
    sim.set_behaviour(|behaviour| {
        behaviour.certificate_lifetime = options.lifetime;
        if options.no_expire_at {
            behaviour.expire_at_supported = ExpireAt::Refused400;
        }
    });
    let directory = Directory::new(options.dir)?;
    let ca_file = directory.path.join("ca.pem");
    write(&ca_file, &sim.ca_pem())?;
    let until_stdin_closes = options.until_stdin_closes;
    let env_file = options.env_file;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (address_sender, address) = tokio::sync::oneshot::channel();
        let admin = Arc::clone(&sim).serve_admin(|address| {
            let _ = address_sender.send(address);
        });
        let serving = async {
            let address = address.await.map_err(io::Error::other)?;
            let lines = lines(&sim, &ca_file, &format!("http://{address}"));
            if let Some(env_file) = env_file {
                write(&env_file, &lines)?;
            }
            print(&lines)?;
            if until_stdin_closes {
                stdin_closed().await
            } else {
                stop_signal().await
            }
        };
        tokio::select! {
            served = admin => served,
            stopped = serving => stopped,
        }
    })
}

fn lines(sim: &Sim, ca_file: &Path, admin: &str) -> String {
    let key = sim.access_key("alice");
    let cluster = sim.cluster("prod");
    let ca_file = ca_file.display().to_string();
    let pairs = [
        ("CCE_SIM_IAM_ENDPOINT", sim.iam_endpoint()),
        ("CCE_SIM_CCE_ENDPOINT", sim.cce_endpoint()),
        ("CCE_SIM_STS_ENDPOINT", sim.sts_endpoint()),
        ("CCE_SIM_METADATA_ENDPOINT", sim.metadata_endpoint()),
        ("CCE_SIM_ADMIN", admin.to_owned()),
        ("CCE_SIM_CA_FILE", ca_file),
        ("CCE_SIM_REGION", sim.region().to_owned()),
        ("CCE_SIM_PROJECT_ID", cluster.project_id),
        ("CCE_SIM_CLUSTER", cluster.name),
        ("CCE_SIM_CLUSTER_ID", cluster.uid),
        ("CCE_SIM_USER_ID", sim.user_id("alice")),
        ("HUAWEICLOUD_SDK_AK", key.id),
        ("HUAWEICLOUD_SDK_SK", key.secret),
    ];
    pairs.iter().fold(String::new(), |mut lines, (name, value)| {
        let _ = writeln!(lines, "{name}={value}");
        lines
    })
}

async fn stdin_closed() -> io::Result<()> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // A thread, because a blocking read of the runtime's would keep the runtime from ending.
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while matches!(io::stdin().read(&mut buffer), Ok(1..)) {}
        let _ = sender.send(());
    });
    receiver.await.map_err(io::Error::other)
}

#[cfg(unix)]
async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stop_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing secret, and read only after the lines are out"
)]
fn write(path: &Path, text: &str) -> io::Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, text)?;
    std::fs::rename(part, path)
}

#[expect(clippy::disallowed_methods, reason = "this program's own stdout")]
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

#[expect(clippy::disallowed_methods, reason = "this program's own stderr")]
fn say_to_stderr(message: &str) {
    let _ = writeln!(io::stderr(), "cce-sim: {message}");
}
