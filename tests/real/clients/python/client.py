"""Asks the API server for its namespaces with the official Python client, so many times, one second apart.

Says of each request what came: the HTTP status, or what went wrong. The client is set up once; with `reload` again after each 401.
"""

import sys
import time

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException


def set_up():
    config.load_kube_config()
    return client.CoreV1Api()


def ask(api):
    try:
        api.list_namespace(_request_timeout=20)
        return 200
    except ApiException as error:
        return error.status
    except Exception as error:  # whatever it is, the test shows it
        return repr(error).replace("\n", " ")


def main():
    api = set_up()
    for left in reversed(range(int(sys.argv[1]))):
        status = ask(api)
        print(status, flush=True)
        if status == 401 and "reload" in sys.argv:
            api = set_up()
        if left:
            time.sleep(1)


main()
