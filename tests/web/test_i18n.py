"""The viewer's words: the same keys in both languages, every key used exists, none is left over."""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "web" / "src"
KEY_LINE = re.compile(r'^\s*"([\w.]+)":\s*(".*"|\'.*\'),?\s*$')
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LITERAL_USE = re.compile(r'"([a-z]+\.\w+)"')
TEMPLATE_USE = re.compile(r"\bt\(\s*`([\w.]+)\$\{")


def read_words(lang: str) -> dict[str, str]:
    """Return the words of one language by key: those of the first view and those that panels bring later."""
    files = sorted((SOURCE / "i18n").glob(f"*{lang}.ts"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    text = re.sub(r":\s*\n\s+", ": ", text)
    found = [(match[1], match[2]) for line in text.splitlines() if (match := KEY_LINE.match(line))]
    keys = [key for key, _ in found]
    assert len(keys) == len(set(keys)), f"the words in {lang} list a key twice"
    return dict(found)


def read_program() -> str:
    """Return the viewer's program without the word lists."""
    files = [path for path in SOURCE.rglob("*.ts") if not path.name.endswith(("vi.ts", "en.ts"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(files))


@pytest.fixture(scope="module")
def words() -> tuple[dict[str, str], dict[str, str]]:
    """The words in Vietnamese and in English."""
    return read_words("vi"), read_words("en")


def test_both_languages_have_the_same_keys(words: tuple[dict[str, str], dict[str, str]]) -> None:
    vi, en = words
    assert len(vi) > 100
    assert set(vi) == set(en)


def test_both_languages_have_the_same_placeholders(words: tuple[dict[str, str], dict[str, str]]) -> None:
    vi, en = words
    different = [key for key in vi if set(PLACEHOLDER.findall(vi[key])) != set(PLACEHOLDER.findall(en[key]))]
    assert different == []


def test_every_key_used_exists(words: tuple[dict[str, str], dict[str, str]]) -> None:
    vi, _ = words
    used = set(re.findall(r'\bt\(\s*"([\w.]+)"', read_program()))
    assert used - set(vi) == set()
    for prefix in TEMPLATE_USE.findall(read_program()):
        assert any(key.startswith(prefix) for key in vi), f"no key begins with '{prefix}'"


def test_every_key_is_used(words: tuple[dict[str, str], dict[str, str]]) -> None:
    vi, _ = words
    program = read_program()
    literal = set(LITERAL_USE.findall(program))
    prefixes = tuple(TEMPLATE_USE.findall(program))
    assert [key for key in vi if key not in literal and not key.startswith(prefixes)] == []
