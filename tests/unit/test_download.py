"""Downloads from local servers that fail in every way a mirror can fail.

usage: test_download.py CLIENT
"""
import fcntl
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from mirror import (CONTENT, IMAGES, LABELS, SUM, Proxy, Server,  # noqa: E402
                    make_certificate)

CLIENT = os.path.abspath(sys.argv.pop(1))


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
              options=(), timeout=1, environment=None, **more):
        addresses = [m if ":" in m else f"{self.server.address}/{m}/" for m in mirrors]
        return subprocess.Popen(
            [CLIENT, *options, self.folder if folder is None else folder,
             self.certificate if certificate is None else certificate,
             str(size), SUM, str(timeout), *addresses],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environment(**environment or {}), **more)

    def environment(self, **more):
        """The environment without proxies, which must not see the local server."""
        kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        return {**kept, "XDG_CACHE_HOME": str(self.folder.parent), **more}

    def search(self, mirror="set", **environment):
        arguments = [self.certificate, f"{self.server.address}/{mirror}/"]
        for content in IMAGES, LABELS:
            arguments += [str(len(content)), hashlib.sha256(content).hexdigest()]
        return self.finish(subprocess.Popen(
            [CLIENT, "--open", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=self.environment(**environment)))

    def finish(self, client):
        output, self.errors = client.communicate(timeout=500)
        self.assertEqual(client.returncode, 0, self.errors)
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
        status, _, (calls, done, total, *_) = self.download("right", "busy")
        self.assertEqual(status, "MNIST_OK")
        self.assertEqual(self.file.read_bytes(), CONTENT)
        self.assertGreater(calls, 1)
        self.assertEqual((done, total), (len(CONTENT), len(CONTENT)))
        self.assertEqual(self.served(), ["right"])
        self.assertEqual(self.server.requests[0][1], "/right/file.gz")

    def test_each_mirror_is_named_before_its_first_byte(self):
        self.assertEqual(self.download("missing", "busy", "right")[0], "MNIST_OK")
        found = re.findall(r"waiting for \S*/(\w+)/file.gz\n", self.errors)
        self.assertEqual(list(dict.fromkeys(found)), ["missing", "busy", "right"])

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
        self.refuse("truncated", "/truncated/file.gz: ")

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
        for part in ("missing/file.gz: HTTP status 404; ",
                     "busy/file.gz: HTTP status 503; ",
                     "short/file.gz: file has 1000 bytes"):
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
        self.refuse("stall", "/stall/file.gz: ")

    def test_a_mirror_that_never_responds_times_out(self):
        self.refuse("silent", "/silent/file.gz: ")

    def test_a_closed_connection_is_an_error(self):
        self.refuse("hangup", "/hangup/file.gz: ")

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
        (self.folder / "labels-idx1").write_bytes(LABELS)
        self.assertEqual(self.search(), ("MNIST_OK", "", [1, 3, 7]))
        self.assertEqual([path for _, path in self.server.requests],
                         ["/set/images-idx3.gz"])

    def test_a_search_reports_why_the_download_failed(self):
        status, message, _ = self.search("missing")
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertIn(f"test: not in the cache ({self.folder}); images-idx3.gz: "
                      "download failed: https://", message)
        self.assertIn("/missing/images-idx3.gz: HTTP status 404", message)
        self.assertEqual(len(self.served()), 1)

    def test_what_is_waited_for_is_said_every_second(self):
        """In the middle of a transfer and before it begins."""
        for mirror, most in ("stall", 1000), ("silent", 0):
            started = time.monotonic()
            status, message, (_, done, _, waits, _) = self.download(mirror, timeout=4)
            self.assertLess(time.monotonic() - started, 15)
            self.assertEqual((status, done), ("MNIST_NETWORK_ERROR", most), message)
            self.assertGreaterEqual(waits, 3)
            self.assertIn(f"waiting for {self.server.address}/{mirror}/file.gz\n", self.errors)

    def test_a_host_that_never_connects_times_out(self):
        silent = Proxy(None)
        self.addCleanup(silent.stop)
        started = time.monotonic()
        address = f"https://{silent.address}/"
        status, message, _ = self.download(address, timeout=2)
        self.assertLess(time.monotonic() - started, 8)
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertRegex(message, f"download failed: {address}file.gz: .*time")
        self.assertIn(f"waiting for {address}file.gz\n", self.errors)

    def test_all_downloads_together_have_a_limit(self):
        """Also when data arrive all the time, and when there are more mirrors."""
        for mirror in "trickle", "stall":
            started = time.monotonic()
            status, message, _ = self.download(mirror, mirror, "right", timeout=60,
                                               environment={"LIMIT": "2"})
            self.assertLess(time.monotonic() - started, 8)
            self.assertEqual(status, "MNIST_NETWORK_ERROR")
            self.assertTrue(message.endswith(
                f"/{mirror}/file.gz: not complete at the end of the time limit of 2 s"), message)
        self.assertEqual(self.served(), ["trickle", "stall"])

    def test_the_answer_of_a_proxy_is_reported(self):
        for code in 403, 407, 502:
            proxy = Proxy(code)
            self.addCleanup(proxy.stop)
            status, message, _ = self.download(
                "right", environment={"https_proxy": f"http://{proxy.address}"})
            self.assertEqual(status, "MNIST_NETWORK_ERROR")
            self.assertIn(f"{self.server.address}/right/file.gz: the proxy {proxy.address} "
                          f"answered with HTTP status {code}", message)
            host = self.server.address.removeprefix("https://")
            self.assertEqual(proxy.requests, [f"CONNECT {host} HTTP/1.1"])
        self.assertEqual(self.served(), [])

    def test_a_proxy_that_never_answers_times_out(self):
        proxy = Proxy(None)
        self.addCleanup(proxy.stop)
        status, message, _ = self.download(
            "right", environment={"https_proxy": f"http://{proxy.address}"})
        self.assertEqual(status, "MNIST_NETWORK_ERROR")
        self.assertIn(f"{self.server.address}/right/file.gz: ", message)

    def test_a_proxy_is_used_unless_the_host_is_excepted(self):
        proxy = Proxy(200)
        self.addCleanup(proxy.stop)
        proxied = {"HTTPS_PROXY": f"http://{proxy.address}"}
        self.assertEqual(self.download("right", environment=proxied)[0], "MNIST_OK")
        self.assertEqual(len(proxy.requests), 1)
        self.file.unlink()
        self.assertEqual(self.download("right", environment={**proxied, "NO_PROXY": "localhost"})
                         [0], "MNIST_OK")
        self.assertEqual(len(proxy.requests), 1)

    def test_a_symbolic_link_is_not_taken_for_the_lock(self):
        self.folder.mkdir(parents=True)
        other = self.folder.parent / "other"
        for target in other, self.folder.parent / "absent":
            other.write_text("text")
            (self.folder / ".lock").symlink_to(target)
            status, message, _ = self.download("right")
            self.assertEqual(status, "MNIST_IO_ERROR")
            self.assertIn(".lock: cannot be locked: it is a symbolic link", message)
            (self.folder / ".lock").unlink()
        self.assertEqual(other.read_text(), "text")
        self.assertEqual(sorted(os.listdir(self.folder.parent)), ["other", "test"])
        self.assertEqual(self.served(), [])

    def test_waiting_for_another_download_has_a_limit(self):
        self.folder.mkdir(parents=True)
        with open(self.folder / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            status, message, (*_, waits, _) = self.download("right", environment={"LIMIT": "3"})
        self.assertEqual(status, "MNIST_IO_ERROR")
        self.assertIn(".lock: another process holds it for 3 s", message)
        self.assertGreaterEqual(waits, 2)
        self.assertIn(f"waiting for {self.folder}/.lock\n", self.errors)

    def test_a_cache_that_cannot_be_written_is_replaced_by_memory(self):
        blocked = pathlib.Path(self.temporary.name, "blocked")
        blocked.write_bytes(b"")
        created = f"{blocked}/test: cannot be created: File exists; "
        for folder, reason in ((blocked / "test", created),
                               ("", "there is no cache folder; ")):
            status, message, (*_, size) = self.download("missing", "right", folder=folder)
            self.assertEqual((status, size), ("MNIST_OK", len(CONTENT)), message)
            self.assertTrue(message.startswith(reason), message)
            self.assertTrue(message.endswith("; file.gz was downloaded into memory"))
            status, message, _ = self.download("wrong", folder=folder)
            self.assertEqual(status, "MNIST_NETWORK_ERROR")
            self.assertIn("SHA-256 is ", message)
        status, message, numbers = self.search(XDG_CACHE_HOME=str(blocked))
        self.assertEqual((status, numbers), ("MNIST_OK", [2, 3, 7]), message)
        self.assertIn(f"test: not in the cache ({blocked}/test); ", message)
        status, message, numbers = self.search(XDG_CACHE_HOME="", HOME="")
        self.assertEqual((status, numbers), ("MNIST_OK", [2, 3, 7]), message)

    @unittest.skipIf(os.getuid(), "only root can become another user")
    def test_a_cache_of_somebody_else_is_replaced_by_memory(self):
        for path in pathlib.Path(self.own.name), self.certificate, self.folder.parent.parent:
            path.chmod(0o755)
        self.folder.mkdir(parents=True)
        status, message, (*_, size) = self.download("right", user=65534)
        self.assertEqual((status, size), ("MNIST_OK", len(CONTENT)), message)
        self.assertIn(".lock: cannot be locked: Permission denied; ", message)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_file_of_the_cache_is_checked_whenever_it_is_read(self):
        self.assertEqual(self.search()[0], "MNIST_OK")
        labels = self.folder / "labels-idx1.gz"
        labels.write_bytes(gzip.compress(struct.pack(">2I", 0x801, 3) + bytes([1, 2, 8])))
        status, message, _ = self.search()
        self.assertEqual(status, "MNIST_BAD_FILE")
        self.assertIn(f"{labels}: SHA-256 is {hashlib.sha256(labels.read_bytes()).hexdigest()}, "
                      f"expected {hashlib.sha256(LABELS).hexdigest()}", message)
        labels.unlink()
        self.assertEqual(self.search()[0], "MNIST_OK")


if __name__ == "__main__":
    if not shutil.which("openssl"):
        print("skipped: no openssl to make a certificate with")
        sys.exit(77)
    unittest.main()
