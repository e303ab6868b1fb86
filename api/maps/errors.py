"""What is wrong with a request for a map, in the words of the standards, and as the XML their clients read."""

from api.maps.xml import Element
from layers.errors import InputError, TwinError

OWS = "http://www.opengis.net/ows/1.1"
OGC = "http://www.opengis.net/ogc"
# Where WMTS has a general code for what WMS has one of its own for.
_OWS_WORDS = {
    "LayerNotDefined": "InvalidParameterValue",
    "StyleNotDefined": "InvalidParameterValue",
    "InvalidFormat": "InvalidParameterValue",
    "InvalidDimensionValue": "InvalidParameterValue",
    "InvalidPoint": "PointIJOutOfRange",
}


class MapError(InputError):
    """A request that cannot be answered; ``word`` is its exception code, ``locator`` the parameter at fault."""

    def __init__(self, message: str, *, word: str | None = None, locator: str | None = None, hint: str | None = None):
        super().__init__(message, hint=hint)
        self.word = word
        self.locator = locator


def write_wms_exception(error: TwinError, version: str) -> bytes:
    """Return a ServiceExceptionReport of WMS ``version`` (OGC 06-042, 7.2.3.9 and annex E; 01-068r3, annex A)."""
    root = Element("ServiceExceptionReport", version=version)
    if version == "1.3.0":
        root.attributes["xmlns"] = OGC
    written = root("ServiceException", str(error))
    if word := getattr(error, "word", None):
        written.attributes["code"] = word
    if version == "1.3.0" and (locator := getattr(error, "locator", None)):
        written.attributes["locator"] = locator
    return root.write()


def write_ows_exception(error: TwinError) -> bytes:
    """Return an ExceptionReport of OWS Common 1.1 (OGC 06-121r3, clause 8)."""
    root = Element("ows:ExceptionReport", version="1.1.0").set({"xmlns:ows": OWS})
    word = getattr(error, "word", None) or "NoApplicableCode"
    written = root("ows:Exception", exceptionCode=_OWS_WORDS.get(word, word))
    if locator := getattr(error, "locator", None):
        written.attributes["locator"] = locator
    written("ows:ExceptionText", str(error))
    return root.write()
