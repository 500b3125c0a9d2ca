"""The images that can be released: the application's folder, with the migrations that a tag had.

An image is a folder, as a container image is a file system. Tags differ in the revisions of the database they
bring, and in faults of migrations and models; whatever else distinguishes a release (a fault of the application, say)
stands in the environment of its task definition.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

APPLICATION = Path(__file__).with_name("application")
REPOSITORY = "orders"

REVISIONS: dict[str, tuple[str, ...]] = {
    "1.0.0": ("0001", "0002"),
    "1.1.0": ("0001", "0002", "0003"),
    # Two new revisions: the first succeeds, the second stumbles over what is in the database.
    "1.2.0": ("0001", "0002", "0003", "0004"),
    "1.2.1": ("0001", "0002", "0003", "0004"),
    "1.3.0": ("0001", "0002", "0003"),
}
"""Database revisions by image tag."""

ADDITIONS: dict[str, tuple[str, str]] = {
    # As 1.2.0, but for its first new revision nobody has written the way back.
    "1.2.1": (
        "migrations/versions/0003_order_note.py",
        """

def downgrade() -> None:
    raise NotImplementedError("there is no way back: the notes would be lost")
""",
    ),
    # Somebody has changed the models and forgotten the migration.
    "1.3.0": ("orders/models.py", '\n\nIndex("orders_by_item", Order.item)\n'),
}
"""What the image of a tag has more than the application: the file, and what comes at its end."""


class ImageNotFoundError(Exception):
    """There is no such image in the registry."""


def build(tag: str, folder: Path) -> Path:
    """Lay an image out below `folder`, once; return its root. Raises ImageNotFoundError for an unknown tag."""
    if tag not in REVISIONS:
        raise ImageNotFoundError(f"{REPOSITORY}:{tag}: not found; there are {', '.join(REVISIONS)}")
    root = folder / tag
    if not root.exists():
        unfinished = root.with_suffix(".unfinished")
        shutil.copytree(APPLICATION, unfinished, ignore=shutil.ignore_patterns("__pycache__", "data"))
        for revision in (unfinished / "migrations" / "versions").iterdir():
            if not revision.name.startswith(REVISIONS[tag]):
                revision.unlink()
        (unfinished / "VERSION").write_text(tag + "\n")
        if tag in ADDITIONS:
            path, text = ADDITIONS[tag]
            with (unfinished / path).open("a", encoding="utf-8") as file:
                file.write(text)
        unfinished.rename(root)
    return root


def build_all(folder: Path) -> None:
    """Lay out every image."""
    folder.mkdir(parents=True, exist_ok=True)
    for tag in REVISIONS:
        build(tag, folder)


def tag_of(image: str) -> str:
    """Return the tag of an image's name; raises ImageNotFoundError for another repository's."""
    name, _, tag = image.rpartition(":")
    if not name.endswith(f"/{REPOSITORY}"):
        raise ImageNotFoundError(f"{image}: repository does not exist")
    return tag


def manifest(tag: str) -> str:
    """Return the manifest with which an image is pushed."""
    content = hashlib.sha256(f"{REPOSITORY}:{tag}:{REVISIONS.get(tag)}".encode()).hexdigest()
    kind = "application/vnd.docker.container.image.v1+json"
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": kind, "size": 1, "digest": f"sha256:{content}"},
            "layers": [],
        }
    )


def digest(tag: str) -> str:
    """Return the digest of an image, as the registry gives it: that of its manifest's bytes."""
    return "sha256:" + hashlib.sha256(manifest(tag).encode()).hexdigest()
