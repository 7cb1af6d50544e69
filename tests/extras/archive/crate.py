"""An RO-Crate, held against the profiles it names, with the network cut off."""

import io
import json
from pathlib import Path

import requests
from requests_cache import CachedSession
from rocrate_validator import models, services
from urllib3 import HTTPResponse

URL = "https://w3id.org/ro/crate/1.1/context"
TERMS = json.loads(Path(__file__).with_name("context.json").read_text())
"""What that document says of the terms that our crates use. A new term must be looked up there."""


class Stored(requests.adapters.HTTPAdapter):
    """Answers every request with the terms."""

    def send(self, request, *_, **__):
        body = io.BytesIO(json.dumps(TERMS).encode())
        kind = {"Content-Type": "application/ld+json"}
        answer = HTTPResponse(body, kind, 200, preload_content=False, request_url=request.url)
        return self.build_response(request, answer)


def problems(folder: Path, cache: Path, profile: str) -> list[str]:
    """What the validator says of an unpacked crate, at the level `recommended`."""
    name = str(cache / "http")
    with CachedSession(name, "sqlite", expire_after=-1, allowable_methods=("GET",)) as session:
        session.mount("https://", Stored())
        session.get(URL)
    found = services.validate(
        services.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier=profile,
            requirement_severity=models.Severity.RECOMMENDED,
            cache_path=name,
            cache_max_age=-1,
            offline=True,
        )
    )
    told = [f"{issue.check.identifier}: {issue.message}" for issue in found.get_issues()]
    return told if told or found.passed() else ["it does not pass, and does not say why"]
