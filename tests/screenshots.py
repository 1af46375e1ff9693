"""Pictures of Temporal Web for docs/temporal-web.md, taken in a real browser.

    python -m tests.screenshots

Starts `livebase dev` in a folder of its own, brings a case into each stage, and writes docs/images/*.png. Needs
Chromium and a font with Chinese (the Debian packages `chromium` and `fonts-noto-cjk`).
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.starter.conftest import APPLICANT, CERTIFIER, FINANCE, PAYER, REVIEWER, enterprise_in, when_valid
from tests.starter.livebase import ROOT, Livebase, Running

IMAGES = ROOT / "docs" / "images"
COLUMNS = ("CertAwaiting", "CertDueAt", "CertStage", "CertStanding", "CertNumber", "CertValidUntil", "Workflow ID")
"""As docs/temporal-web.md tells a person to arrange them."""
QUERY = 'WorkflowType = "Certification" AND ExecutionStatus = "Running"'


REPORT = """\
rule: R6
trigger: breach
severity: minor
found_on: {day}
facts: 组织刷单,见截图
affected_accounts: []
losses: []
evidence: [documents/policy.pdf]
"""


def bring_cases(livebase: Livebase, folder: Path) -> tuple[str, str]:
    """A case in each stage, one of them accused of a violation.

    The numbers of the one in `deposit`, its clock 25 days on, and of the one accused.
    """
    steps: list[tuple[str, ...]] = [
        ("review", "approve", "BASE", "--revision", "1", *REVIEWER),
        ("deposit", "receive", "BASE", "--amount", "100000", "--payer", PAYER, "--reference", "REF", *FINANCE),
        ("certify", "BASE", *CERTIFIER),
        ("fast-forward", "BASE", "P1Y1D"),
    ]
    numbers = []
    for taken in range(len(steps) + 1):
        enterprise = enterprise_in(folder / str(taken))
        numbers.append(livebase.ok("apply", enterprise.file, *APPLICANT)["case_number"])
        words = {"BASE": numbers[-1], "REF": f"B-{numbers[-1]}"}
        for step in steps[:taken]:
            livebase.ok(*(words.get(word, word) for word in step))
    asked = livebase.ok("apply", enterprise_in(folder / "asked").file, *APPLICANT)["case_number"]
    item = ("--item", "A4.area: a newer floor plan")
    livebase.ok("review", "request", asked, "--revision", "1", *item, *REVIEWER)
    livebase.ok("fast-forward", numbers[1], "25d")
    day = when_valid(livebase, numbers[3])["term"]["from"][:10]
    report = folder / "3" / "report.yaml"
    report.write_text(REPORT.format(day=day), "utf-8")
    livebase.ok("conduct", "report", numbers[3], report, "--as", "compliance:he")
    return numbers[1], numbers[3]


def take_pictures(web: str, case: str, accused: str) -> None:
    """The list with its columns, a case's timeline and current details, and the way from one to its conduct case and
    back. `case` and `accused` are pages of certification cases."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("There is no Chromium. Type: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1400, "height": 760}, timezone_id="Asia/Shanghai")
        _arrange(context)
        page = context.new_page()
        _picture(page, f"{web}/namespaces/default/workflows?query={quote(QUERY)}", "CertDueAt", "temporal-web-list")
        page.set_viewport_size({"width": 1400, "height": 1000})
        _picture(page, f"{case}/timeline", "approve • reviewer li", "temporal-web-case")
        page.set_viewport_size({"width": 1400, "height": 760})
        _picture(page, f"{case}/user-metadata", "Current Details", "temporal-web-details")
        page.set_viewport_size({"width": 1400, "height": 1000})
        _picture(page, f"{accused}/user-metadata", "Current Details", "temporal-web-accused")
        with page.expect_popup() as opened:  # Temporal Web renders the details in a frame whose links open a new tab
            page.frame_locator("iframe").get_by_role("link", name=":C1").click()
        there = opened.value
        there.wait_for_url(re.compile("/workflows/conduct[^/]+/[0-9a-f-]{36}/"))  # the newest run
        _picture(there, f"{there.url.rpartition('/')[0]}/user-metadata", "Current Details", "temporal-web-conduct")
        browser.close()


def _arrange(context: BrowserContext) -> None:
    """The list's columns, which Temporal Web keeps in the browser."""
    columns = json.dumps({"default": [{"label": name} for name in COLUMNS]})
    context.add_init_script(f"localStorage.setItem('namespace-workflow-table-columns', {json.dumps(columns)})")


def _picture(page: Page, url: str, shows: str, name: str) -> None:
    page.goto(url)
    page.get_by_text(shows).first.wait_for(timeout=60_000)
    page.wait_for_timeout(5_000)  # what is drawn after the words are there, some of it in a frame of its own
    page.screenshot(path=IMAGES / f"{name}.png")


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="livebase-pictures-") as folder:
        running = Running(Path(folder, "data"))
        web = running.ok("dev", "--detach")["web_url"]
        try:
            numbers = bring_cases(running, Path(folder, "applications"))
            case, accused = (running.ok("show", one)["workflow"]["url"].removesuffix("/timeline") for one in numbers)
            take_pictures(web, case, accused)
        finally:
            running("dev", "--stop")
    print(f"docs/images: {', '.join(sorted(path.name for path in IMAGES.glob('*.png')))}")


if __name__ == "__main__":
    main()
