"""A node's own configuration with what a scenario changes in it. Pure.

Only what the Memory, Topology and CPU Managers look at is changed; thresholds of disks, reservations of other resources and
feature gates that the scenario does not speak of stay the node's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import yaml

from pinproof.scenario.config import KubeletConfig
from pinproof.subjects.kubelet.configuration import asked

_MEMORY: Final = "memory.available"
_DEFAULT_THRESHOLD: Final = "100Mi"
_COUNTED: Final = ("cpu", "memory")

_Texts = tuple[tuple[str, str], ...]


def joined(there: KubeletConfig, wanted: KubeletConfig) -> KubeletConfig:
    """The configuration that a node with the first has when it is given what the second says."""
    return replace(
        wanted,
        kube_reserved=_reserved(there.kube_reserved, wanted.kube_reserved),
        system_reserved=_reserved(there.system_reserved, wanted.system_reserved),
        eviction_hard=_thresholds(there, wanted),
        merge_default_eviction_settings=there.merge_default_eviction_settings,
        feature_gates=tuple(sorted({**dict(there.feature_gates), **dict(wanted.feature_gates)}.items())),
    )


def rewritten(text: str, there: KubeletConfig, becoming: KubeletConfig) -> str:
    """The file of a kubelet that has the first configuration for one that is to have the second.

    Raises ValueError where the text is no configuration.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if not isinstance(document, dict) or document.get("kind") != "KubeletConfiguration":
        raise ValueError("it is no KubeletConfiguration")
    before, after = (
        {**asked(config), **({"featureGates": dict(config.feature_gates)} if config.feature_gates else {})}
        for config in (there, becoming)
    )
    for field in sorted(before.keys() | after.keys()):
        if before.get(field) == after.get(field):
            continue
        if field in after:
            document[field] = after[field]
        else:
            document.pop(field, None)
    return yaml.safe_dump(document)


def _reserved(there: _Texts, wanted: _Texts) -> _Texts:
    others = {name: text for name, text in there if name not in _COUNTED}
    return tuple(sorted({**others, **dict(wanted)}.items()))


def _thresholds(there: KubeletConfig, wanted: KubeletConfig) -> _Texts:
    """Those of the node for disks, and the scenario's for memory, spelled out."""
    others = {name: text for name, text in there.eviction_hard or () if name != _MEMORY}
    memory = dict(wanted.eviction_hard or ()).get(_MEMORY)
    if memory is None and (wanted.eviction_hard is None or wanted.merge_default_eviction_settings):
        memory = _DEFAULT_THRESHOLD
    given: Mapping[str, str] = {} if memory is None else {_MEMORY: memory}
    return tuple(sorted({**others, **given}.items()))
