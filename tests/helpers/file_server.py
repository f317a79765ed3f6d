"""A server on this machine that breaks off, ignores ranges, is busy, wants a contact, or changes its file."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

BODY = np.random.default_rng([1]).bytes(300_000)


class Server(ThreadingHTTPServer):
    """One file; ``breaks`` lists after how many bytes each answer breaks off, ``statuses`` what is answered first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.tag = BODY, '"v1"'
        self.breaks: list[int] = []
        self.statuses: list[int] = []
        self.refused: dict[str, int] = {}  # starts of addresses -> the status that they are answered with
        self.ranges = True
        self.headers: dict[str, str] = {}
        self.seen: list[str] = []  # the Range of each request
        self.paths: list[str] = []  # the path of each request, or its address, where this is asked as a proxy
        self.agents: list[str] = []  # the User-Agent of each request
        self.files: dict[str, bytes] = {}  # further files, by path
        self.needs_contact = False  # else 403
        self.location: str | None = None  # with each status that is no success
        self.retry_after: str | None = None  # with each status that is no success

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/folder/file%20one.gz"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        server = self.server
        if self.path in server.files:
            self.send_response(200)
            self.send_header("Content-Length", str(len(server.files[self.path])))
            self.end_headers()
            self.wfile.write(server.files[self.path])
            return
        server.paths.append(self.path)
        asked = self.headers.get("Range", "")
        server.seen.append(asked)
        server.agents.append(self.headers.get("User-Agent", ""))
        if server.needs_contact and "@" not in server.agents[-1]:
            server.statuses = [403]
        server.statuses += [status for start, status in server.refused.items() if self.path.startswith(start)]
        if server.statuses:
            self.send_response(server.statuses.pop(0))
            if server.location:
                self.send_header("Location", server.location)
            if server.retry_after:
                self.send_header("Retry-After", server.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        if asked and server.ranges and self.headers.get("If-Range", server.tag) == server.tag:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            if start >= len(server.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(server.body) - 1}/{len(server.body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(server.body) - start))
        self.send_header("ETag", server.tag)
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        end = start + server.breaks.pop(0) if server.breaks else len(server.body)
        self.wfile.write(server.body[start:end])
        self.close_connection = True
