"""The site in a real browser, as people use it: by keyboard, on a phone, on paper, by axe's rules (WCAG 2.2 AA)."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

from register.complaining import Complaints
from register.site import build_site
from store.cases import CaseStore
from store.complaints import ComplaintBox, complaints_about
from tests.documents import pseudonym
from tests.register.bases import Base, Clock, keys

ONLY_ON = "sqlite"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 320, "height": 700}
PRIVATE = bytes(range(32))
LONG = "名字很长的直播基地" * 9


@pytest.fixture
def site(store: CaseStore, engine: Engine) -> Iterator[str]:
    """The site on a port of its own, with a base of each kind: its address."""
    Base(CaseStore(engine, pseudonym, lambda _: PRIVATE), 1)
    Base(store, 2, name="广州十三行直播电商基地", place="广东省广州市荔湾区").suspended()
    Base(store, 3, name="Averylongnamewithoutanyspaces" * 3, holder=LONG, place=LONG).revoked()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        taken = Complaints(ComplaintBox(engine), seconds=time.monotonic)
        app = build_site(engine, url=url, keys=keys(), per_minute=0, clock=Clock(), complaints=taken)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        serving = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        serving.start()
        yield url
        server.should_exit = True
        serving.join()


@pytest.fixture
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium is not None, "tests/system-packages.sh installs it"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def require_usable(page: Page) -> None:
    """No rule of axe broken, nothing wider than the window."""
    require_narrow(page)
    found = Axe().run(page, options={"runOnly": RULES})
    broken = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]]
    assert not broken, page.url


def require_narrow(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


def test_search_open_read_and_print(site: str, browser: Browser) -> None:
    page = browser.new_page(viewport=DESKTOP)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip", "the first stop leads past the head"
    page.get_by_role("searchbox").fill("北苑")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=*")
    assert page.get_by_role("row").count() == 2
    require_usable(page)
    page.get_by_role("link", name="义乌北苑直播基地").click()
    page.wait_for_url("**/c/LBC-2026-000001")
    assert page.locator(".stamp").inner_text() == "认证有效"
    require_usable(page)
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").first.is_visible()
    assert page.get_by_text("请以网页为准").is_visible() and page.locator(".stamp").is_visible()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/en/c/LBC-2026-000001")
    assert page.locator(".stamp").inner_text() == "Certified"
    require_usable(page)
    page.goto(f"{site}/?q=没有")
    assert page.get_by_role("heading", name="没有查到符合条件的基地").is_visible()
    require_usable(page)
    assert said == []


def test_on_a_phone(site: str, browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE)
    for path in ("/?show=all", "/en/?show=all", "/c/LBC-2026-000002", "/en/c/LBC-2026-000003", "/complaints", "/about"):
        page.goto(site + path)
        require_narrow(page)
    require_usable(page)
    page.goto(f"{site}/?show=all")
    require_usable(page)
    assert page.get_by_role("table").is_visible() and page.get_by_role("rowheader").count() == 3, "still a table"


def test_a_complaint_by_keyboard_and_on_a_phone(site: str, browser: Browser, engine: Engine) -> None:
    """The browser says itself that the form is the site's own: Origin, Sec-Fetch-Site, the content policy."""
    page = browser.new_page(viewport=PHONE)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{site}/c/LBC-2026-000001")
    page.get_by_role("link", name="投诉该基地").click()
    page.wait_for_url("**/complaint")
    require_usable(page)
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/en/c/LBC-2026-000001/complaint")
    page.get_by_label("Web address").fill("not an address")
    page.get_by_role("button", name="Send the complaint").click()
    alert = page.get_by_role("alert")
    assert alert.is_visible() and page.get_by_label("Web address").input_value() == "not an address"
    require_usable(page)
    alert.get_by_role("link").first.click()
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("They charge for permissions.")
    page.get_by_label("Web address").fill("")
    for _ in range(2):  # from the address past the contact to the button, and never into the trap
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/complaint/TS-*")
    assert page.locator(".reference").inner_text().startswith("TS-")
    require_usable(page)
    assert [one["text"] for one in complaints_about(engine, lambda _: PRIVATE)] == ["They charge for permissions."]
    assert [line for line in said if "422" not in line] == []
