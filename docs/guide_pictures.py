"""``python -m docs.guide_pictures``: pictures of the user guide, from the latest screenshots of the browser tests."""

import re
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "guide"
TAKEN = ROOT / "test-artefacts"
WIDTH = 1200
"""Widest picture [px]: text in it is still read."""

QUALITY = 74
_PICTURE = re.compile(r"\]\(images/([\w-]+)\.webp\)")


def find_pictures() -> set[str]:
    """Return the names of the pictures that the guide's pages show."""
    return {name for page in GUIDE.glob("*.md") for name in _PICTURE.findall(page.read_text(encoding="utf-8"))}


def main() -> int:
    """Write every picture of which there is a screenshot, say which there is none of, take away what is not shown."""
    shown = find_pictures()
    images = GUIDE / "images"
    images.mkdir(exist_ok=True)
    missing = []
    for name in sorted(shown):
        source = TAKEN / f"viewer-guide-{name}.png"
        if not source.exists():
            missing.append(name)
            continue
        with Image.open(source) as picture:
            picture.thumbnail((WIDTH, 10 * WIDTH))
            picture.convert("RGB").save(images / f"{name}.webp", quality=QUALITY, method=6)
    for path in images.glob("*.webp"):
        if path.stem not in shown:
            path.unlink()
    if missing:
        sys.stderr.write(f"no screenshot of {', '.join(missing)}: run the tests in tests/web first\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
