"""The vendor's SDK, unchanged but for the endpoint. What it makes of an answer is compared with the answer itself."""

import json
import re

from differences import DIFFERENCES


class Service:
    """One of the SDK's packages with a client: `service.list_instances(engine="kafka")` is the SDK's call of that name.

    `called` has the engine and the operation of every call that went well, `met` the differences that were seen.
    """

    called, met = set(), set()

    def __init__(self, engine, package, client):
        self._engine, self._package, self._client = engine, package, client

    def __getattr__(self, method):
        operation = camel_case(method)
        request, call = getattr(self._package, f"{operation}Request"), getattr(self._client, method)

        def checked(**parameters):
            response = call(request(**parameters))
            self._compare(operation, response)
            self.called.add((self._engine, operation))
            return response

        return checked

    def operations(self):
        """What the SDK can call, from its own code: operation, method, and path with its parameters in braces."""
        for name in dir(self._client):
            if method := re.fullmatch("_(.*)_http_info", name):
                operation = camel_case(method[1])
                info = getattr(self._client, name)(getattr(self._package, f"{operation}Request")())
                yield operation, info["method"], info["resource_path"]

    def _compare(self, operation, response):
        text = response.raw_content.decode()
        # A body that is no JSON is for the SDK a string, in a model with the one field `body`.
        try:
            answer = json.loads(text or "{}")
        except ValueError:
            answer = {"body": text}
        found = {(self._engine, operation, path): what for path, what in misread(answer, response)}
        self.met.update(found.keys() & DIFFERENCES.keys())
        unknown = {key: what for key, what in found.items() if key not in DIFFERENCES}
        assert not unknown, f"the SDK misreads {text}: {unknown}"


def misread(said, read, path=""):
    """Where the SDK's object `read` is not what the JSON `said`, as pairs of a path and an explanation."""
    fields = getattr(read, "attribute_map", None)
    if fields is not None and isinstance(said, dict):
        attributes = {key: name for name, key in fields.items()}
        for key, value in said.items():
            if key in attributes:
                yield from misread(value, getattr(read, attributes[key]), f"{path}/{key}")
            else:
                yield f"{path}/{key}", "the SDK does not know it"
    elif isinstance(said, list) and isinstance(read, list) and len(said) == len(read):
        for one, other in zip(said, read):
            yield from misread(one, other, f"{path}/*")
    elif said != read or isinstance(said, bool) != isinstance(read, bool):
        yield path, f"{said!r} is read as {read!r}"


def camel_case(method):
    return "".join(part.capitalize() for part in method.split("_"))
