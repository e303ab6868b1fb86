"""Text as it came to Unicode in NFC: legacy Vietnamese alphabets and how they are told apart."""
