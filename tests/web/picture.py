"""Takes the picture of the page in docs/: python3 tests/web/picture.py PAGE.html OUT.png"""
import pathlib
import sys

import browser
from test_page import draw, start


def main():
    page, out = sys.argv[1:]
    with browser.Browser(arguments=["--hide-scrollbars"]) as chromium:
        chromium.devtools("Emulation.setDeviceMetricsOverride", width=1000, height=640,
                          deviceScaleFactor=1, mobile=False)
        start(chromium, pathlib.Path(page).resolve().as_uri())
        read = draw(chromium, 5, 2, "pen")
        chromium.wait("const done = arguments[0]; const look = () => "
                      "document.getElementById('count').textContent === '28' ? done(1) : "
                      "setTimeout(look, 20); look();")
        pathlib.Path(out).write_bytes(chromium.picture())
    print(f"{out}: {pathlib.Path(out).stat().st_size:,} bytes, read as {read}")


if __name__ == "__main__":
    main()
