"""Fetches the chart library that the tab ships: `python -m runner.board.vendor`. Needs npm, and its registry.

Observable Plot (ISC) draws the charts, and needs d3 (ISC). Both are their authors' builds, unchanged, so anybody can
compare the checksums.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Library:
    """A package of npm: the path of its build in the package, and that file's SHA-256."""

    name: str
    package: str
    version: str
    build: str
    sha256: str

    @property
    def file(self) -> str:
        """The name of the build among the tab's files."""
        return f"{self.name}-{self.version}.min.js"


LIBRARIES = (
    Library("plot", "@observablehq/plot", "0.6.17", "dist/plot.umd.min.js",
            "4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb"),
    Library("d3", "d3", "7.9.2", "dist/d3.min.js",
            "912111098ea99503a6f4967361d2bbdc9dbf58cf9c678c8e27e5b02d1a07f0c1"),
)  # fmt: skip


def fetch(library: Library, folder: Path) -> None:
    """Writes a library's build and licence to a folder. Raises ValueError where its checksum is another one."""
    with tempfile.TemporaryDirectory() as place:
        package = f"{library.package}@{library.version}"
        packed = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=place, check=True, capture_output=True, text=True
        )
        with tarfile.open(Path(place) / packed.stdout.split()[-1]) as archive:
            build, licence = (archive.extractfile(f"package/{name}") for name in (library.build, "LICENSE"))
            if build is None or licence is None:
                raise ValueError(f"{package} has no {library.build}, or no licence")
            content = build.read()
            if hashlib.sha256(content).hexdigest() != library.sha256:
                raise ValueError(f"{package}: the SHA-256 of {library.build} is not {library.sha256}")
            (folder / library.file).write_bytes(content)
            (folder / f"LICENSE.{library.name}.txt").write_bytes(licence.read())


if __name__ == "__main__":
    for each in LIBRARIES:
        fetch(each, STATIC)
        print(f"wrote {STATIC / each.file}")
