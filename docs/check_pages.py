"""Look at the built pages in a browser, on a phone and on a desk: ``make docs-check``.

Each page is opened in Chromium at two widths, and in the light and the dark scheme. It fails with
a list of what is wrong: errors on the console, requests that fail, content that is wider than the
window, headings that are cut off, and links to pages or anchors that do not exist.

Links are followed on all pages. Of the generated pages of the API, which have one template, every
tenth is opened; ``--all`` opens them all.

Run ``python -m docs.check_pages docs/_build/html [--all] [--screenshots FOLDER] [PAGE ...]``.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

from playwright.async_api import Browser, Page, async_playwright
from tqdm import tqdm

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Nothing but the page itself; see Chromium's list of switches.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDTHS = {"phone": 390, "desk": 1280}
HEIGHT = 900
N_TABS = 4
ALIKE, EVERY = "api/generated/", 10  # of the pages that are alike, every so many is opened
# What sticks out of the window or is cut off, without parents whose only fault is their child. What
# scrolls in a box of its own is fine.
TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (element) => {
    for (let e = element; e; e = e.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(e).overflowX)) return true;
    return false;
  };
  const places = ["header", ".bd-article", "footer"].flatMap(
    (name) => [...document.querySelectorAll(`${name} *`)]);
  const wide = places.filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.right > width + 1 && e.checkVisibility() && !scrolls(e);
  });
  const words = [...document.querySelectorAll(".bd-article :is(h1, h2, h3, dt.sig)")].filter(
    (e) => e.scrollWidth > e.clientWidth + 1);
  return [...wide.filter((e) => !wide.some((other) => other !== e && e.contains(other))), ...words]
    .slice(0, 3)
    .map((e) => `<${e.tagName} class="${e.className}"> ${e.textContent.trim().slice(0, 50)}`);
}
"""


class Links(HTMLParser):
    """Collect the addresses that a page links to or loads, and its anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the attributes of one element."""
        for name, value in attrs:
            if value is None:
                continue
            if name in {"href", "src"}:
                self.links.append(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value)


def broken_links(root: Path, pages: Iterable[Path]) -> Iterator[str]:
    """Yield the links within the site whose page or anchor does not exist."""
    parsed = {page: Links(page) for page in pages}
    for page, found in parsed.items():
        for link in dict.fromkeys(found.links):
            if link.startswith(("http:", "https:", "mailto:", "data:", "javascript:", "//")):
                continue
            path, anchor = urldefrag(urljoin(page.relative_to(root).as_posix(), link))
            target = root / unquote(path.partition("?")[0])
            if not target.exists():
                yield f"{page.relative_to(root)}: no page {link}"
            elif anchor and target in parsed and unquote(anchor) not in parsed[target].anchors:
                yield f"{page.relative_to(root)}: no anchor {link}"


async def look_at(page: Page, url: str, name: str, shots: Path | None) -> list[str]:
    """Return what is wrong with one page, as lines."""
    faults: list[str] = []
    page.on(
        "console",
        lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("requestfailed", lambda request: faults.append(f"not loaded: {request.url}"))
    await page.goto(url, wait_until="load")
    for kind, width in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        await page.wait_for_timeout(50)
        for scheme in ("light", "dark"):
            if shots is None and scheme == "dark" and kind == "phone":
                continue  # the scheme changes colours alone
            await page.emulate_media(color_scheme=scheme)
            await page.evaluate("scheme => document.documentElement.dataset.theme = scheme", scheme)
            if shots is not None:
                file = f"{name.removesuffix('.html').replace('/', '-')}-{kind}-{scheme}.png"
                await page.screenshot(path=shots / file, full_page=False)
        faults += [f"{kind}: too wide: {what}" for what in await page.evaluate(TOO_WIDE)]
    return [f"{name}: {fault}" for fault in dict.fromkeys(faults)]


async def look_at_all(root: Path, names: list[str], shots: Path | None) -> list[str]:
    """Look at several pages at a time; nothing outside of the site is loaded."""
    handler = partial(_Quiet, directory=str(root))
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = f"http://127.0.0.1:{server.server_port}/"
    queue = asyncio.Queue[str]()
    for name in names:
        queue.put_nowait(name)
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_browser(), args=SWITCHES)
        with tqdm(total=len(names), unit="page", disable=None) as bar:

            async def work() -> None:
                while not queue.empty():
                    faults.extend(await _in_own_tab(browser, site, queue.get_nowait(), shots))
                    bar.update()

            await asyncio.gather(*(work() for _ in range(N_TABS)))
        await browser.close()
    server.shutdown()
    return sorted(faults)


async def _in_own_tab(browser: Browser, site: str, name: str, shots: Path | None) -> list[str]:
    context = await browser.new_context()
    try:
        # Badges of the project's services are pictures from the network.
        await context.route(lambda url: not url.startswith(site), lambda route: route.fulfill())
        return await look_at(await context.new_page(), site + name, name, shots)
    finally:
        await context.close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a browser that closes a page while it is read."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about requests."""


def _browser() -> str | None:
    """Return an installed Chromium; None takes the one that playwright has downloaded."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def main() -> None:
    """Check the pages of a built site; exit with 1 if one of them has a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="folder with index.html")
    parser.add_argument("pages", nargs="*", help="such as user_guide/index.html; default: all")
    parser.add_argument("--all", action="store_true", help="open each page of the API, too")
    parser.add_argument("--screenshots", type=Path, help="folder for pictures of each page")
    options = parser.parse_intermixed_args()
    root = options.root.resolve()
    built = sorted(set(root.rglob("*.html")) - set(root.glob("_*/**/*")))
    if not built:
        sys.exit(f"{root} has no page; make docs builds them")
    if options.screenshots is not None:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    names = options.pages or [page.relative_to(root).as_posix() for page in built]
    if not (options.all or options.pages):
        alike = [name for name in names if name.startswith(ALIKE)]
        names = sorted({*names} - {*alike}) + alike[::EVERY]
    faults = [*broken_links(root, built)]
    faults += asyncio.run(look_at_all(root, names, options.screenshots))
    sys.exit("\n".join(faults) if faults else 0)


if __name__ == "__main__":
    main()
