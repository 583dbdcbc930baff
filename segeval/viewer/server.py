"""The server of the viewer: this machine only, GET only, with a token that nobody can guess.

Any page that a browser shows could send requests to 127.0.0.1, also under a name of its own (DNS
rebinding), and so could other users of the machine: hence the token, and the check of the host.
"""

import io
import os
import secrets
import socket
import socketserver
import sys
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from segeval.errors import SettingError
from segeval.text import reason_of
from segeval.viewer.routes import BUSY, NOT_FOUND, Answer, Routes

ADDRESS: Final = "127.0.0.1"
CONNECTIONS: Final = 64  # connections that are served at once; more are to come back later
BACKLOG: Final = 1024  # connections that wait to be accepted; the system forgets those beyond
TIMEOUT: Final = 10.0  # seconds for a browser to send its request, and to take the answer
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}  # what every answer says


def headers_of(answer: Answer) -> dict[str, str]:
    """Return what is said before the body of an answer."""
    headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **HEADERS}
    return headers | MORE_HEADERS.get(answer.status, {})


MORE_HEADERS: Final[dict[int, dict[str, str]]] = {
    HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": "GET, HEAD"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "1"},
}
REFUSAL: Final = (
    "HTTP/1.0 503 Service Unavailable\r\n"
    + "".join(f"{name}: {value}\r\n" for name, value in headers_of(BUSY).items())
    + "\r\n"
).encode() + BUSY.body


class Viewer(ThreadingHTTPServer):
    """A server that listens as soon as it is made, at any free port if that is 0."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = os.name == "posix"
    request_queue_size = BACKLOG

    def __init__(self, routes: Routes, port: int = 0) -> None:
        self.routes, self.token = routes, secrets.token_urlsafe(32)
        self.deadline = TIMEOUT
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            raise SettingError(
                f"--port {port} cannot be used: {reason_of(error)}; leave it out for any free port"
            ) from error
        names = (ADDRESS, "localhost")
        self.hosts = {f"{name}:{self.server_port}" for name in names}
        if self.server_port == 80:  # browsers leave it out
            self.hosts |= {*names}

    @property
    def url(self) -> str:
        """Address of the page, with the token."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def server_bind(self) -> None:
        """Bind without asking the network for a name, as the standard library would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or refuse it at once if there are too many."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with suppress(OSError):
            request.settimeout(0)
            request.send(REFUSAL)
            request.recv(1 << 16)  # to close with something unread would take the answer back
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and make room for the next one."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent where a browser went away or was too slow."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def answer(self, target: str, hosts: list[str]) -> Answer:
        """Answer the target of a request that names these hosts."""
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return Answer(body=b"this host name is not served\n", status=403)
        path, _, query = target.partition("?")
        token, slash, route = path.removeprefix("/").partition("/")
        given = token.encode("utf-8", "surrogateescape")
        if not secrets.compare_digest(given, self.token.encode()):
            return Answer(body=b"open the address that segeval view printed\n", status=403)
        if not slash or not path.startswith("/"):
            return NOT_FOUND
        return self.routes.answer(route, query)


class _Handler(BaseHTTPRequestHandler):
    """One request, one answer, and the connection is closed."""

    server: Viewer
    timeout = TIMEOUT
    default_request_version = "HTTP/1.0"  # also what is broken is answered with headers

    def setup(self) -> None:
        """Read from the browser until a deadline, however little it sends at a time."""
        super().setup()
        self.rfile = io.BufferedReader(_Timed(self.connection, self.server.deadline))

    def do_GET(self) -> None:
        """Answer with a body."""
        self._send(self.server.answer(self.path, self.headers.get_all("Host") or []))

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the standard library finds wrong, in our own words."""
        del message, explain
        status = HTTPStatus(405 if code == HTTPStatus.NOT_IMPLEMENTED else code)
        self._send(Answer(body=f"{status.phrase}\n".encode(), status=status))

    def _send(self, answer: Answer) -> None:
        self.connection.settimeout(TIMEOUT)
        self.send_response(answer.status)
        for name, value in headers_of(answer).items():
            self.send_header(name, value)
        self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        """Say who answers, and no more."""
        return "segeval"

    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""


class _Timed(io.RawIOBase):
    """A socket that is read until a deadline."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._end = connection, time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
