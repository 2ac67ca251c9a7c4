"""Certificates that have expired: one message, exit 12."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from pinproof.cli.main import main

EXPIRED = Path(__file__).with_name("expired.pem")
"""The certificate of a server at 127.0.0.1, signed by itself, whose time is over; and its key."""

UNAUTHORIZED = b'{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "Unauthorized", "code": 401}'


class Handler(BaseHTTPRequestHandler):
    """Knows nobody: so an API server answers whose certificate has expired."""

    def do_GET(self) -> None:  # the library's name
        self.send_response(401)
        self.send_header("Content-Length", str(len(UNAUTHORIZED)))
        self.end_headers()
        self.wfile.write(UNAUTHORIZED)

    def log_message(self, *words: object) -> None:
        """Say nothing of requests."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def run(place: Path, cluster: dict[str, str]) -> int:
    """The exit code of a run with such a cluster in its kubeconfig."""
    file = place / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return main(["run", "suites/cluster", "--subject", f"cluster:{file}", "--out", str(place / "out")])


def test_a_user_whose_certificate_has_expired(
    server: ThreadingHTTPServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert 12 == run(tmp_path, {"server": f"http://127.0.0.1:{server.server_port}"})

    said = capfd.readouterr().err
    assert "the API server answered 401: Unauthorized" in said
    assert "its certificate or token may have expired" in said
    assert "Traceback" not in said


def test_a_server_whose_certificate_has_expired(
    server: ThreadingHTTPServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The kubeconfig trusts this very certificate, so that nothing else is wrong with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(EXPIRED)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    address = f"https://127.0.0.1:{server.server_port}"

    assert 12 == run(tmp_path, {"server": address, "certificate-authority": str(EXPIRED)})

    said = capfd.readouterr().err
    assert "the certificate of its API server has expired" in said
    assert "another certificate authority" not in said
    assert "Traceback" not in said
