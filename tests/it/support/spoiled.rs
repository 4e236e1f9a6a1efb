//! Kubeconfigs that people or other tools have spoiled, and whether kubectl can use them: the judge is kubectl itself, in `system`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Something done to a kubeconfig that a login wrote.
pub(crate) struct Spoiled {
    pub(crate) what: &'static str,
    /// What we say of it; `None`: kubectl can use it.
    pub(crate) said: Option<&'static str>,
    change: fn(&str) -> String,
}

impl Spoiled {
    /// The text after it.
    pub(crate) fn text(&self, text: &str) -> String {
        let changed = (self.change)(text);
        assert_ne!(changed, text, "{}", self.what);
        changed
    }
}

const fn bad(what: &'static str, said: &'static str, change: fn(&str) -> String) -> Spoiled {
    Spoiled {
        what,
        said: Some(said),
        change,
    }
}

const fn fine(what: &'static str, change: fn(&str) -> String) -> Spoiled {
    Spoiled {
        what,
        said: None,
        change,
    }
}

fn in_user(text: &str, line: &str) -> String {
    text.replace("    exec:\n", &format!("    {line}\n    exec:\n"))
}

fn in_cluster(text: &str, line: &str) -> String {
    text.replace("    server: ", &format!("    {line}\n    server: "))
}

fn first_of(text: &str, list: &str, item: &str) -> String {
    text.replace(&format!("{list}:\n"), &format!("{list}:\n{item}\n"))
}

/// The embedded CA, with something done to its PEM, under another key.
fn ca(text: &str, change: impl Fn(&str) -> String) -> String {
    let key = "certificate-authority-data: ";
    let line = text.lines().find(|line| line.contains(key)).unwrap();
    let pem = STANDARD.decode(line.split(key).nth(1).unwrap()).unwrap();
    text.replace(line, &change(&String::from_utf8(pem).unwrap()))
}

pub(crate) const ALL: [Spoiled; 24] = [
    bad("no interactiveMode", "no `interactiveMode`", |text| {
        text.replace("      interactiveMode: IfAvailable\n", "")
    }),
    bad(
        "an interactiveMode that is none",
        "`interactiveMode` `Sometimes`",
        |text| text.replace("IfAvailable", "Sometimes"),
    ),
    bad("v1alpha1", "/v1alpha1`, which no kubectl", |text| {
        text.replace("k8s.io/v1\n", "k8s.io/v1alpha1\n")
    }),
    bad("no apiVersion of exec", "no `apiVersion`", |text| {
        text.replace("      apiVersion: client.authentication.k8s.io/v1\n", "")
    }),
    bad("a token beside exec", "`token` beside `exec`", |text| {
        in_user(text, "token: abc")
    }),
    bad("a password beside exec", "`username` beside `exec`", |text| {
        in_user(text, "username: u\n    password: p")
    }),
    bad("an auth-provider beside exec", "`auth-provider` beside", |text| {
        in_user(text, "auth-provider: {name: oidc}")
    }),
    bad("a variable without a name", "variable without a name", |text| {
        text.replace(
            "      interactiveMode",
            "      env: [{value: x}]\n      interactiveMode",
        )
    }),
    bad("a command that is gone", "is not there", |text| {
        text.replace("command: kubectl-cce_login", "command: /gone/kubectl-cce_login")
    }),
    bad("a CA file that is gone", "gone.pem` cannot be read", |text| {
        ca(text, |_| "    certificate-authority: gone.pem".to_owned())
    }),
    bad("a CA file beside the CA", "both `certificate-authority`", |text| {
        in_cluster(text, "certificate-authority: /dev/null")
    }),
    bad(
        "insecure beside the CA",
        "`insecure-skip-tls-verify` beside a CA",
        |text| in_cluster(text, "insecure-skip-tls-verify: true"),
    ),
    bad("a CA that is no PEM", "no PEM certificate", |text| {
        ca(text, |_| {
            format!("    certificate-authority-data: {}", STANDARD.encode("nothing"))
        })
    }),
    bad("a proxy of another kind", "`proxy-url` does not begin", |text| {
        in_cluster(text, "proxy-url: ftp://x")
    }),
    bad(
        "a stranger's namespace of digits",
        "contexts[theirs].context.namespace is a number",
        |text| {
            first_of(
                text,
                "contexts",
                "- name: theirs\n  context: {cluster: c, user: u, namespace: 973585995}",
            )
        },
    ),
    bad(
        "a stranger's CA that is not base64",
        "certificate-authority-data is not base64",
        |text| {
            first_of(
                text,
                "clusters",
                "- name: theirs\n  cluster: {server: 'https://x', certificate-authority-data: abc$}",
            )
        },
    ),
    bad(
        "a stranger's token that is true",
        "user.token is `true` or `false`",
        |text| first_of(text, "users", "- name: theirs\n  user: {token: true}"),
    ),
    bad(
        "a stranger's argument of digits",
        "user.exec.args[2] is a number",
        |text| {
            first_of(
                text,
                "users",
                "- name: theirs\n  user: {exec: {command: aws, args: [eks, 5]}}",
            )
        },
    ),
    bad("another apiVersion of the file", "apiVersion is not `v1`", |text| {
        text.replace("apiVersion: v1\n", "apiVersion: v2\n")
    }),
    bad("another kind of file", "kind is not `Config`", |text| {
        text.replace("kind: Config", "kind: Pod")
    }),
    fine("a CA with carriage returns", |text| {
        ca(text, |pem| {
            format!(
                "    certificate-authority-data: {}",
                STANDARD.encode(pem.replace('\n', "\r\n"))
            )
        })
    }),
    fine("v1beta1 without interactiveMode", |text| {
        text.replace("k8s.io/v1\n", "k8s.io/v1beta1\n")
            .replace("      interactiveMode: IfAvailable\n", "")
    }),
    fine("nulls and empty texts", |text| {
        in_user(&in_cluster(text, "certificate-authority: ''"), "token: ''")
            .replace("      interactiveMode", "      env: null\n      interactiveMode")
    }),
    fine("a stranger's entry of which a half is missing", |text| {
        first_of(
            text,
            "contexts",
            "- name: theirs\n  context: {cluster: c, user: null, extensions: [{name: x, extension: 5}]}",
        )
    }),
];
