"""The Vietnamese syllable: initial + rime + tone, enough to tell Vietnamese from letters that only look odd.

A fact of the language, not a word list: every Vietnamese word is one syllable, written apart. Syllables ending in
c, ch, p or t carry the acute or the dot below, if any tone. The final k of names of the Highlands (Đắk Lắk) is added.
"""

import re
import unicodedata
from functools import cache, lru_cache

TONES = "\u0300\u0301\u0303\u0309\u0323"
_WITHOUT_TONES = dict.fromkeys(map(ord, TONES))
STOP_TONES = "\u0301\u0323"
_INITIALS = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph r s t th tr v x"
_RIMES = """
    a ai ao au ay am an ang anh ap at ac ach ak ă ăm ăn ăng ăp ăt ăc ăk âu ây âm ân âng âp ât âc âk
    e eo em en eng ep et ec ek ê êu êm ên ênh êng êp êt êch êk
    i ia iu im in ing inh ip it ich iêu iêm iên iêng iêp iêt iêc iêk y yêu yêm yên yêng yêt
    o oi om on ong op ot oc ok oong ooc oa oai oao oay oam oan oang oanh oap oat oac oach oăm oăn oăng oăt oăc oe oeo
    oen oet ô ôi ôm ôn ông ôp ôt ôc ôk ơ ơi ơm ơn ơp ơt
    u ua ui um un ung up ut uc uk uê uêch uênh uên uôi uôm uôn uông uôt uôc uôk uơ uân uâng uât uây
    uy uya uyên uyêt uyu uynh uych uyt uyp
    ư ưa ưi ưu ưm ưn ưng ưc ưt ươi ươu ươm ươn ương ươp ươt ươc
"""
_RIMES_AFTER_QU = """
    a ai ao au ay am an ang anh ap at ac ach ăm ăn ăng ăp ăt ăc âu ây âm ân âng ât âc e eo em en et ê êu ên ênh êng êt
    êch i in inh it ich iu iên iêt y yn ynh yt ych yên yêt yêu ô ôc ơ ơi ơn ơt
"""
_KNOWN, _KNOWN_AFTER_QU = frozenset(_RIMES.split()), frozenset(_RIMES_AFTER_QU.split())
_VOWELS = "aăâeêioôơuưy"
_PARTS = re.compile(rf"(qu|{'|'.join(sorted(_INITIALS.split(), key=len, reverse=True))})?([{_VOWELS}].*)")
_FRONT = tuple("eêiy")


@lru_cache(maxsize=65_536)
def is_syllable(word: str) -> bool:
    """Return whether ``word`` (NFC, any case) can be a Vietnamese syllable."""
    if len(word) > 7:
        return False
    letters = [unicodedata.normalize("NFD", letter) for letter in unicodedata.normalize("NFC", word.lower())]
    toned = [(place, mark) for place, letter in enumerate(letters) for mark in letter if mark in TONES]
    if len(toned) > 1:
        return False
    bare = (letter.translate(_WITHOUT_TONES) for letter in letters)
    plain = "".join(unicodedata.normalize("NFC", letter) for letter in bare)
    return any(_fits(initial, rime, *(toned[0] if toned else (None, ""))) for initial, rime in _split(plain))


def _split(plain: str) -> list[tuple[str, str]]:
    """Return the ways to part a toneless syllable; gi before a consonant or nothing keeps its i as the vowel."""
    found = _PARTS.fullmatch(plain)
    if found is not None:
        ways = [(found[1] or "", found[2])]
    elif plain == "gi":
        return [("g", "i")]
    else:
        found = _PARTS.fullmatch("g" + plain[1:]) if plain.startswith("gi") else None
        ways = [(found[1] or "", found[2])] if found is not None else []
    if plain.startswith("gi"):
        ways.append(("g", plain[1:]))
    return ways


def _fits(initial: str, rime: str, place: int | None, tone: str) -> bool:
    known = _KNOWN_AFTER_QU if initial == "qu" else _KNOWN
    if rime not in known:
        return False
    front = rime.startswith(_FRONT)
    if initial in ("gh", "ngh") and not front:
        return False
    if initial in ("g", "ng", "c") and front and not (initial == "g" and rime.startswith("i")):
        return False
    if place is None:
        return True
    if place - len(initial) not in _find_tone_places(rime):
        return False
    return tone in STOP_TONES or not rime.endswith(("c", "ch", "p", "t"))


@cache
def _find_tone_places(rime: str) -> tuple[int, ...]:
    """Return where a rime carries its tone: marked vowel, vowel before a final, or first; hòa and hoà are both used."""
    count = len(rime) - len(rime.lstrip(_VOWELS))
    marked = [place for place in range(count) if rime[place] in "ăâêôơư"]
    if marked:
        return (marked[-1],)
    if count < len(rime):
        return (count - 1,)
    if rime in ("oa", "oe", "uy"):
        return (0, 1)
    return (1,) if count == 3 else (0,)
