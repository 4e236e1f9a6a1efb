#!/usr/bin/env python3
"""Makes the first inputs of every fuzz target from the repository's examples: `corpus.py DIRECTORY`.

Each target gets a directory; each input is named by what is in it. Certificates and keys are made by openssl, anew each time: none is a
secret. What is read is tests/vectors, tests/identity and tests/kubeconfig; what is not an example there is written down here.
"""

import base64
import hashlib
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = pathlib.Path(sys.argv[1])
AK, SK, TOKEN = "AKIDOFTHECORPUS00000", "SecretKeyOfTheCorpus0000000000000000000", "TokenOfTheCorpus000000000000"


def put(target, name, data):
    directory = OUT / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / re.sub(r"[^A-Za-z0-9._-]+", "-", name)).write_bytes(data.encode() if isinstance(data, str) else data)


def openssl(*words, stdin=None):
    return subprocess.run(["openssl", *words], input=stdin, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def filled(text):
    """A file of tests/identity, whose `{{…}}` a test fills in."""
    words = {"ak": AK, "sk": SK, "temporary-ak": AK, "temporary-sk": SK, "security-token": TOKEN, "token": TOKEN}
    filled_in = re.sub(r"\{\{([a-z-]+)[^}]*\}\}", lambda found: words.get(found[1], "https://iam.eu-de.otc.t-systems.com"), text)
    return filled_in.replace("{ak}", AK).replace("{sk}", SK)


def certificates():
    """Name, certificate (PEM), key (PEM), key (DER) for each kind of key that is issued, the first one the authority."""
    kinds = {
        "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
        "rsa": ["-newkey", "rsa:2048"],
        "ed25519": ["-newkey", "ed25519"],
    }
    made = []
    with tempfile.TemporaryDirectory() as directory:
        for name, kind in kinds.items():
            key, cert = f"{directory}/key", f"{directory}/cert"
            subject = "/O=CCE/CN=0123456789abcdef0123456789abcdef"
            openssl("req", "-x509", *kind, "-nodes", "-keyout", key, "-out", cert, "-days", "20000", "-subj", subject,
                    "-addext", "extendedKeyUsage=clientAuth", "-addext", "subjectAltName=DNS:kubernetes,IP:192.0.2.1")
            pem = pathlib.Path(key).read_bytes()
            made.append((name, pathlib.Path(cert).read_bytes(), pem, openssl("pkey", "-in", key, "-outform", "DER")))
            if name != "ed25519":
                made.append((f"{name}-traditional", made[-1][1], openssl("pkey", "-in", key, "-traditional"), made[-1][3]))
    return made


def der_of(pem):
    return openssl("x509", "-outform", "DER", stdin=pem)


def entry(cert, key_pem, key_der):
    """An entry of the cache without its checksum: see src/cache/entry.rs."""
    traditional = openssl("pkey", "-traditional", "-outform", "DER", stdin=key_pem)
    label = key_pem.split(b"-----")[1]
    kind, key = {b"BEGIN PRIVATE KEY": (0, key_der), b"BEGIN RSA PRIVATE KEY": (1, traditional)}.get(label, (2, traditional))
    der = der_of(cert)
    head = struct.pack("<BqqQiqB", 2, 2524600000, 2524600001, 7, 45, 2524500000, kind)
    return head + struct.pack("<H", len(key)) + key + b"\x01" + struct.pack("<H", len(der)) + der


def with_checksum(data):
    return data + hashlib.sha256(data).digest()[:8]


def main():
    made = certificates()
    authority = made[0][1]
    examples = ROOT / "tests/vectors/examples"
    encode = lambda data: base64.b64encode(data).decode()

    for name, cert, key, key_der in made:
        put("certificate", f"{name}-with-key.pem", cert + key)
        put("certificate", f"{name}-text.pem", b"Certificate:\n    Data:\n" + cert + b"\n# behind it\n" + authority)
        put("certificate", f"{name}.der", der_of(cert))
        put("certificate", f"{name}-key.der", key_der)
        put("cache_entry", f"{name}", entry(cert, key, key_der))
        put("cache_entry", f"{name}-with-checksum", with_checksum(entry(cert, key, key_der)))
        value = {"f": 1, "void": "2049-12-31T23:00:00Z", "entry": encode(with_checksum(entry(cert, key, key_der)))}
        put("register_value", f"{name}", json.dumps(value))
        for path in examples.glob("clustercert_response*.json"):
            text = path.read_text().replace("<base64(CA)>", encode(authority))
            text = text.replace("<base64(PEM cert)>", encode(cert)).replace("<base64(PEM key)>", encode(key))
            put("cce_answer", f"{name}-{path.name}", text)
    put("register_value", "claim", '{"f":1,"claim":{"until":"2050-01-01T00:00:20Z","by":18446744073709551615}}')
    failure = {"until": "2050-01-01T00:01:00Z", "text": "CCE answered 403", "hint": "ask", "exit": 3, "throttled": False}
    put("register_value", "failure", json.dumps({"f": 1, "failure": failure}))

    answers = [path for path in examples.glob("*.json") if "request" not in path.name]
    for path in answers:
        if path.name.startswith(("cluster_", "job_", "rotate")):
            put("cce_answer", path.name, path.read_text())
    for path in answers:
        body = json.loads(path.read_text())
        head = "".join(f"{name}: {value}\n" for name, value in (body.pop("_headers", None) or {}).items())
        status = re.search(r"_(\d{3})", path.name)
        status = status[1] if status else "401" if "error" in path.name else "200"
        for question in "abcdefghi":
            if path.name.startswith(("iam", "error", "sts", "ecs")):
                put("iam_answer", f"{question}-{path.name}", f"{question}{status}\n{head}\n{json.dumps(body)}")
        if path.name.startswith("error"):
            put("identity_center_answer", path.name, f"g{status}\n\n{json.dumps(body)}")
    person = {"id": "0123456789abcdef0123456789abcdef", "name": "alice"}
    for question, body in {
        "a": {"projects": [{"id": "0605767b5780d5762fbcc0118072a564", "name": "eu-de"}]},
        "b": {"projects": [{"id": "0605767b5780d5762fbcc0118072a564", "name": "eu-de"}]},
        "c": {"domains": [person]},
        "d": {"credential": {"user_id": person["id"]}, "user": person},
        "e": {"users": [person, {"id": "1", "name": "bob"}]},
        "i": {"agency": person},
    }.items():
        put("iam_answer", f"{question}-good", f"{question}200\nDate: Sat, 01 Jan 2050 00:00:00 GMT\n\n{json.dumps(body)}")
    page = {"page_info": {"next_marker": None, "current_count": 1}}
    for question, body in {
        "a": {"account_list": [{"account_id": "a1", "account_name": "acme"}], **page},
        "b": {"agency_list": [{"permission_set_name": "admin", "agency_name": "admin", "agency_urn": "iam::0:agency:admin"}], **page},
        "c": {"agency_credentials": {"access_key_id": AK, "secret_access_key": SK, "session_token": TOKEN, "expiration": 2524608000}},
        "d": {},
        "e": {"client_info": {"client_id": "c", "client_secret": SK, "client_secret_expires_at": 2532384000, "scopes": ["openid"]}},
        "f": {"device_code": SK, "user_code": "ABCD-EFGH", "verification_uri": "https://x.example/d",
              "verification_uri_complete": "https://x.example/d?user_code=ABCD-EFGH", "interval": 5, "expires_in": 600},
        "g": {"token_info": {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 2524636800, "id_token": None}},
    }.items():
        put("identity_center_answer", f"{question}-good", f"{question}200\n\n{json.dumps(body)}")
    for words in ["authorization_pending", "slow_down", "expired_token", "access_denied", "invalid_client"]:
        put("identity_center_answer", words, f'g400\n\n{{"error": "{words}"}}')
        put("identity_center_answer", f"{words}-code", f'g400\n\n{{"error_code": "IIC.1402", "error_msg": "{words}Exception"}}')

    for path in (ROOT / "tests/kubeconfig").glob("*/*.yaml"):
        put("kubeconfig", f"{path.parent.name}-{path.name}", path.read_bytes())
    for path in OUT.glob("cce_answer/ec-clustercert*"):
        put("kubeconfig", path.name, path.read_bytes())

    spec = {"server": "https://192.0.2.1:5443", "certificate-authority-data": encode(authority), "tls-server-name": "kubernetes",
            "proxy-url": "http://proxy.example:3128", "config": None}
    for version in ["v1", "v1beta1", "v1alpha1"]:
        info = {"kind": "ExecCredential", "apiVersion": f"client.authentication.k8s.io/{version}", "spec": {"interactive": True}}
        put("exec_info", version, json.dumps(info))
        put("exec_info", f"{version}-cluster", json.dumps({**info, "spec": {"cluster": spec, "interactive": False}}))
        short = {"server": spec["server"], "insecure-skip-tls-verify": True}
        put("exec_info", f"{version}-unverified", json.dumps({**info, "spec": {"cluster": short, "interactive": False}}))
    put("exec_info", "old", '{"apiVersion":"client.authentication.k8s.io/v1beta1"}')

    for name, text in {
        "throttled": "429\nDate: Sat, 01 Jan 2050 00:00:00 GMT\nRetry-After: 2",
        "ahead": "401\nDate: Sat, 01 Jan 2050 00:20:00 GMT\nX-Request-Id: 0a1b",
        "http-date": "503\nRetry-After: Sat, 01 Jan 2050 00:00:30 GMT\nDate: Fri, 31 Dec 2049 23:59:60 +0100",
        "fraction": "429\nRetry-After: 1.5e1",
        "token": "201\nX-Subject-Token: MIIabc\nDate: 1 Jan 2050 00:00 UT",
    }.items():
        put("headers", name, text)
    claims = {"iss": "https://idp.example.com", "aud": "cce-login", "sub": "alice", "exp": 2524610000, "iat": 2524600000,
              "nonce": "nonce-of-this-attempt", "email": "alice@example.com"}
    header = '{"alg":"RS256","kid":"1"}'
    for name, more in {"good": {}, "several": {"aud": ["cce-login", "x"], "azp": "cce-login"}, "number": {"sub": 4711, "exp": 2.6e9}, "ended": {"exp": 1}}.items():
        put("id_token", name, header + "\n" + json.dumps({**claims, **more}))

    homes = ROOT / "tests/identity"
    for path in homes.rglob("clouds*.yaml"):
        case = path.relative_to(homes).parts[0]
        secure = path.with_name("secure.yaml")
        secure = "\n#### secure.yaml\n" + filled(secure.read_text()) if secure.exists() else ""
        put("clouds_yaml", case, filled(path.read_text()) + secure)
    for target, name in [("sdk_credentials", "credentials"), ("hcloud_config", "config.json"), ("config_toml", "config.toml")]:
        for path in homes.rglob(name):
            put(target, path.relative_to(homes).parts[0], filled(path.read_text()))
    vectors = (ROOT / "tests/vectors/sdk_credentials.txt").read_text()
    for part in re.split(r"(?m)^## ", vectors)[1:]:
        what, text = part.split("\n", 1)
        put("sdk_credentials", what, filled(text))


main()
