"""`campaign.json`: how far a campaign is and what it found, so that it can be read by tools and go on later.

`apiVersion: pinproof/v1alpha1`, `kind: Campaign`. The JSON Schema `schemas/campaign.json` is generated from these models
(`python -m pinproof.fuzz.campaign_document > schemas/campaign.json`).
"""

from __future__ import annotations

import json
import sys
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt
from pydantic.alias_generators import to_camel

API_VERSION: Final = "pinproof/v1alpha1"


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class SubjectDocument(_Model):
    """What was tested."""

    name: str
    version: str
    properties: dict[str, str]


class DecisionsDocument(_Model):
    """Decisions of the reference: the denominator of a campaign in which nothing failed."""

    known: list[str]
    """All that can be reached."""

    reached: dict[str, NonNegativeInt]
    """Decision → how often it was taken."""


class SignatureDocument(_Model):
    """What a kind of failure has in common."""

    oracle: Literal["required", "modelled", "trouble"]
    requirement: str
    """Id of the broken invariant; empty unless required."""

    step: str
    """Kind of step that led to it."""

    path: str
    """Where in the observation; `*` for names, `#` for node ids."""

    said: str
    """What was expected and seen, without names and numbers."""


class FindingDocument(_Model):
    """One kind of failure that nothing explains."""

    id: str
    signature: SignatureDocument
    first: int
    """Number of the first scenario that showed it; negative: of the corpus."""

    times: NonNegativeInt
    """Scenarios that showed it."""

    steps: NonNegativeInt
    """Of the smallest scenario known."""

    pods: NonNegativeInt
    shrunk: bool
    """Whether the scenario was made as small as possible."""

    again: bool
    """Whether the scenario failed in the same way when it was run again; true where nobody tried."""

    shrink_seconds: NonNegativeFloat
    shrink_tries: NonNegativeInt
    confirmed: str
    """What the kubelet says: `confirmed by …`, `not shown by …`, `not tried` and why."""

    folder: str
    """Relative to this file."""

    replay: str
    """The command that shows it again."""


class ExplainedDocument(_Model):
    """A ledger entry that explained findings."""

    entry: str
    """File and place in it."""

    finding: str
    """The invariant."""

    link: str
    reason: str
    times: NonNegativeInt


class CampaignDocument(_Model):
    """One campaign, finished or not."""

    api_version: Literal["pinproof/v1alpha1"]
    kind: Literal["Campaign"]
    subject: SubjectDocument
    pinproof: str
    """Version of pinproof."""

    grammar: str
    """Digest of some scenarios that the seed stands for; another grammar draws others, and cannot go on."""

    seed: int
    done: NonNegativeInt
    """Scenarios that were drawn and counted, from the first on."""

    corpus: NonNegativeInt
    """Saved scenarios that were replayed before."""

    counts: dict[str, NonNegativeInt]
    """What was in the scenarios."""

    outcomes: dict[str, NonNegativeInt]
    """Outcome → scenarios."""

    decisions: DecisionsDocument
    explained: list[ExplainedDocument]
    findings: list[FindingDocument]
    seconds: NonNegativeFloat
    """Of the whole campaign."""

    phases: dict[str, NonNegativeFloat]
    """Seconds of all workers together, by what they were spent on."""

    megabytes: NonNegativeInt
    """Of memory, the most that a worker held."""

    exit_code: int = Field(ge=0, le=255)
    ended: str
    """Why it ended: `done`, `interrupted`, or the trouble; `running` while it runs."""


def schema() -> str:
    """The text of `schemas/campaign.json`."""
    generated = CampaignDocument.model_json_schema(by_alias=True, mode="serialization")
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **generated}
    return json.dumps(document, indent=2) + "\n"


def to_json(document: CampaignDocument) -> str:
    """The text of `campaign.json`."""
    return document.model_dump_json(by_alias=True, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
