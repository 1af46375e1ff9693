"""Who verifies enterprises, for `livebase dev` and the tests: says what it is told to say of each.

It speaks what `activities/verification.py` does: `POST /verifications`. What it says of an enterprise from now on is
told by `PUT /enterprises/<credit code>` with one of these words as JSON; of all others it says `verified`:

- `verified`, `not_verified`, `name_mismatch`, `unknown`
- `slow`: verified, after three seconds
- `hang`: no answer while whoever asks waits
- `down`: an error
- `garbled`: an answer nobody can read

`GET /asked` is how often each was asked for.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Self

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.verifying import VerificationAnswer, VerificationQuestion
from starter.local_http import LocalHttp

KNOWN = frozenset({"verified", "not_verified", "name_mismatch", "unknown", "slow", "hang", "down", "garbled"})
_SLOW = 3.0
_HANGS = 60.0


class VerificationSandbox:
    """Listens on 127.0.0.1 only, and only while it is entered."""

    def __init__(self) -> None:
        self.says: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self._http = LocalHttp(
            [
                Route("/verifications", self._verify, methods=["POST"]),
                Route("/enterprises/{code}", self._tell, methods=["PUT"]),
                Route("/asked", self._show, methods=["GET"]),
            ]
        )

    async def __aenter__(self) -> Self:
        self._http.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.stop()

    @property
    def url(self) -> str:
        """Where `LIVEBASE_VERIFICATION_URL` has to point."""
        return self._http.url

    async def _verify(self, request: Request) -> Response:
        try:
            question = VerificationQuestion.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        self.asked[question.credit_code] += 1
        how = self.says.get(question.credit_code, "verified")
        if how == "down":
            return JSONResponse({"error": "try again later"}, status_code=503)
        if how == "garbled":
            return Response(b"<html>")
        if how == "unknown":
            return JSONResponse({"result": "unknown"}, status_code=404)
        if how in ("slow", "hang"):
            await asyncio.sleep(_SLOW if how == "slow" else _HANGS)
            how = "verified"
        answer = VerificationAnswer.model_validate(
            {"result": how, "reference": f"V-{self.asked[question.credit_code]}"}
        )
        return JSONResponse(answer.model_dump(mode="json"))

    async def _tell(self, request: Request) -> Response:
        try:
            how = json.loads(await request.body())
        except ValueError:
            how = None
        if how not in KNOWN:
            return JSONResponse({"error": f"one of {', '.join(sorted(KNOWN))} is wanted"}, status_code=422)
        self.says[request.path_params["code"]] = how
        return JSONResponse(how)

    async def _show(self, _: Request) -> Response:
        return JSONResponse(dict(self.asked))
