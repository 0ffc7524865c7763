"""Takes the picture of a report in docs/, its loss and its confusion matrix:

python3 tests/web/report_picture.py REPORT.html OUT.png
"""
import base64
import pathlib
import sys

import browser

WIDTH = 940
# Only these two parts, side by side.
ARRANGE = """const loss = document.getElementById('loss');
const matrix = document.getElementById('matrix').closest('.scroll');
const titles = [loss, matrix].map((part) => part.previousElementSibling);
const parts = [[titles[0], loss], [titles[1], matrix]].map((pair, i) => {
  const part = document.createElement('div');
  part.style.flex = ['1 1 0', '0 0 auto'][i];
  part.append(...pair);
  pair[0].style.margin = '0 0 .6rem';
  return part;
});
const style = document.createElement('style');
style.textContent = 'svg text{font-size:15px} #matrix{font-size:.78rem}' +
  '#matrix tbody td{min-width:2.2rem;padding:.36rem 0}';
document.head.append(style);
document.body.replaceChildren(...parts);
document.body.style = 'display:flex;gap:1.5rem;max-width:none;padding:1rem';
return document.body.getBoundingClientRect().height;"""


def main():
    page, out = sys.argv[1:]
    with browser.Browser(arguments=["--hide-scrollbars"]) as chromium:
        chromium.devtools("Emulation.setDeviceMetricsOverride", width=WIDTH, height=600,
                          deviceScaleFactor=1, mobile=False)
        chromium.open(pathlib.Path(page).resolve().as_uri())
        height = chromium.run(ARRANGE)
        picture = chromium.devtools("Page.captureScreenshot", captureBeyondViewport=True,
                                    clip={"x": 0, "y": 0, "width": WIDTH, "height": height,
                                          "scale": 1})
        pathlib.Path(out).write_bytes(base64.b64decode(picture["data"]))
    print(f"{out}: {pathlib.Path(out).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
