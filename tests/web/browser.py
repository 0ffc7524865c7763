"""A headless Chromium that speaks WebDriver, with Python's standard library.

    with Browser() as browser:
        browser.open("file:///page.html")
        browser.run("return document.title")
"""
import base64
import json
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# The largest number of steps of a pointer in one message.
STEPS = 400


class BrowserError(Exception):
    """What the driver answered."""


def missing():
    """What is not installed, or None."""
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return f"{program} is not installed"
    return None


class Browser:
    def __init__(self, *, size=(1280, 900), dark=False, arguments=()):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True,
            stderr=subprocess.STDOUT)
        port = None
        while port is None:
            line = self.driver.stdout.readline()
            if not line:
                raise BrowserError("chromedriver did not start")
            port = re.search(r"started successfully on port (\d+)", line)
        self.url = f"http://127.0.0.1:{port.group(1)}"
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 f"--window-size={size[0]},{size[1]}", f"--user-data-dir={self.folder.name}",
                 "--disable-background-networking", "--no-first-run", *arguments]
        if dark:
            flags += ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]
        self.session = None
        try:
            answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
                "goog:chromeOptions": {"args": flags, "binary": shutil.which("chromium")}}}})
        except BrowserError:
            self.end()
            raise
        self.session = answer["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.end()

    def end(self):
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()
        self.folder.cleanup()

    def call(self, method, path, body=None):
        prefix = f"/session/{self.session}" if self.session else ""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + prefix + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(json.load(error)["value"]["message"]) from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """The value that the body of a function returns."""
        return self.call("POST", "/execute/sync", {"script": script, "args": arguments})

    def wait(self, script, *arguments):
        """The value that the body gives to its last argument."""
        return self.call("POST", "/execute/async", {"script": script, "args": arguments})

    def find(self, selector):
        found = self.call("POST", "/element", {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def keys(self, text):
        """Presses keys, each after the other."""
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.perform({"type": "key", "id": "keys", "actions": actions})

    def perform(self, *sources):
        self.call("POST", "/actions", {"actions": sources})

    def stroke(self, selector, points, kind="mouse"):
        """Draws a line through points, from the top left corner of an element."""
        left, top = self.run(
            "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [box.left, box.top];", selector)
        moves = [{"type": "pointerMove", "duration": 0, "x": round(left + x),
                  "y": round(top + y)} for x, y in points]
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:],
                   {"type": "pointerUp", "button": 0}]
        for at in range(0, len(actions), STEPS):
            self.perform({"type": "pointer", "id": kind, "parameters": {"pointerType": kind},
                          "actions": actions[at:at + STEPS]})

    def picture(self):
        """The window as PNG."""
        return base64.b64decode(self.call("GET", "/screenshot"))

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute",
                         {"cmd": command, "params": parameters})

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})
