"""What documents are made of: the texts, numbers and names that may stand in them, and what is wrong with others."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from pinproof.scenario.cpuset import CpuSet
from pinproof.scenario.quantity import Quantity

API_VERSION = "pinproof/v1alpha1"

MAX_CPU = 8191
"""Highest CPU number the Linux kernel can be built for."""

MAX_NODE = 1023
"""Highest NUMA node number the Linux kernel can be built for."""

TAG_MARK = "«"
"""Begins the names of union branches, which are no part of a path that a user sees."""

_CPU_LIST = re.compile(r"(\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*)?", re.ASCII)
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", re.ASCII)
_RESOURCE = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?)/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_RELEASE = re.compile(r"1\.\d{1,2}(\.\d{1,3})?", re.ASCII)


def _as_text(value: object) -> object:
    """A number that YAML made of an unquoted text is that text again."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _quantity(text: str) -> str:
    Quantity.parse(text.strip())
    return text.strip()


def _threshold(text: str) -> str:
    if text.endswith("%") and re.fullmatch(r"\d+(\.\d+)?%", text, re.ASCII):
        return text
    try:
        return _quantity(text)
    except ValueError as error:
        raise ValueError(f"{error}, or a percentage such as 5%") from None


def _whole_kibibytes(text: str) -> str:
    amount = Quantity.parse(text)
    if amount.nano % (1024 * 10**9) or amount.nano < 0:
        raise ValueError(f"{text!r} is not a whole number of KiB, the unit of the kernel's MemTotal; write e.g. 10Gi")
    return text


def _page_size(text: str) -> str:
    size = Quantity.parse(text).value()
    if size < 1024 or size & (size - 1):
        raise ValueError(f"{text!r} is not a page size: a power of two such as 64Ki, 2Mi or 1Gi")
    return text


def _distinct_sizes(pages: dict[str, int]) -> dict[str, int]:
    sizes = [Quantity.parse(text).value() for text in pages]
    if len(set(sizes)) < len(sizes):
        raise ValueError("a page size is given twice in different spellings; keep one of them")
    return pages


def _cpu_list(text: str) -> str:
    compact = text.replace(" ", "")
    if not _CPU_LIST.fullmatch(compact):
        raise ValueError(f"{text!r} is not a list of CPUs; write numbers and ranges such as 0-3,8")
    cpus = CpuSet.parse(compact)
    if cpus and max(cpus) > MAX_CPU:
        raise ValueError(f"CPU {max(cpus)} is above {MAX_CPU}, the highest number a kernel knows")
    return compact


def _pod_name(text: str) -> str:
    if len(text) > 253 or not _DNS_NAME.fullmatch(text):
        raise ValueError(f"{text!r} cannot name a pod: lower-case letters, digits, '-' and '.', at most 253")
    return text


def _container_name(text: str) -> str:
    if len(text) > 63 or not _DNS_LABEL.fullmatch(text):
        raise ValueError(f"{text!r} cannot name a container: lower-case letters, digits and '-', at most 63")
    return text


def _device(text: str) -> str:
    if not _RESOURCE.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a device: write it with its domain, such as example.com/gpu")
    return text


def _release(text: str) -> str:
    if not _RELEASE.fullmatch(text):
        raise ValueError(f"{text!r} is not a Kubernetes release; write it like 1.36.3")
    return text


_NUMBER_OR_TEXT = WithJsonSchema(
    {
        "type": ["string", "number"],
        "pattern": r"^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?\s*$",
        "description": "A Kubernetes quantity such as 4Gi or 500m.",
    }
)
_THRESHOLD = WithJsonSchema({"type": ["string", "number"], "description": "A quantity, or a percentage such as 5%."})

QuantityText = Annotated[StrictStr, BeforeValidator(_as_text), AfterValidator(_quantity), _NUMBER_OR_TEXT]
ByteText = Annotated[
    StrictStr, BeforeValidator(_as_text), AfterValidator(_quantity), AfterValidator(_whole_kibibytes), _NUMBER_OR_TEXT
]
ThresholdText = Annotated[StrictStr, BeforeValidator(_as_text), AfterValidator(_threshold), _THRESHOLD]
PageSizeText = Annotated[StrictStr, AfterValidator(_quantity), AfterValidator(_page_size)]
PageCounts = Annotated[dict[PageSizeText, Annotated[StrictInt, Field(ge=0)]], AfterValidator(_distinct_sizes)]
CpuListText = Annotated[
    StrictStr, BeforeValidator(_as_text), AfterValidator(_cpu_list), WithJsonSchema({"type": ["string", "integer"]})
]
PodName = Annotated[
    StrictStr, AfterValidator(_pod_name), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 253})
]
ContainerName = Annotated[
    StrictStr, AfterValidator(_container_name), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 63})
]
ReleaseText = Annotated[
    StrictStr, BeforeValidator(_as_text), AfterValidator(_release), WithJsonSchema({"type": ["string", "number"]})
]
DeviceName = Annotated[StrictStr, AfterValidator(_device)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=200)]


class Document(BaseModel):
    """A mapping of a document: known keys only."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _remember_fields(cls, data: object, info: ValidationInfo) -> object:
        """Tell the reader which keys this mapping may have, so that it can suggest the one that was meant."""
        if isinstance(info.context, dict) and isinstance(data, dict):
            info.context[id(data)] = [field.alias or name for name, field in cls.model_fields.items()]
        return data
