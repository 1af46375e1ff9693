"""What bash offers after a tab: asked as bash asks, through the function the command line installs."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.starter.conftest import APPLICANT, Cases, Enterprise, FirstYear
from tests.starter.livebase import EXECUTABLE, ROOT, Livebase, Running

ONLY_ON = "sqlite"
"""How things are said and typed; no database says them otherwise."""


def offered(livebase: Livebase, line: str, *, shell: str = "bash", env: dict[str, str] | None = None) -> list[str]:
    """What is offered at the end of the line. Nothing is ever said on stderr."""
    words = line.split(" ")
    asked = {"_LIVEBASE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line}
    asked |= {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = livebase(env=asked | (env or {}))
    assert (done.code, done.err) == (0, "")
    return done.out.split("\n")[:-1] if done.out.strip() else []


class TestBases:
    def test_numbers_certificates_and_codes(self, dev: Running, cases: Cases, first_year: FirstYear) -> None:
        certificate = first_year.views["published"]["term"]["certificate_number"]
        everything = offered(dev, "livebase show ")
        assert {first_year.number, certificate, first_year.enterprise.code, cases.review} <= set(everything)
        assert len(everything) == len(set(everything))
        assert certificate in offered(dev, "livebase show LBC-")
        assert all(name.startswith("LBC-") for name in offered(dev, "livebase show LBC-"))
        assert offered(dev, f"livebase show {cases.review}") == [cases.review]
        assert offered(dev, f"livebase show {cases.review.lower()}") == [cases.review.lower()]
        assert offered(dev, "livebase show 义乌") == []

    @pytest.mark.parametrize(
        "command", ["why", "next", "application show", "review approve", "deposit receive --amount 1"]
    )
    def test_wherever_a_base_is_meant(self, dev: Running, cases: Cases, command: str) -> None:
        assert cases.review in offered(dev, f"livebase {command} LB-")

    def test_an_applicant_is_offered_their_own(self, dev: Running, cases: Cases) -> None:
        own = " ".join(APPLICANT)
        assert cases.review in offered(dev, f"livebase {own} show LB-")
        assert offered(dev, "livebase show --as applicant:zhou LB-") == []
        assert offered(dev, "livebase show LB-", env={"LIVEBASE_AS": "applicant:zhou"}) == []

    def test_from_the_data_directory_that_was_typed(self, dev: Running, livebase: Livebase, cases: Cases) -> None:
        assert offered(livebase, "livebase show LB-") == []
        assert cases.review in offered(livebase, f"livebase --data-dir {dev.folder} show LB-")
        assert cases.review in offered(livebase, f"livebase show --data-dir {dev.folder} LB-")

    def test_zsh_and_fish_hear_the_base_s_name_too(self, dev: Running, cases: Cases) -> None:
        for shell in ("zsh", "fish"):
            (told,) = offered(
                dev, f"livebase show {cases.review}", shell=shell, env={"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
            )
            assert cases.review in told
            assert "义乌北苑直播基地" in told


class TestDocuments:
    def test_the_paths_of_the_newest_revision(self, dev: Running, cases: Cases) -> None:
        every = offered(dev, f"livebase documents open {cases.review} ")
        listed = [document["path"] for document in dev.ok("documents", "list", cases.review)]
        assert sorted(every) == sorted(listed)
        for command in ("open", "save"):
            begun = offered(dev, f"livebase documents {command} {cases.review} documents/t")
            assert begun == ["documents/taxpayer.pdf"]

    def test_the_evidence_on_a_case_too(self, dev: Running, first_year: FirstYear) -> None:
        """Applicants are offered what they may read: `domain/papers.py`."""
        for words in ("", " ".join(APPLICANT) + " "):
            every = offered(dev, f"livebase {words}documents open {first_year.number} ")
            listed = [paper["path"] for paper in dev.ok("documents", "list", first_year.number)]
            assert sorted(every) == sorted(listed) and any(path.startswith("marks-") for path in listed)

    def test_a_name_with_a_space_is_offered_as_it_is_typed(self, dev: Running, enterprise: Enterprise) -> None:
        text = enterprise.file.read_text("utf-8").replace("documents/policy.pdf", "documents/policy 2026.pdf")
        enterprise.file.write_text(text, "utf-8")
        enterprise.document().rename(enterprise.document("policy 2026.pdf"))
        number = dev.ok("apply", enterprise.file, *APPLICANT)["case_number"]
        assert offered(dev, f"livebase documents open {number} documents/policy") == ["documents/policy\\ 2026.pdf"]

    def test_of_no_such_base(self, dev: Running, cases: Cases) -> None:
        assert offered(dev, "livebase documents open LB-2026-999999 ") == []
        assert offered(dev, f"livebase --as applicant:zhou documents open {cases.review} ") == []


def test_the_names_of_commands(dev: Running) -> None:
    assert offered(dev, "livebase renew") == ["renew", "renewal"]
    assert sorted(offered(dev, "livebase rev")) == ["review", "revoke"]
    assert offered(dev, "livebase review re") == ["release", "request", "reject"]


def test_the_words_of_list(dev: Running) -> None:
    assert offered(dev, "livebase list --stage s") == ["supplement", "settling"]
    assert offered(dev, "livebase list --awaiting re") == ["reviewer"]
    assert "suspended" in offered(dev, "livebase list --standing ")


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LIVEBASE_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/nothing"},
        {"LIVEBASE_DATABASE_URL": "nonsense"},
        {"LIVEBASE_AS": "nonsense"},
    ],
)
def test_silence_without_a_database(livebase: Livebase, environ: dict[str, str]) -> None:
    """Nothing is offered, nothing is said and nothing is made."""
    for line in ("livebase show LB", "livebase documents open LB-2026-000001 "):
        assert offered(livebase, line, env=environ) == []
    assert not livebase.folder.exists()


def test_silence_with_something_else_in_its_place(livebase: Livebase) -> None:
    livebase.folder.mkdir(parents=True)
    (livebase.folder / "livebase.db").write_bytes(b"no database" * 1000)
    assert offered(livebase, "livebase show LB") == []


def test_a_completion_needs_no_more_than_the_driver(dev: Running, cases: Cases) -> None:
    """What makes it quick: neither SQLAlchemy nor temporalio nor our own models are imported on the way."""
    environ = dev.environ({"_LIVEBASE_COMPLETE": "complete_bash", "COMP_CWORD": "2", "PYTHONPROFILEIMPORTTIME": "1"})
    for line in (f"livebase show {cases.review}", "livebase list LB"):
        done = subprocess.run(
            [EXECUTABLE], env=environ | {"COMP_WORDS": line}, capture_output=True, text=True, cwd=ROOT
        )
        imported = {row.rsplit("|", 1)[1].strip() for row in done.stderr.splitlines() if "|" in row}
        assert "typer" in imported
        assert not imported & {"sqlalchemy", "temporalio", "alembic", "rich", "store.tables", "domain.case"}
        assert dev.postgres or "psycopg" not in imported


def test_in_a_real_bash(dev: Running, cases: Cases, tmp_path: Path) -> None:
    """The installed function, with COMP_WORDS and COMP_CWORD as bash itself sets them."""
    script = tmp_path / "complete.sh"
    source = dev("--show-completion", "bash").out
    script.write_text(
        f"""{source}
        PATH={shlex.quote(str(EXECUTABLE.parent))}:$PATH
        COMP_WORDS=(livebase why {cases.review[:-1]}) COMP_CWORD=2
        _livebase_completion livebase
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """
    )
    done = subprocess.run(["bash", script], env=dev.environ(), capture_output=True, text=True)
    assert done.stderr == ""
    assert cases.review in done.stdout.splitlines()
    assert all(line.startswith(cases.review[:-1]) for line in done.stdout.splitlines())
