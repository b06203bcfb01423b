"""A program that listens on 0.0.0.0:8080, as one in a container does, whatever PORT says.

GET / says who answers: REVISION PORT PID; so does POST, once its body is there.
GET /fetch/PORT/HOST asks 127.0.0.1:PORT for HOST, and says what came: the status line and the
body's last line, or the error.
"""

import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/fetch/"):
            _, _, port, host = self.path.split("/")
            self.answer(fetch(int(port), host))
        else:
            revision, port = os.environ.get("K_REVISION", ""), os.environ.get("PORT", "")
            self.answer(f"{revision} {port} {os.getpid()}")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def answer(self, text):
        body = text.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_):
        pass


def fetch(port, host):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
            request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            peer.sendall(request.encode())
            answer = b"".join(iter(lambda: peer.recv(65536), b"")).decode()
    except OSError as error:
        return type(error).__name__
    return f"{answer.splitlines()[0]} {answer.splitlines()[-1]}"


ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()  # noqa: S104
