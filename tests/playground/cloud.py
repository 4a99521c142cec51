"""The simulated cloud as one of its other users sees it: signed calls to the service, and the simulator's control side."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from loopback import urlopen
from ui import Failure


# Another change is under way, or the gateway's limit is reached.
BUSY = ("DMS.00400017", "DMS.00400026", "APIGW.0308")


class Cloud:
    def __init__(self, url, access_key, secret_key, project_id):
        self.url, self.access_key, self.secret_key, self.project_id = url, access_key, secret_key, project_id

    def change(self, method, path, body, ids):
        """A change made as from the console; `{project}` in the path is ours, other words are keys of `ids`.

        While the instance is busy it is tried again, as a person would.
        """
        url = f"{self.url}/{path.format(project=self.project_id, **ids)}"
        deadline = time.monotonic() + 30
        while True:
            payload = b"" if body is None else json.dumps(body).encode()
            try:
                return _send(method, url, payload, sign(method, url, payload, self.access_key, self.secret_key))
            except urllib.error.HTTPError as error:
                text = error.read().decode(errors="replace")
                if not any(code in text for code in BUSY) or time.monotonic() > deadline:
                    raise Failure(f"{method} {url}: {error.code} {text}") from error
            time.sleep(0.5)

    def state(self):
        """Everything that the cloud holds, as the simulator knows it."""
        return self._control("GET", "state")

    def calls(self):
        return self._control("GET", "calls")

    def calls_by_operation(self):
        return self._control("GET", "calls?summary=true")

    def load(self):
        """By operation: calls, what they named, the most at once, answers."""
        return self._control("GET", "load")

    def fill(self, instance, names):
        """Makes topics in a Kafka instance, all at once."""
        self._control("POST", "topics", {"instance": instance, "names": names})

    def forget_calls(self):
        self._control("DELETE", "calls")

    def inject(self, operation, effect, times=1, **options):
        """The next `times` calls of the operation meet the effect."""
        self._control("POST", "faults", {"operation": operation, "times": times, "effect": effect, **options})

    def faults(self):
        """Those that have not struck yet."""
        return self._control("GET", "faults")

    def connect(self, instance, group, members):
        """So many clients are connected to a consumer group from now on."""
        self._control("POST", "clients", {"instance": instance, "group": group, "members": members})

    def leave_unread(self, instance, group, topic, messages):
        """A consumer group has so many messages of a topic yet to read."""
        self._control("POST", "lag", {"instance": instance, "group": group, "topic": topic, "messages": messages})

    def heal(self):
        """Calls all faults off."""
        self._control("DELETE", "faults")

    def wait_until_up(self, check, limit=30):
        deadline = time.monotonic() + limit
        while True:
            check()
            try:
                return self.calls_by_operation()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Failure(f"the simulator does not answer on {self.url}: {error}") from error
            time.sleep(0.05)

    def _control(self, method, path, body=None):
        return _send(method, f"{self.url}/_simulator/{path}", body, {})


def sign(method, url, payload, access_key, secret_key, now=None):
    """The headers of SDK-HMAC-SHA256 for a request with a JSON body."""
    parts = urllib.parse.urlsplit(url)
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    headers = {"content-type": "application/json", "host": parts.netloc, "x-sdk-date": date}
    names = ";".join(headers)
    canonical = "\n".join(
        [
            method,
            parts.path.rstrip("/") + "/",
            "&".join(sorted(parts.query.split("&"))),
            "".join(f"{name}:{value}\n" for name, value in headers.items()),
            names,
            hashlib.sha256(payload).hexdigest(),
        ]
    )
    to_sign = f"SDK-HMAC-SHA256\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return headers | {
        "authorization": f"SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={signature}"
    }


def _send(method, url, body, headers):
    if body is not None and not isinstance(body, bytes):
        body, headers = json.dumps(body).encode(), headers | {"content-type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urlopen(request, 30) as response:
        text = response.read()
    return json.loads(text) if text else None
