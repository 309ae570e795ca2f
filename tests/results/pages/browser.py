"""A browser for tests of the page: Debian's chromium, driven by playwright, without network. What a page says
to the console, it says to the test.

In a test module: `from browser import chromium, opened  # noqa: F401`.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
RUNNING = pytest.StashKey[Any]()
TEMPLATES = Path(__file__).parents[3] / "lrbench/results/pages/templates"
ROOT_COLOURS = """
:root {
  color-scheme: light dark;
  --ink: #24292f; --soft: #59636e; --paper: #ffffff; --card: #f6f8fa; --line: #d8dee4; --accent: #1a63c4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --soft: #9aa4af; --paper: #0f1419; --card: #171d24; --line: #2f3741; --accent: #79b3ff;
  }
}
body {
  background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; margin: 0;
}
main { max-width: 62rem; margin: 0 auto; padding: 1rem; }
.right { text-align: right; }
.scroll { overflow-x: auto; }
"""


@dataclass
class Visit:
    """A page that is open, what it wrote to the console (errors and exceptions among it), and what it asked
    the network for.
    """

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The session's browser, whichever modules import this fixture; a test is skipped where there is none."""
    if RUNNING in request.config.stash:
        yield request.config.stash[RUNNING]
        return
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    if not CHROMIUM.is_file():
        pytest.skip(f"{CHROMIUM} is not there: apt install chromium")
    with playwright.sync_playwright() as driver:
        browser = request.config.stash[RUNNING] = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Any, path: Path, fragment: str = "", *, width: int = 1100, **context: Any
) -> Iterator[Visit]:
    """Open a file, with `fragment` (#...) after its name; context: of playwright's new_context, such as
    color_scheme or java_script_enabled.
    """
    window = browser.new_context(offline=True, viewport={"width": width, "height": 900}, **context)
    visit = Visit(window.new_page())
    visit.page.set_default_timeout(8000)
    visit.page.on("console", lambda message: visit.console.append(f"{message.type}: {message.text}"))
    visit.page.on("pageerror", lambda error: visit.console.append(f"exception: {error}"))
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    try:
        visit.page.goto(path.as_uri() + fragment)
        yield visit
    finally:
        window.close()


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>page</title>
<style>{style}</style>
</head>
<body><main><h1>Page</h1>{data}{body}{explorer}</main><script>{script}</script></body>
</html>"""
EXPLORER = '<section id="explorer" hidden><h2>Explore every run</h2>{block}{code}</section>'


def document(body: str, data: dict[str, Any] | None = None, block: dict[str, Any] | None = None) -> str:
    """Return a page as the report's template makes it: the markup that page.js expects, and a
    Content-Security-Policy that lets nothing else in.
    """
    plots, script, style = map(template, ("vendor/uPlot.iife.min.js", "page.js", "vendor/uPlot.min.css"))
    sums = " ".join(f"'sha256-{checksum(text)}'" for text in (plots, script))
    explorer = ""
    if block:
        held = embedded("explorer-data", block)
        explorer = EXPLORER.format(block=held, code=embedded("explorer-code", plots))
    return PAGE.format(
        policy=f"default-src 'none'; script-src {sums}; style-src 'unsafe-inline'; img-src data:",
        style=style + ROOT_COLOURS,
        data=embedded("page-data", data) if data else "",
        body=body,
        explorer=explorer,
        script=script,
    )


def template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def checksum(text: str) -> str:
    """Return the digest of a script as a Content-Security-Policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def embedded(name: str, data: Any) -> str:
    """Write data as the JSON of a page."""
    text = json.dumps(data).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'
