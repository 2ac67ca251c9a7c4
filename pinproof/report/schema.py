"""The JSON Schema of `report.json`: `python -m pinproof.report.schema > schemas/report.json`."""

from __future__ import annotations

import json
import sys

from pinproof.report.document import ReportDocument


def schema() -> str:
    """The text of `schemas/report.json`."""
    generated = ReportDocument.model_json_schema(by_alias=True, mode="serialization")
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **generated}
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
