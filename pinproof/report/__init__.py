"""Reports of a run: `report.json` for machines, Markdown for a step summary, HTML for a browser."""

from pinproof.report.document import API_VERSION, ReportDocument, document_of
from pinproof.report.files import ReportPaths, claim, read_report, write_report
from pinproof.report.html import html
from pinproof.report.markdown import markdown
from pinproof.report.result import CaseResult, LedgerUse, RunResult, Table

__all__ = [
    "API_VERSION",
    "CaseResult",
    "LedgerUse",
    "ReportDocument",
    "ReportPaths",
    "RunResult",
    "Table",
    "claim",
    "document_of",
    "html",
    "markdown",
    "read_report",
    "write_report",
]
