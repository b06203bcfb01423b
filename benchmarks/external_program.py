"""A program of somebody's own: the standard library's HTTP server on $PORT, and nothing else."""

import http.server
import os


class Hello(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"Hello {os.environ.get('TARGET', 'World')}!\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing per request."""


if __name__ == "__main__":
    address = ("127.0.0.1", int(os.environ.get("PORT", "8080")))
    http.server.ThreadingHTTPServer(address, Hello).serve_forever()
