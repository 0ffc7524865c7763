"""Local mirrors and proxies that fail in every way that real ones can fail."""
import gzip
import hashlib
import http.server
import socket
import ssl
import struct
import subprocess
import threading
import time

CONTENT = bytes(range(256)) * 400
SUM = hashlib.sha256(CONTENT).hexdigest()
# Three images of 2 by 2 pixels; the last label is 7.
IMAGES = gzip.compress(struct.pack(">4I", 0x803, 3, 2, 2) + bytes(12))
LABELS = gzip.compress(struct.pack(">2I", 0x801, 3) + bytes([1, 2, 7]))


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves files; the first folder of the path selects the behaviour."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        kind = self.path.split("/")[1]
        with self.server.lock:
            self.server.requests.append((kind, self.path))
        try:
            getattr(self, f"serve_{kind}")()
        except (ConnectionError, ssl.SSLError):
            pass
        self.close_connection = True

    def start(self, length, status=200):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def serve(self, body, length=None):
        self.start(len(body) if length is None else length)
        self.wfile.write(body)

    def serve_right(self):
        self.serve(CONTENT)

    def serve_set(self):
        self.serve(IMAGES if "images" in self.path else LABELS)

    def serve_unsized(self):
        self.start(None)
        self.wfile.write(CONTENT)

    def serve_wrong(self):
        self.serve(CONTENT[:-1] + b"!")

    def serve_short(self):
        self.serve(CONTENT[:1000])

    def serve_truncated(self):
        self.serve(CONTENT[:1000], len(CONTENT))

    def serve_long(self):
        self.serve(CONTENT + b"!")

    def serve_endless(self):
        self.start(None)
        while True:
            self.wfile.write(CONTENT)

    def serve_missing(self):
        self.start(0, 404)

    def serve_busy(self):
        self.start(0, 503)

    def redirect(self, address):
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        # Otherwise the client may send its next request while this side closes.
        self.send_header("Connection", "close")
        self.end_headers()

    def serve_moved(self):
        self.redirect(f"{self.server.address}/right/file.gz")

    def serve_plain(self):
        self.redirect(f"{self.server.insecure}/right/file.gz")

    def serve_circle(self):
        self.redirect(f"{self.server.address}/circle/file.gz")

    def serve_stall(self):
        self.start(len(CONTENT))
        self.wfile.write(CONTENT[:1000])
        self.wfile.flush()
        self.server.closing.wait(60)

    def serve_silent(self):
        self.server.closing.wait(60)

    def serve_hangup(self):
        self.connection.close()

    def serve_trickle(self):
        """Fast enough for the limit on the speed, too slow for one on the time."""
        self.start(len(CONTENT))
        for i in range(0, len(CONTENT), 500):
            self.wfile.write(CONTENT[i:i + 500])
            self.wfile.flush()
            if self.server.closing.wait(0.1):
                return

    def serve_slow(self):
        self.start(len(CONTENT))
        for i in range(0, len(CONTENT), len(CONTENT) // 5):
            self.wfile.write(CONTENT[i:i + len(CONTENT) // 5])
            self.wfile.flush()
            time.sleep(0.1)


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Mirror)
        self.requests = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        scheme = "http"
        if context:
            scheme = "https"
            # The handshake happens in the thread of the request.
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)
        self.address = f"{scheme}://localhost:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def stop(self):
        self.closing.set()
        self.shutdown()
        self.server_close()


class Proxy:
    """A proxy that answers CONNECT with a status, or forwards if it is 200; without a
    status it never answers."""

    def __init__(self, status):
        self.status, self.requests = status, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.connections = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            if self.status:
                threading.Thread(target=self.answer, args=[connection], daemon=True).start()

    def answer(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(4096)
        self.requests.append(request.split(b"\r\n")[0].decode())
        connection.sendall(b"HTTP/1.1 %d Answer\r\nContent-Length: 0\r\n\r\n"
                           % self.status if self.status != 200 else
                           b"HTTP/1.1 200 Connected\r\n\r\n")
        if self.status != 200:
            connection.close()
            return
        host, port = request.split()[1].decode().split(":")
        other = socket.create_connection((host, int(port)))
        self.connections.append(other)
        for one, two in (connection, other), (other, connection):
            threading.Thread(target=self.forward, args=[one, two], daemon=True).start()

    @staticmethod
    def forward(one, two):
        try:
            while data := one.recv(65536):
                two.sendall(data)
            two.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.socket.close()
        for connection in self.connections:
            connection.close()


def make_certificate(folder):
    """Creates a self-signed certificate."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
