"""The Atom feed of issued messages (RFC 4287)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from layers.schema import Text
from twin.store_warnings import Message
from twin.warning.flood import clean_words
from twin.warning.message import MEDIA_TYPE, Originator
from twin.warning.message import NAMESPACE as CAP

NAMESPACE = "http://www.w3.org/2005/Atom"
FEED_TYPE = "application/atom+xml"
_TITLE = Text("Cảnh báo của {}", "Warnings of {}")
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def write_feed(
    messages: Sequence[Message], originator: Originator, *, address: str, link_of: Callable[[str], str]
) -> bytes:
    """Return the feed of ``messages``, the newest first as they come.

    ``address`` is the feed's own; ``link_of`` gives the address of a message. Ids are tag URIs (RFC 4151): they stay
    the same whatever name the server is reached by.
    """
    name = Text(*(clean_words(words) for words in originator.name))
    feed = ElementTree.Element("feed", {"xmlns": NAMESPACE, "xml:lang": "vi"})
    _add(feed, "id", f"tag:{_authority(originator)},{_BEGINNING.year}:cap")
    _add(feed, "title", f"{_TITLE.vi.format(name.vi)} – {_TITLE.en.format(name.en)}")
    _add(feed, "updated", (messages[0].stored if messages else _BEGINNING).isoformat())
    _add(_add(feed, "author"), "name", name.vi)
    _add(feed, "link", href=address, rel="self", type=FEED_TYPE)
    for message in messages:
        entry = _add(feed, "entry")
        _add(entry, "id", f"tag:{_authority(originator)},{_BEGINNING.year}:cap/{message.identifier}")
        _add(entry, "title", message.headline.vi)
        _add(entry, "updated", message.stored.isoformat())
        _add(entry, "published", message.sent.isoformat())
        _add(entry, "summary", _summarize(message))
        _add(entry, "link", href=link_of(message.identifier), rel="alternate", type=MEDIA_TYPE)
        for scheme, term in (("status", message.status), ("msgType", message.kind), ("severity", message.severity)):
            _add(entry, "category", term=term, scheme=f"{CAP}:{scheme}")
    ElementTree.indent(feed)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _add(parent: ElementTree.Element, name: str, words: str | None = None, **attributes: str) -> ElementTree.Element:
    added = ElementTree.SubElement(parent, name, attributes)
    added.text = words
    return added


def _summarize(message: Message) -> str:
    return f"{message.headline.en}. {message.kind}, {message.severity}, until {message.expires:%Y-%m-%d %H:%M} UTC."


def _authority(originator: Originator) -> str:
    # A tag URI is minted by a domain or an e-mail address; other senders are no authority.
    sender = originator.sender
    plain = sender.isascii() and all(letter.isalnum() or letter in "@.-_" for letter in sender)
    return sender.lower() if plain else "city-twin.invalid"
