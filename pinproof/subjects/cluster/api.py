"""A cluster's API server: the official client where it knows best (kubeconfig, TLS, who we are), plain JSON for the rest.

The typed models of the client parse a pod in milliseconds and rename its fields; a scenario asks for hundreds of them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import yaml

from pinproof.errors import SubjectError
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.waiting import looks

Document = dict[str, Any]

T = TypeVar("T")

_FAULT = "the cluster"
_LOOK = "see whether the cluster runs and the kubeconfig names it; then run again"
_TLS = (
    (
        "certificate has expired",
        "the cluster: the certificate of its API server has expired; or the clock of this machine",
        "let the cluster renew it (`kubeadm certs renew apiserver`), or set the clock",
    ),
    ("CERTIFICATE_VERIFY_FAILED", "the kubeconfig: it has another certificate authority than the server", _LOOK),
)
"""What TLS says of a server that is not trusted, the likeliest first → whose fault it is, and the way out."""

NOT_FOUND = 404
_PAUSE = 0.5
"""Seconds between two attempts at a server that does not answer."""

_SLOW = 3.0
"""After so many seconds an answer was waited for longer than a server takes."""


class ApiError(SubjectError):
    """The API server is not there, or did not answer as it should."""


class RefusedError(Exception):
    """The API server answered that it does not do what it was asked; `code` is HTTP's."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class Api:
    """A connection to the API server that a kubeconfig names."""

    def __init__(self, kubeconfig: Path, *, timeouts: Timeouts, context: str = "") -> None:
        """Read the kubeconfig. Raises SubjectError where the client is not installed or cannot read it."""
        self.patience = 0.0
        """Seconds that a server may be gone."""

        self.silence = 0.0
        """Seconds for which the server was gone, or did not answer, so far."""

        self._timeouts = timeouts
        self._client = client = _client(kubeconfig, context)
        self._pool = client.rest_client.pool_manager
        self._host = str(client.configuration.host)
        self._headers = {"Accept": "application/json", "User-Agent": "pinproof"}
        for way in client.configuration.auth_settings().values():
            if way["in"] == "header":
                self._headers[way["key"]] = way["value"]

    def get(self, path: str, **query: object) -> Document:
        """GET a document. Raises RefusedError, ApiError."""
        return cast(Document, json.loads(self.text(path, **query)))

    def text(self, path: str, **query: object) -> str:
        """GET a text, such as a page of metrics. Raises RefusedError, ApiError."""
        return self._request("GET", path, query=query).decode(errors="replace")

    def post(self, path: str, body: Document) -> Document:
        """Create an object. Raises RefusedError, ApiError."""
        return cast(Document, json.loads(self._request("POST", path, body=body)))

    def put(self, path: str, body: Document) -> Document:
        """Replace an object; refused with 409 if somebody else has changed it. Raises RefusedError, ApiError."""
        return cast(Document, json.loads(self._request("PUT", path, body=body)))

    def patch(self, path: str, body: Document, *, way: str = "merge") -> Document:
        """Change an object by a `merge` or a `strategic-merge` patch. Raises RefusedError, ApiError."""
        return cast(
            Document, json.loads(self._request("PATCH", path, body=body, content=f"application/{way}-patch+json"))
        )

    def run(self, pod: str, command: Sequence[str], *, container: str = "", once: bool = False) -> str:
        """Run a command in a pod, given by its path, and return what it says. Raises RefusedError, ApiError.

        `once`: it is not run again where its answer is lost.
        """
        if once:
            return self._run(pod, command, container)
        return self._patiently(lambda: self._run(pod, command, container))

    def delete(self, path: str, *, grace: int | None = None, orphan: bool = False, version: str = "") -> bool:
        """Delete an object; whether there was one. Raises RefusedError, ApiError.

        `grace` 0 does not wait for a pod's node. `orphan` leaves what belongs to the object. With a resource `version` it is
        refused with 409 where the object is not as it was.
        """
        options: Document = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if orphan:
            options["propagationPolicy"] = "Orphan"
        if version:
            options["preconditions"] = {"resourceVersion": version}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self._request("DELETE", path, body=options)
        except RefusedError as refused:
            if refused.code == NOT_FOUND:
                return False
            raise
        return True

    def watch(self, path: str, *, since: str, **query: object) -> Iterator[Document]:
        """The events of a collection after a resource version, until the server or `interrupt` ends it."""
        query = {**query, "watch": "true", "resourceVersion": since, "allowWatchBookmarks": "true"}
        response = self._open("GET", path, query=query, read=None)
        try:
            if response.status >= 400:
                raise _refused(response.status, response.read())
            rest = b""
            for chunk in response.stream(1 << 16, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield cast(Document, json.loads(line))
        finally:
            response.close()

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: Document | None = None,
        query: Mapping[str, object] | None = None,
        content: str = "application/json",
    ) -> bytes:
        return self._patiently(lambda: self._ask(method, path, body=body, query=query, content=content))

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Attempt it again while the server is gone; what it does twice is answered like what it does once, or refused."""
        begun = time.monotonic()
        for more in looks(self.patience, pause=_PAUSE):
            try:
                answer = attempt()
            except ApiError:
                if not more:
                    raise
            else:
                waited = time.monotonic() - begun
                self.silence += waited if waited > _SLOW else 0.0
                return answer
        raise AssertionError("the last look answers or raises")

    def _ask(
        self, method: str, path: str, *, body: Document | None, query: Mapping[str, object] | None, content: str
    ) -> bytes:
        import urllib3

        seconds = self._timeouts.seconds("api")
        response = self._open(method, path, body=body, query=query, read=seconds, content=content)
        try:
            data = cast(bytes, response.read())
        except urllib3.exceptions.HTTPError as error:
            raise self._gone(f"{method} {path}", error) from error
        response.release_conn()
        if response.status >= 400:
            raise _refused(response.status, data)
        return data

    def _run(self, pod: str, command: Sequence[str], container: str) -> str:
        """By the official client, which knows the protocol."""
        from kubernetes.client import CoreV1Api
        from kubernetes.client.exceptions import ApiException
        from kubernetes.stream import stream
        from websocket import WebSocketException

        _, _, _, _, namespace, _, name = pod.split("/")
        question = f"run {' '.join(command)} in {namespace}/{name}"
        try:
            session = stream(
                CoreV1Api(self._client).connect_get_namespaced_pod_exec,
                name,
                namespace,
                command=list(command),
                stdout=True,
                stderr=True,
                stdin=False,
                tty=False,
                _preload_content=False,
                **({"container": container} if container else {}),
                _request_timeout=self._timeouts.seconds("api"),
            )
            try:
                session.run_forever(timeout=self._timeouts.seconds("api"))
                said, words, code = session.read_stdout(), session.read_stderr(), session.returncode
            finally:
                session.sock.shutdown()  # its own close leaves the socket open where the server was quicker
        except ApiException as error:
            if isinstance(error.__context__, (KeyboardInterrupt, SystemExit)):
                raise error.__context__ from None  # the client makes an error of its own of Ctrl-C
            code = error.status or _handshake(str(error.reason))
            if code:
                raise RefusedError(code, f"{question}: {error.reason}") from error
            raise self._gone(question, error.reason) from error
        except (OSError, WebSocketException) as error:
            raise self._gone(question, error) from error
        if code != 0:
            raise RefusedError(500, f"{question}: ended with {code}: {words.strip()[-300:]}")
        return str(said)

    def _gone(self, question: str, error: object) -> ApiError:
        fault, remedy = next((known for sign, *known in _TLS if sign in str(error)), (_FAULT, _LOOK))
        return ApiError(
            f"ask the API server, {question}", f"{self._host} does not answer: {error}", fault=fault, remedy=remedy
        )

    def _open(
        self,
        method: str,
        path: str,
        *,
        read: float | None,
        body: Document | None = None,
        query: Mapping[str, object] | None = None,
        content: str = "application/json",
    ) -> Any:
        import urllib3

        url = f"{self._host}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {**self._headers, **({"Content-Type": content} if body is not None else {})}
        data = json.dumps(body, separators=(",", ":")) if body is not None else None
        timeout = urllib3.Timeout(connect=self._timeouts.seconds("api"), read=read)
        try:
            return self._pool.request(
                method, url, body=data, headers=headers, timeout=timeout, preload_content=False, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._gone(f"{method} {path}", error) from error


def _handshake(reason: str) -> int:
    """The code of HTTP with which a server did not become a web socket; 0 where there was no server."""
    found = re.match(r"Handshake status (\d+)", reason)
    return int(found[1]) if found else 0


def _refused(code: int, data: bytes) -> RefusedError:
    try:
        said = json.loads(data)
        message = str(said.get("message", "")) if isinstance(said, dict) else ""
    except ValueError:
        message = ""
    return RefusedError(code, message or data[:300].decode(errors="replace"))


def _client(kubeconfig: Path, context: str) -> Any:
    try:
        from kubernetes import config
    except ImportError as error:
        raise SubjectError(
            "open the cluster",
            f"the official client of Kubernetes is not installed: {error}",
            fault="this installation of pinproof",
            remedy="pip install 'pinproof[kind]'",
        ) from error
    try:
        if not isinstance(yaml.safe_load(kubeconfig.read_text()), dict):
            raise TypeError("it is no kubeconfig, which has clusters, users and contexts")
        load: Any = config.new_client_from_config  # the client has no types
        return load(config_file=str(kubeconfig), context=context or None, persist_config=False)
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError) as error:
        raise SubjectError(
            "read the kubeconfig",
            f"{kubeconfig}: {error}",
            fault="the kubeconfig",
            remedy="give one with which `kubectl get nodes` works",
        ) from error
