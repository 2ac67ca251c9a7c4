"""The adapter of the API server, against a small one of the test's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from pinproof.errors import SubjectError
from pinproof.subjects.cluster.api import Api, ApiError, RefusedError
from pinproof.subjects.cluster.podwatch import PodWatch
from pinproof.subjects.kubelet.timeouts import Timeouts

PATIENCE = 20.0


class Server(ThreadingHTTPServer):
    """Answers what it was given to answer, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: dict[tuple[str, str], tuple[int, str]] = {}
        self.lists: list[dict[str, Any]] = []
        self.events: Queue[dict[str, Any] | None] = Queue()
        """What a watch tells; None ends its connection."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"  # as an API server's: a watch comes in chunks

    def do_GET(self) -> None:  # the library's name
        if "watch=true" in self.path:
            self._watch()
        else:
            self._answer("GET")

    def do_POST(self) -> None:  # same
        self._answer("POST")

    def do_DELETE(self) -> None:  # same
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((method, self.path, body))
        if method == "GET" and self.path.startswith("/api/v1/pods") and self.server.lists:
            code, text = 200, json.dumps(self.server.lists.pop(0))
        else:
            code, text = self.server.answers[method, self.path]
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _watch(self) -> None:
        self.server.asked.append(("WATCH", self.path, None))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            try:
                event = self.server.events.get(timeout=0.1)
            except Empty:
                continue
            line = b"" if event is None else json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            if event is None:
                return

    def log_message(self, *words: object) -> None:
        """Say nothing of requests."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.events.put(None)
    made.shutdown()
    made.server_close()


@pytest.fixture
def api(server: Server, tmp_path: Path) -> Api:
    return Api(kubeconfig(tmp_path, server.server_address[1]), timeouts=Timeouts())


def kubeconfig(place: Path, port: int) -> Path:
    file = place / "kubeconfig"
    file.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
            }
        )
    )
    return file


def test_documents_are_asked_for_with_their_query(server: Server, api: Api) -> None:
    server.answers["GET", "/x?labelSelector=a%3Db"] = 200, '{"items": []}'

    assert {"items": []} == api.get("/x", labelSelector="a=b")


def test_a_refusal_is_the_servers_own_words(server: Server, api: Api) -> None:
    server.answers["POST", "/pods"] = 422, '{"kind": "Status", "message": "no such thing"}'

    with pytest.raises(RefusedError) as raised:
        api.post("/pods", {"a": 1})

    assert (422, "no such thing") == (raised.value.code, raised.value.message)
    assert [("POST", "/pods", {"a": 1})] == server.asked


def test_ctrl_c_while_a_command_runs_in_a_pod_is_ctrl_c(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client makes an error of its own of it, after which a run would go on."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kubernetes.stream.ws_client.create_websocket", interrupted)

    with pytest.raises(KeyboardInterrupt):
        api.run("/api/v1/namespaces/n/pods/p", ["true"])


def test_what_is_gone_already_is_deleted(server: Server, api: Api) -> None:
    server.answers["DELETE", "/pods/a"] = 404, '{"message": "not found"}'

    assert not api.delete("/pods/a", grace=0)
    assert 0 == server.asked[0][2]["gracePeriodSeconds"]


def test_a_server_that_is_not_there_is_one_clear_message(tmp_path: Path) -> None:
    api = Api(kubeconfig(tmp_path, 1), timeouts=Timeouts())

    with pytest.raises(ApiError, match=r"http://127\.0\.0\.1:1 does not answer") as raised:
        api.get("/x")

    assert 12 == raised.value.exit_code


@pytest.mark.parametrize("text", ["{", "apiVersion: v1\nkind: Config\n", ""])
def test_a_kubeconfig_that_cannot_be_read_is_one_clear_message(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)

    with pytest.raises(SubjectError, match="read the kubeconfig") as raised:
        Api(file, timeouts=Timeouts())

    assert "kubectl get nodes" in str(raised.value)


def pod(uid: str, version: int, **status: object) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "name": uid, "resourceVersion": str(version)}, "status": status}


def listed(version: int, *pods: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(pods)}


def test_pods_are_those_of_the_list_and_what_happens_afterwards(server: Server, api: Api) -> None:
    server.lists.append(listed(5, pod("a", 4, phase="Pending"), pod("b", 5)))
    watch = PodWatch(api, "n")

    server.events.put({"type": "MODIFIED", "object": pod("a", 6, phase="Failed", reason="Why")})
    server.events.put({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "8"}}})
    server.events.put({"type": "DELETED", "object": pod("b", 9)})

    assert watch.until(lambda pods: "b" not in pods, PATIENCE)
    assert "Why" == watch.status("a")["reason"]
    assert "resourceVersion=5" in server.asked[1][1]
    watch.close()


def test_a_watch_that_ends_goes_on_where_it_was(server: Server, api: Api) -> None:
    server.lists.append(listed(5))
    watch = PodWatch(api, "n")
    server.events.put({"type": "ADDED", "object": pod("a", 7)})
    server.events.put(None)
    server.events.put({"type": "ADDED", "object": pod("b", 8)})

    assert watch.until(lambda pods: {"a", "b"} <= pods.keys(), PATIENCE)
    assert "resourceVersion=7" in server.asked[2][1]
    watch.close()


def test_a_watch_that_is_too_old_begins_anew_with_a_list(server: Server, api: Api) -> None:
    server.lists += [listed(5, pod("a", 4)), listed(50, pod("c", 49))]
    watch = PodWatch(api, "n")
    server.events.put({"type": "ERROR", "object": {"kind": "Status", "code": 410}})

    assert watch.until(lambda pods: ["c"] == list(pods), PATIENCE)
    watch.close()


def test_a_wait_in_vain_ends_in_time(server: Server, api: Api) -> None:
    server.lists.append(listed(5))
    watch = PodWatch(api, "n")

    assert not watch.until(lambda pods: bool(pods), 0.05)
    watch.close()
