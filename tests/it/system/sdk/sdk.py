"""The official Python SDK, asked from a test: a JSON list comes on stdin, a list of as many answers goes to stdout.

    sdk.py sign    requests in, and for each the `Authorization` and the URI that the SDK would send
    sdk.py credentials  texts of a credentials file in, and for each the access key that the SDK reads from it, or `null`
    sdk.py clouds  files of OpenStack's in, and for each what openstacksdk makes of their cloud `mine`
    sdk.py call    calls in, with `{"Model": {…}}` for a model, and for each what the SDK's models made of the answer, with the answer itself; or the error
"""

import base64
import importlib
import json
import os
import sys
import tempfile
import warnings

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.auth.provider import ProfileCredentialProvider
from huaweicloudsdkcore.exceptions.exceptions import SdkException, ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.utils.http_utils import sanitize_for_serialization


def credentials(who):
    """An account's, if there is a domain (an empty one is looked for); a project's otherwise."""
    if who.get("domain") is not None:
        made = GlobalCredentials(who["ak"], who["sk"], who["domain"] or None)
    else:
        made = BasicCredentials(who["ak"], who["sk"], who.get("project"))
    if who.get("token"):
        made.with_security_token(who["token"])
    return made


def sign(request):
    signed = credentials(request["who"]).sign_request(
        SdkRequest(
            method=request["method"],
            schema="https",
            host=request["host"],
            resource_path=request["path"],
            query_params=[(name, value) for name, value in request["query"]],
            header_params=dict(request["headers"]),
            body=base64.b64decode(request["body"]),
        )
    )
    return {"authorization": signed.header_params["Authorization"], "uri": signed.uri}


def modelled(module, value):
    """The SDK's own models where `{"NameOfTheModel": {…}}` stands for one."""
    if not isinstance(value, dict) or not value:
        return value
    name, *more = value
    fields = {key: modelled(module, field) for key, field in value.items()}
    return getattr(module, name)(**fields[name]) if not more and name[0].isupper() else fields


UNSIGNED = {"identitycenteroidc": "IdentityCenterOIDC", "identitycenterportalapi": "IdentityCenterPortalAPI"}


def client_of(item, config):
    """Of a service whose requests are signed, or of the Identity Center, which knows people by what they send."""
    if item["service"] in UNSIGNED:
        service = UNSIGNED[item["service"]]
        module = importlib.import_module(f"huaweicloudsdk{item['service']}.v1")
        kept = importlib.import_module(f"huaweicloudsdk{item['service']}.v1.{item['service']}_credentials")
        who = getattr(kept, f"{service}Credentials")()
    else:
        service = item["service"].capitalize()
        module = importlib.import_module(f"huaweicloudsdk{item['service']}.v3")
        who = credentials(item["who"]).with_iam_endpoint(item["iam"])
    builder = getattr(module, f"{service}Client").new_builder().with_http_config(config).with_credentials(who)
    return module, builder.with_region(Region(item["region"], item[item["service"]])).build()


def call(item):
    """One call of the client of `service`; its project or account is found by the SDK itself where none is given."""
    config = HttpConfig.get_default_config()
    config.ssl_ca_cert = item["ca"]
    try:
        module, client = client_of(item, config)
        name = "".join(word.capitalize() for word in item["call"].split("_"))
        request = getattr(module, f"{name}Request")(**modelled(module, item["arguments"]))
        answer = getattr(client, item["call"])(request)
    except ServiceResponseException as error:
        return {"status": error.status_code, "code": error.error_code, "message": error.error_msg}
    except SdkException as error:
        return {"status": 0, "message": error.error_msg}
    return {
        "status": answer.status_code,
        "understood": sanitize_for_serialization(answer),
        "sent": json.loads(answer.raw_content or "{}"),
    }


def credentials_of(text):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.environ["HUAWEICLOUD_SDK_CREDENTIALS_FILE"] = file.name
        try:
            read = ProfileCredentialProvider.get_basic().get_credentials()
        except Exception:  # configparser's are passed on as they are
            return None
        return {"ak": read.ak, "sk": read.sk}


def clouds(item):
    from openstack.config import OpenStackConfig

    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as directory:
        lists = {}
        for kind in ("clouds", "secure", "clouds-public"):
            lists[kind] = []
            for ending, text in item["files"].get(kind, {}).items():
                path = os.path.join(directory, f"{kind}.{ending}")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                lists[kind].append(path)
        config = OpenStackConfig(
            config_files=lists["clouds"],
            secure_files=lists["secure"],
            vendor_files=lists["clouds-public"],
            load_envvars=False,
        )
        chosen = {"region_name": item["region"]} if item.get("region") else {}
        read = config.get_one(cloud="mine", validate=False, **chosen).config
        auth = {key: value for key, value in read.items() if isinstance(value, str)}
        auth.update(read["auth"])
        return auth


if __name__ == "__main__":
    doings = {"sign": sign, "call": call, "credentials": credentials_of, "clouds": clouds}
    do = doings[sys.argv[1]]
    json.dump([do(item) for item in json.load(sys.stdin)], sys.stdout)
