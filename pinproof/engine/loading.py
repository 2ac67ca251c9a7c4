"""Gives images to an engine."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import suppress
from typing import IO, cast

from pinproof.build.cache import disk_full
from pinproof.build.layers import Image, write_images
from pinproof.build.progress import Progress
from pinproof.engine.engines import Engine
from pinproof.errors import SubjectError


def has_image(engine: Engine, reference: str) -> bool:
    """Whether the engine has an image of this name."""
    return _run(engine, "image", "inspect", reference).returncode == 0


def load(engine: Engine, image: Image) -> str:
    """Give an image to an engine that does not have it yet; returns its name.

    Older images of the same release go, if nothing uses them: an engine that stays would fill up with them.

    Raises:
        SubjectError: The engine does not take it.
    """
    if not has_image(engine, image.reference):
        with Progress(f"load {image.reference} into {engine.name}"):
            _load(engine, image)
        _remove_older(engine, image.reference)
        _require_privileges(engine, image.reference)
    return image.reference


def _load(engine: Engine, image: Image) -> None:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [engine.name, "load"],
            env=engine.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        with process:
            stdin = cast("IO[bytes]", process.stdin)  # it was asked for
            try:
                with suppress(BrokenPipeError), stdin:  # an engine that has given up says why
                    write_images([image], stdin)
            except BaseException:
                process.kill()
                raise
        said.seek(0)
        words = said.read().decode(errors="replace").strip()
    if process.returncode != 0:
        raise _refused(engine, image.reference, words)


def _refused(engine: Engine, reference: str, said: str) -> SubjectError:
    step = f"load {reference}"
    if "no space left on device" in said.lower():
        return disk_full(step, f"where {engine.name} keeps its images")
    remedy = f"see what `{engine.name} info` says, and whether its disk is full"
    return SubjectError(step, f"{engine.name} does not take it: {said}", fault=engine.name, remedy=remedy)


def _require_privileges(engine: Engine, reference: str) -> None:
    """Run the image for a moment as kind will: privileged, in control groups of its own.

    Raises:
        SubjectError: The engine does not run it.
    """
    options = ("--rm", "--privileged", "--cgroupns=private", "--network=none", "--entrypoint=/bin/true")
    done = _run(engine, "run", *options, reference)
    if done.returncode != 0:
        raise SubjectError(
            f"run {reference}",
            f"{engine.name} does not run privileged containers: {done.stderr.strip()[-400:]}",
            fault=f"{engine.name}, or the container that it runs in itself",
            remedy="use an engine that may (run as root; give an outer container --privileged), or let pinproof start one: "
            "export PINPROOF_ENGINE=own",
        )


def _remove_older(engine: Engine, reference: str) -> None:
    """Remove images of the same name up to the key; the engine keeps those that a container uses."""
    family = reference.rpartition("-")[0]
    listed = _run(engine, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{family.partition(':')[0]}").stdout
    older = [name for name in listed.split() if name != reference and name.rpartition("-")[0] == family]
    if older:
        _run(engine, "image", "rm", *older)


def _run(engine: Engine, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [engine.name, *arguments], env=engine.environment(), capture_output=True, text=True, check=False
    )
