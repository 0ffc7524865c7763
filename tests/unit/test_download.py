"""Downloads from local servers that fail in every way a mirror can fail.

usage: test_download.py CLIENT
"""
import gzip
import hashlib
import http.server
import os
import pathlib
import shutil
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

CLIENT = os.path.abspath(sys.argv.pop(1))
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


class Download(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.own = tempfile.TemporaryDirectory(prefix="lstm-test-")
        cls.certificate = pathlib.Path(cls.own.name, "certificate.pem")
        cls.server = Server(make_certificate(pathlib.Path(cls.own.name)))
        cls.insecure = Server()
        cls.server.insecure = cls.insecure.address

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.insecure.stop()
        cls.own.cleanup()

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="lstm-test-")
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name, "cache", "test")
        self.file = self.folder / "file.gz"
        self.server.requests.clear()
        self.insecure.requests.clear()

    def start(self, *mirrors, folder=None, certificate=None, size=len(CONTENT),
              options=()):
        addresses = [m if ":" in m else f"{self.server.address}/{m}/" for m in mirrors]
        return subprocess.Popen(
            [CLIENT, *options, folder or self.folder,
             self.certificate if certificate is None else certificate,
             str(size), SUM, "1", *addresses],
            stdout=subprocess.PIPE, text=True, env=self.environment())

    def environment(self):
        """The environment without proxies, which must not see the local server."""
        kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        return {**kept, "XDG_CACHE_HOME": str(self.folder.parent)}

    def search(self, mirror="set"):
        arguments = [self.certificate, f"{self.server.address}/{mirror}/"]
        for content in IMAGES, LABELS:
            arguments += [str(len(content)), hashlib.sha256(content).hexdigest()]
        return self.finish(subprocess.Popen(
            [CLIENT, "--open", *arguments], stdout=subprocess.PIPE, text=True,
            env=self.environment()))

    def finish(self, client):
        output, _ = client.communicate(timeout=500)
        self.assertEqual(client.returncode, 0)
        status, message, progress = output.splitlines()
        return status, message, [int(n) for n in progress.split()]

    def download(self, *mirrors, **options):
        return self.finish(self.start(*mirrors, **options))

    def served(self):
        return [kind for kind, _ in self.server.requests]

    def refuse(self, mirror, *parts, **options):
        """Checks that the mirror fails with a message and the next mirror is tried."""
        status, message, _ = self.download(mirror, **options)
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertTrue(message.startswith("file.gz: download failed: https://"),
                        message)
        for part in parts:
            self.assertIn(part, message)
        self.assertEqual(os.listdir(self.folder), [".lock"])
        status, message, _ = self.download(mirror, "right", **options)
        self.assertEqual((status, message), ("MNIST_OK", ""))
        self.assertEqual(self.file.read_bytes(), CONTENT)
        self.assertEqual(sorted(os.listdir(self.folder)), [".lock", "file.gz"])

    def test_a_correct_file_is_downloaded_with_progress_calls(self):
        status, _, (calls, done, total) = self.download("right", "busy")
        self.assertEqual(status, "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), CONTENT)
        self.assertGreater(calls, 1)
        self.assertEqual((done, total), (len(CONTENT), len(CONTENT)))
        self.assertEqual(self.served(), ["right"])
        self.assertEqual(self.server.requests[0][1], "/right/file.gz")

    def test_a_file_without_content_length_is_downloaded(self):
        self.assertEqual(self.download("unsized")[0], "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), CONTENT)

    def test_an_existing_file_is_not_downloaded(self):
        self.folder.mkdir(parents=True)
        self.file.write_bytes(b"older")
        self.assertEqual(self.download("right")[0], "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), b"older")
        self.assertEqual(self.served(), [])

    def test_a_wrong_sum_is_refused(self):
        self.refuse("wrong", "SHA-256 is ", f"expected {SUM}")

    def test_a_short_file_is_refused(self):
        self.refuse("short", "has 1000 bytes, expected 102400")

    def test_a_truncated_file_is_refused(self):
        self.refuse("truncated", "/truncated/: ")

    def test_a_long_file_is_refused(self):
        self.refuse("long", "file is larger than the expected 102400 bytes")

    def test_an_endless_file_is_refused(self):
        self.refuse("endless", "file is larger than the expected 102400 bytes")

    def test_404_is_reported_and_the_next_mirror_is_tried(self):
        self.refuse("missing", "HTTP status 404")
        self.assertEqual(self.served(), ["missing", "missing", "right"])

    def test_503_is_reported_and_the_next_mirror_is_tried(self):
        self.refuse("busy", "HTTP status 503")
        self.assertEqual(self.served(), ["busy", "busy", "right"])

    def test_every_failed_mirror_is_reported(self):
        status, message, _ = self.download("missing", "busy", "short")
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        for part in ("missing/: HTTP status 404; ", "busy/: HTTP status 503; ",
                     "short/: file has 1000 bytes"):
            self.assertIn(part, message)

    def test_a_redirect_to_https_is_followed(self):
        self.assertEqual(self.download("moved")[0], "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), CONTENT)

    def test_a_redirect_to_http_is_refused(self):
        self.refuse("plain", "http")
        self.assertEqual(self.insecure.requests, [])

    def test_an_http_mirror_is_refused(self):
        status, _, _ = self.download(f"{self.insecure.address}/right/")
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertEqual(self.insecure.requests, [])

    def test_circular_redirects_end(self):
        self.refuse("circle", "redirects")

    def test_a_stalled_transfer_times_out(self):
        self.refuse("stall", "/stall/: ")

    def test_a_mirror_that_never_responds_times_out(self):
        self.refuse("silent", "/silent/: ")

    def test_a_closed_connection_is_an_error(self):
        self.refuse("hangup", "/hangup/: ")

    def test_an_untrusted_certificate_is_refused(self):
        status, message, _ = self.download("right", certificate="")
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertIn("certificate", message)
        self.assertEqual(self.served(), [])

    def test_simultaneous_downloads_fetch_the_file_once(self):
        clients = [self.start("slow") for _ in range(3)]
        for client in clients:
            self.assertEqual(self.finish(client)[0], "MNIST_OK")
        self.assertEqual(self.served(), ["slow"])
        self.assertEqual(self.file.read_bytes(), CONTENT)

    def test_a_killed_download_does_not_block_the_next(self):
        client = self.start("stall")
        while "stall" not in self.served():
            time.sleep(0.01)
        client.kill()
        client.communicate()
        self.assertFalse(self.file.exists())
        self.assertEqual(self.download("right")[0], "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), CONTENT)

    def test_a_full_disk_ends_the_download_and_leaves_no_file(self):
        status, message, _ = self.download("right", "right", options=["--full"])
        self.assertEqual(status, "MNIST_IO_ERROR")
        self.assertIn("file.gz: cannot be written: No space left", message)
        self.assertEqual(self.served(), ["right"])
        self.assertEqual(os.listdir(self.folder), [".lock"])

    def test_a_search_fills_the_cache_once(self):
        for fetched in 2, 0:
            self.server.requests.clear()
            self.assertEqual(self.search(), ("MNIST_OK", "", [fetched, 3, 7]))
            self.assertEqual(len(self.served()), fetched)
        self.assertEqual(sorted(os.listdir(self.folder)),
                         [".lock", "images-idx3.gz", "labels-idx1.gz"])

    def test_a_search_downloads_only_missing_files(self):
        self.folder.mkdir(parents=True)
        (self.folder / "labels-idx1").write_bytes(gzip.decompress(LABELS))
        self.assertEqual(self.search(), ("MNIST_OK", "", [1, 3, 7]))
        self.assertEqual([path for _, path in self.server.requests],
                         ["/set/images-idx3.gz"])

    def test_a_search_reports_why_the_download_failed(self):
        status, message, _ = self.search("missing")
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertIn(f"test: not in the cache ({self.folder}); images-idx3.gz: "
                      "download failed: https://", message)
        self.assertIn("/missing/: HTTP status 404", message)
        self.assertEqual(len(self.served()), 1)

    def test_a_folder_that_cannot_be_created_is_reported(self):
        blocked = pathlib.Path(self.temporary.name, "blocked")
        blocked.write_bytes(b"")
        status, message, _ = self.download("right", folder=blocked / "test")
        self.assertEqual(status, "MNIST_IO_ERROR")
        self.assertIn("blocked/test: cannot be created: ", message)
        self.assertEqual(self.served(), [])


if __name__ == "__main__":
    if not shutil.which("openssl"):
        print("skipped: no openssl to make a certificate with")
        sys.exit(77)
    unittest.main()
