"""The official Python SDK, asked from a test: a JSON list comes on stdin, a list of as many answers goes to stdout.

    sdk.py sign    requests in, and for each the `Authorization` and the URI that the SDK would send
"""

import base64
import json
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest


def credentials(who):
    """An account's, if there is a domain; a project's otherwise."""
    if who.get("domain"):
        made = GlobalCredentials(who["ak"], who["sk"], who["domain"])
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


if __name__ == "__main__":
    doings = {"sign": sign}
    do = doings[sys.argv[1]]
    json.dump([do(item) for item in json.load(sys.stdin)], sys.stdout)
