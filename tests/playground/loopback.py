"""HTTP to our own processes: never through a proxy, whatever the environment says."""

import ssl
import urllib.request


def urlopen(request, timeout, ca=None):
    """As `urllib.request.urlopen`; `ca` is a file with the certificate to trust."""
    handlers = [urllib.request.ProxyHandler({})]
    if ca:
        handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca)))
    return urllib.request.build_opener(*handlers).open(request, timeout=timeout)
