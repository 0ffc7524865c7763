"""Downloads from a server that this program starts: everything a mirror can do wrong.

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
# Three images of 2 by 2, the last of which is a 7.
IMAGES = gzip.compress(struct.pack(">4I", 0x803, 3, 2, 2) + bytes(12))
LABELS = gzip.compress(struct.pack(">2I", 0x801, 3) + bytes([1, 2, 7]))


class Mirror(http.server.BaseHTTPRequestHandler):
    """The first folder of the address says how the file is served."""

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
        # Or the client may send its next request while this end closes.
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
    """A certificate that nobody trusts but who is told to."""
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
        """Without proxies, which the test's own server needs none of."""
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
        """The mirror is refused with a message, and the next one is tried."""
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

    def test_the_right_file_arrives_with_its_progress(self):
        status, _, (calls, done, total) = self.download("right", "busy")
        self.assertEqual(status, "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), CONTENT)
        self.assertGreater(calls, 1)
        self.assertEqual((done, total), (len(CONTENT), len(CONTENT)))
        self.assertEqual(self.served(), ["right"])
        self.assertEqual(self.server.requests[0][1], "/right/file.gz")

    def test_a_file_of_unannounced_size_arrives(self):
        self.assertEqual(self.download("unsized")[0], "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), CONTENT)

    def test_a_file_that_is_there_is_not_fetched(self):
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
        self.refuse("truncated", "/truncated/ ")

    def test_a_long_file_is_refused(self):
        self.refuse("long", "is longer than the 102400 bytes expected")

    def test_an_endless_file_is_refused(self):
        self.refuse("endless", "is longer than the 102400 bytes expected")

    def test_404_is_named_and_the_next_mirror_tried(self):
        self.refuse("missing", "answers 404")
        self.assertEqual(self.served(), ["missing", "missing", "right"])

    def test_503_is_named_and_the_next_mirror_tried(self):
        self.refuse("busy", "answers 503")
        self.assertEqual(self.served(), ["busy", "busy", "right"])

    def test_every_mirror_that_failed_is_named(self):
        status, message, _ = self.download("missing", "busy", "short")
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        for part in ("missing/ answers 404; ", "busy/ answers 503; ",
                     "short/ has 1000 bytes"):
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

    def test_redirects_in_a_circle_end(self):
        self.refuse("circle", "redirects")

    def test_a_mirror_that_stalls_is_given_up(self):
        self.refuse("stall", "/stall/ ")

    def test_a_mirror_that_never_answers_is_given_up(self):
        self.refuse("silent", "/silent/ ")

    def test_a_mirror_that_hangs_up_is_given_up(self):
        self.refuse("hangup", "/hangup/ ")

    def test_a_certificate_that_is_not_trusted_is_refused(self):
        status, message, _ = self.download("right", certificate="")
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertIn("certificate", message)
        self.assertEqual(self.served(), [])

    def test_two_at_once_fetch_once(self):
        clients = [self.start("slow") for _ in range(3)]
        for client in clients:
            self.assertEqual(self.finish(client)[0], "MNIST_OK")
        self.assertEqual(self.served(), ["slow"])
        self.assertEqual(self.file.read_bytes(), CONTENT)

    def test_one_that_is_killed_does_not_stop_the_next(self):
        client = self.start("stall")
        while "stall" not in self.served():
            time.sleep(0.01)
        client.kill()
        client.communicate()
        self.assertFalse(self.file.exists())
        self.assertEqual(self.download("right")[0], "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), CONTENT)

    def test_a_full_disk_ends_the_search_and_leaves_nothing(self):
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

    def test_a_search_fetches_what_the_cache_lacks(self):
        self.folder.mkdir(parents=True)
        (self.folder / "labels-idx1").write_bytes(gzip.decompress(LABELS))
        self.assertEqual(self.search(), ("MNIST_OK", "", [1, 3, 7]))
        self.assertEqual([path for _, path in self.server.requests],
                         ["/set/images-idx3.gz"])

    def test_a_search_says_why_the_download_failed(self):
        status, message, _ = self.search("missing")
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertIn(f"test: not in the cache ({self.folder}); images-idx3.gz: "
                      "download failed: https://", message)
        self.assertIn("/missing/ answers 404", message)
        self.assertEqual(len(self.served()), 1)

    def test_a_folder_that_cannot_be_made_is_named(self):
        blocked = pathlib.Path(self.temporary.name, "blocked")
        blocked.write_bytes(b"")
        status, message, _ = self.download("right", folder=blocked / "test")
        self.assertEqual(status, "MNIST_IO_ERROR")
        self.assertIn("blocked/test: cannot be made: ", message)
        self.assertEqual(self.served(), [])


if __name__ == "__main__":
    if not shutil.which("openssl"):
        print("skipped: no openssl to make a certificate with")
        sys.exit(77)
    unittest.main()
