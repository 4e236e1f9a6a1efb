"""Asks the API server for its namespaces with the official Python client, set up once, so many times, one second apart.

Says of each request what came: the HTTP status, or what went wrong.
"""

import sys
import time

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException


def ask(api):
    try:
        api.list_namespace(_request_timeout=20)
        return 200
    except ApiException as error:
        return error.status


def main():
    config.load_kube_config()
    api = client.CoreV1Api()
    for left in reversed(range(int(sys.argv[1]))):
        try:
            print(ask(api), flush=True)
        except Exception as error:  # whatever it is, the test shows it
            print(repr(error).replace("\n", " "), flush=True)
        if left:
            time.sleep(1)


main()
